//! Decimal numbers to and from text, exactly, small in code.
//!
//! The standard library reads and writes floating-point numbers as fast as it can be done, with tables and algorithms
//! that the browser would have to fetch (docs/adr/0005 tells what was measured). People type few numbers. So this reads
//! and writes them with plain long arithmetic: the nearest number to every text, and the shortest text that reads back
//! as the number.
//! Deliberately not here: words for infinity and "not a number", which no field takes; what is larger than every
//! number is read as infinity, for the rules to refuse.

mod long;

use long::Long;
use std::cmp::Ordering;

/// Texts that are longer are no number that anybody means, and the work grows with the length squared.
const LONGEST: usize = 1100;

/// The bits of a number that belong to its fraction.
const FRACTION_BITS: u32 = 52;

/// Reads a decimal number: `0.0002`, `2e-4`, `-3`, `.5`. `None` for anything else. Rounds to the nearest number, and
/// to the even one of two that are as near.
#[must_use]
pub fn parse(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (significand, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((significand, exponent)) => (significand, power(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, part) = significand.split_once('.').unwrap_or((significand, ""));
    let is_number = (whole.bytes().chain(part.bytes())).all(|byte| byte.is_ascii_digit());
    if !is_number || whole.len() + part.len() == 0 || text.len() > LONGEST {
        return None;
    }
    let power = exponent - i32::try_from(part.len()).ok()?;
    let size = nearest(whole.trim_start_matches('0'), part, power);
    Some(if text.starts_with('-') { -size } else { size })
}

/// A power of ten as it is written. One that no number reaches stands for all beyond it.
fn power(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse::<i32>().unwrap_or(i32::MAX).min(10_000);
    Some(if text.starts_with('-') { -size } else { size })
}

/// The number nearest to the digits of `whole` and `part` times ten to `power`.
fn nearest(whole: &str, part: &str, power: i32) -> f64 {
    let mut digits = Long::default();
    for digit in whole.bytes().chain(part.bytes()) {
        digits.multiply(10, u32::from(digit - b'0'));
    }
    let length = (whole.len() + part.len()) as i32;
    if digits.is_zero() || length + power < -400 {
        return 0.0;
    }
    if power > 400 {
        return f64::INFINITY;
    }
    // Both factors are exact, so the one operation rounds correctly.
    if let Some(exact) = digits.small().filter(|_| power.abs() <= 22) {
        let scale = (0..power.abs()).fold(1.0, |scale, _| scale * 10.0);
        return if power < 0 { exact / scale } else { exact * scale };
    }
    let mut numerator = digits;
    let mut denominator = Long::from(1);
    let scaled = if power < 0 {
        &mut denominator
    } else {
        &mut numerator
    };
    for _ in 0..power.abs() {
        scaled.multiply(10, 0);
    }
    quotient(numerator, denominator)
}

/// The number nearest to a fraction, by long division: 55 bits, of which one or two are for rounding.
fn quotient(mut rest: Long, mut denominator: Long) -> f64 {
    const BITS: i32 = 55;
    // The least of all numbers is 2^-1074; one bit more decides how it is rounded.
    let unit = (rest.bits() - denominator.bits() - (BITS - 1)).max(-1075);
    let shift = unit + BITS;
    let shifted = if shift > 0 { &mut denominator } else { &mut rest };
    shifted.shift_left(shift.unsigned_abs());
    let mut bits = 0_u64;
    for _ in 0..BITS {
        rest.shift_left(1);
        bits <<= 1;
        if rest >= denominator {
            rest.subtract(&denominator);
            bits |= 1;
        }
    }
    let length = 64 - bits.leading_zeros();
    let spare = length.saturating_sub(FRACTION_BITS + 1).max(1);
    let (kept, left) = (bits >> spare, bits & ((1 << spare) - 1));
    let up = match left.cmp(&(1 << (spare - 1))) {
        Ordering::Less => false,
        Ordering::Equal => !rest.is_zero() || kept & 1 == 1,
        Ordering::Greater => true,
    };
    let exponent = u64::try_from(unit + spare as i32 + 1074).unwrap_or(0);
    if exponent > 2045 {
        return f64::INFINITY;
    }
    // What rounds up to the next power of two carries into the exponent, as it should.
    f64::from_bits((exponent << FRACTION_BITS) + kept + u64::from(up))
}

/// The shortest text that reads back as the number: plain from 0.0001 on (`0.0002`, `300`), with a power of ten below
/// (`2e-5`).
#[must_use]
pub fn text(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-4 {
        scientific(value)
    } else {
        plain(value)
    }
}

/// The shortest text that reads back as the number, with its power of ten: `2e-4`, `1.5e0`.
#[must_use]
pub fn scientific(value: f64) -> String {
    let (digits, point) = shortest(value);
    let (first, rest) = digits.split_at(1);
    let (dot, exponent) = (if rest.is_empty() { "" } else { "." }, point - 1);
    format!("{}{first}{dot}{rest}e{exponent}", sign(value))
}

/// The shortest text that reads back as the number, without a power of ten: `0.0002`, `1.5`.
#[must_use]
pub fn plain(value: f64) -> String {
    let (mut digits, point) = shortest(value);
    let sign = sign(value);
    let Ok(before) = usize::try_from(point) else {
        return format!("{sign}0.{}{digits}", "0".repeat(point.unsigned_abs() as usize));
    };
    while digits.len() < before {
        digits.push('0');
    }
    let (whole, part) = digits.split_at(before);
    let whole = if whole.is_empty() { "0" } else { whole };
    let dot = if part.is_empty() { "" } else { "." };
    format!("{sign}{whole}{dot}{part}")
}

const fn sign(value: f64) -> &'static str {
    if value.is_sign_negative() { "-" } else { "" }
}

/// The fewest digits that tell a number from its neighbours, and where the point stands: `0.DIGITS` times ten to
/// that power. (Steele and White, "How to print floating-point numbers accurately", 1990.)
fn shortest(value: f64) -> (String, i32) {
    let bits = value.abs().to_bits();
    if bits == 0 || !value.is_finite() {
        return ("0".to_owned(), 1);
    }
    let (fraction, biased) = (bits & ((1 << FRACTION_BITS) - 1), (bits >> FRACTION_BITS) as i32);
    let (significand, exponent) = match biased {
        0 => (fraction, -1074),
        _ => (fraction | 1 << FRACTION_BITS, biased - 1075),
    };
    // All in quarters of the last bit: half the way to the neighbour above is 2, to the one below 1 where it is nearer.
    let mut rest = Long::from(significand);
    let mut above = Long::from(2);
    let mut below = Long::from(if fraction == 0 && biased > 1 { 1 } else { 2 });
    let mut one = Long::from(4);
    rest.shift_left(2);
    if exponent < 0 {
        one.shift_left(exponent.unsigned_abs());
    } else {
        for each in [&mut rest, &mut above, &mut below] {
            each.shift_left(exponent.unsigned_abs());
        }
    }
    // A number in the middle between two is read as the even one.
    let is_even = significand & 1 == 0;
    let reaches = |rest: &Long, above: &Long, one: &Long| match rest.plus(above).cmp(one) {
        Ordering::Less => false,
        Ordering::Equal => is_even,
        Ordering::Greater => true,
    };
    let mut point = 0;
    while reaches(&rest, &above, &one) {
        one.multiply(10, 0);
        point += 1;
    }
    let mut digits = String::new();
    loop {
        for each in [&mut rest, &mut above, &mut below] {
            each.multiply(10, 0);
        }
        let mut digit = 0;
        while rest >= one {
            rest.subtract(&one);
            digit += 1;
        }
        let down = rest < below || is_even && rest == below;
        let up = reaches(&rest, &above, &one);
        if up && (!down || rest.plus(&rest) >= one) {
            digit += 1;
        }
        if digit == 0 && digits.is_empty() && !up && !down {
            point -= 1;
            continue;
        }
        digits.push(char::from(b'0' + digit));
        if up || down {
            return (digits, point);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, plain, scientific, text};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_decimal_reads_as_with_the_standard_library(
            decimal in "[+-]?[0-9]{0,25}(\\.[0-9]{0,25})?([eE][+-]?[0-9]{1,3})?"
        ) {
            prop_assert_eq!(parse(&decimal), decimal.parse().ok());
        }

        #[test]
        fn every_number_reads_back_from_its_shortest_text(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            prop_assert_eq!(scientific(value), format!("{value:e}"));
            prop_assert_eq!(plain(value), value.to_string());
            prop_assert_eq!(parse(&text(value)), Some(value));
            prop_assert_eq!(parse(&plain(value)), Some(value));
        }

        #[test]
        fn what_lies_in_the_middle_between_two_numbers_reads_as_the_even_one(half in 1_u64 << 52..1 << 53, power in 0_u32..70) {
            let middle: u128 = (u128::from(half) * 2 + 1) << power;
            for near in [middle - 1, middle, middle + 1] {
                let decimal = near.to_string();
                prop_assert_eq!(parse(&decimal), decimal.parse().ok());
                let decimal = format!("{near}.0000000000000000000000000000001e-10");
                prop_assert_eq!(parse(&decimal), decimal.parse().ok());
            }
        }
    }

    #[test]
    fn the_edges_of_what_numbers_reach_are_read_right() {
        for edge in [
            "0",
            "-0",
            "1e400",
            "1e-400",
            "4.9e-324",
            "2.4703282292062328e-324",
            "2.4703282292062327e-324",
            "2.2250738585072011e-308",
            "2.2250738585072014e-308",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "9007199254740993",
            "9007199254740993.0000000000000000000000001",
            "1e99999999999",
            "0e99999999999",
            "1e-99999999999",
            "123456789012345678901234567890e-10",
        ] {
            assert_eq!(
                parse(edge).map(f64::to_bits),
                edge.parse().ok().map(f64::to_bits),
                "{edge}"
            );
        }
    }

    #[test]
    fn what_is_no_decimal_number_is_refused() {
        for wrong in [
            "", ".", "+", "e5", "1e", "1e+", "1.2.3", "1,5", "0x1", "inf", "nan", "1_000", " 1", "--1",
            "1e1.5",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(parse(&"1".repeat(1101)), None);
    }

    #[test]
    fn numbers_are_written_as_people_write_them() {
        assert_eq!(text(2e-4), "0.0002");
        assert_eq!(text(5e-5), "5e-5");
        assert_eq!(text(0.05), "0.05");
        assert_eq!(text(32.0), "32");
        assert_eq!(text(0.0), "0");
        assert_eq!(text(-1.5), "-1.5");
        assert_eq!(scientific(0.0002), "2e-4");
        assert_eq!(scientific(5e-324), "5e-324");
    }
}
