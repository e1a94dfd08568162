//! Numbers, sizes, durations and times as people read them, in the language that is spoken.
//!
//! [`fixed`] alone is for machines: it always writes a point.

use super::en::{
    billion, bytes_unit, days_and_hours, decimal_sign, just_now, million, not_a_number, thousands_sign,
    units_ago, yesterday,
};
use shared::number;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A unit of time that is told alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named by what it is")]
pub enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// `1 job`, `2 jobs`: a number of things.
///
/// Of whole numbers English and German have the same two forms, one for exactly 1 and one for all others, zero included
/// (in CLDR, whose rules the browser's `Intl.PluralRules` gives: `one: i = 1 and v = 0`, `other`). So one comparison
/// does what a call to the browser would. A language with other forms needs its own rule here.
#[must_use]
pub fn plural(number: u64, one: &str, other: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { other })
}

/// A number as machines write it in the signs of the language.
#[must_use]
pub fn localised(number: &str) -> String {
    number.replace('.', decimal_sign())
}

/// A number that somebody typed as machines write it. Only the decimal sign is taken for a point: who types `1.000` in
/// German sees `1,000`, and that it wasn't taken for a thousand.
#[must_use]
pub fn unlocalised(typed: &str) -> String {
    typed.replace(decimal_sign(), ".")
}

/// A number with so many digits after its decimal sign.
#[must_use]
pub fn digits(value: f64, digits: u32) -> String {
    localised(&fixed(value, digits))
}

/// A number with so many digits after the point, rounded half up, as SVG and HTML read it; for numbers below a million
/// million.
///
/// The formatting of the standard library is exact for every number and digit; that exactness is large in code, and
/// nothing here shows more than a dozen digits.
#[must_use]
pub fn fixed(value: f64, digits: u32) -> String {
    let scale = 10_u64.pow(digits.min(12));
    let scaled = (value.abs() * scale as f64 + 0.5) as u64;
    let sign = if value < 0.0 && scaled > 0 { "-" } else { "" };
    let (whole, part) = (scaled / scale, scaled % scale);
    if digits == 0 {
        return format!("{sign}{whole}");
    }
    let width = digits as usize;
    format!("{sign}{whole}.{part:0width$}")
}

/// A number with two digits and its power of ten: `1.4e-4`.
#[must_use]
pub fn scientific(value: f64) -> String {
    let mut digits = value.abs();
    let mut exponent = 0;
    while digits < 9.95 && exponent > -400 {
        digits *= 10.0;
        exponent -= 1;
    }
    while digits >= 99.5 {
        digits /= 10.0;
        exponent += 1;
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let digits = fixed(digits, 0);
    let (first, second) = digits.split_at(1);
    let point = decimal_sign();
    format!("{sign}{first}{point}{second}e{}", exponent + 1)
}

/// How long ago something was: `just now`, `12 min ago`, `yesterday`, `3 weeks ago`. An instant in the future (two
/// clocks differ) counts as now.
#[must_use]
pub fn ago(now_ms: i64, then_ms: i64) -> String {
    let seconds = (now_ms - then_ms).max(0) / 1000;
    let days = seconds / DAY;
    match seconds {
        0..10 => just_now().to_owned(),
        10..MINUTE => units_ago(seconds, Unit::Second),
        MINUTE..HOUR => units_ago(seconds / MINUTE, Unit::Minute),
        HOUR..DAY => units_ago(seconds / HOUR, Unit::Hour),
        _ => match days {
            ..=1 => yesterday().to_owned(),
            2..14 => units_ago(days, Unit::Day),
            14..60 => units_ago(days / 7, Unit::Week),
            60..730 => units_ago(days / 30, Unit::Month),
            730.. => units_ago(days / 365, Unit::Year),
        },
    }
}

/// A duration: `850 ms`, `12 s`, `1 min 48 s`, `6 h 12 min`, `3 d 4 h`.
#[must_use]
pub fn duration(milliseconds: u64) -> String {
    let seconds = i64::try_from(milliseconds / 1000).unwrap_or(i64::MAX);
    match seconds {
        0 => format!("{milliseconds} ms"),
        1..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min {} s", seconds / MINUTE, seconds % MINUTE),
        HOUR..DAY => format!("{} h {} min", seconds / HOUR, seconds % HOUR / MINUTE),
        _ => days_and_hours(seconds / DAY, seconds % DAY / HOUR),
    }
}

/// A time to come that is only reckoned, in whole minutes: `2 min`, `6 h 12 min`, `3 d 4 h`.
#[must_use]
pub fn about(milliseconds: u64) -> String {
    let minutes = milliseconds.div_ceil(60_000);
    if minutes < 60 {
        format!("{minutes} min")
    } else {
        duration(minutes * 60_000)
    }
}

/// A size: `512 bytes`, `1.9 MB`, `8.6 GB`, in powers of 1000.
#[must_use]
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if count < 1000 {
        return format!("{count} {}", bytes_unit());
    }
    let mut size = count as f64;
    let mut unit = "";
    for next in UNITS {
        if size < 999.5 {
            break;
        }
        size /= 1000.0;
        unit = next;
    }
    format!("{} {unit}", digits(size, if size < 9.95 { 1 } else { 0 }))
}

/// A whole number with its thousands apart: `1,210`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push_str(thousands_sign());
        }
        text.push(digit);
    }
    text
}

/// A large number in short: `1.8 million`, `7 billion`.
#[must_use]
pub fn large(number: u64) -> String {
    let in_units = |unit: f64, word: &str| format!("{} {word}", short(number as f64 / unit));
    match number {
        1_000_000_000.. => in_units(1e9, billion()),
        1_000_000.. => in_units(1e6, million()),
        _ => count(number),
    }
}

/// A measured value with three significant digits: `0.731`, `12.4`, `318`, `2.0e-4`.
#[must_use]
pub fn measure(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return not_a_number().to_owned();
    }
    match size {
        0.0 => "0".to_owned(),
        ..0.001 => scientific(value),
        ..10.0 => digits(value, 3),
        ..100.0 => digits(value, 1),
        _ => digits(value, 0),
    }
}

/// A learning rate as people write it: `2e-4`, `0.01`.
#[must_use]
pub fn learning_rate(value: f64) -> String {
    localised(&if value > 0.0 && value < 0.01 {
        number::scientific(value)
    } else {
        number::plain(value)
    })
}

/// A learning rate written out: `0.0002`.
#[must_use]
pub fn decimal(value: f64) -> String {
    let text = fixed(value, 12);
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "0" && value != 0.0 {
        localised(&number::scientific(value))
    } else {
        localised(short)
    }
}

/// A share as a percentage: `81.4 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{} %", digits(share * 100.0, 1))
}

/// A number of epochs with one digit of fraction, none where it is whole: `2.1`, `3`.
#[must_use]
pub fn epochs(epochs: f64) -> String {
    short(epochs)
}

/// One digit of fraction, none where it is zero.
fn short(value: f64) -> String {
    let text = fixed(value, 1);
    localised(text.strip_suffix(".0").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_times_read_naturally_and_never_from_the_future() {
        let at = |seconds: i64| ago(10_000_000_000_000, 10_000_000_000_000 - seconds * 1000);
        assert_eq!(at(-500), "just now");
        assert_eq!(at(9), "just now");
        assert_eq!(at(59), "59 s ago");
        assert_eq!(at(60), "1 min ago");
        assert_eq!(at(3599), "59 min ago");
        assert_eq!(at(3600), "1 h ago");
        assert_eq!(at(86_400), "yesterday");
        assert_eq!(at(2 * 86_400), "2 days ago");
        assert_eq!(at(20 * 86_400), "2 weeks ago");
        assert_eq!(at(100 * 86_400), "3 months ago");
        assert_eq!(at(800 * 86_400), "2 years ago");
    }

    #[test]
    fn fixed_digits_agree_with_the_standard_librarys() {
        for value in [
            0.0,
            0.04,
            -0.04,
            0.5,
            1.25,
            -1.0625,
            99.96,
            123_456.789,
            999_999_999.5,
        ] {
            for digits in [0, 1, 3] {
                let exact = format!("{value:.*}", digits as usize);
                let near: f64 = fixed(value, digits).parse().expect("it is a number");
                let step = 10_f64.powi(-(digits as i32));
                assert!(
                    (near - exact.parse::<f64>().expect("it is a number")).abs() <= step * 1.001,
                    "{value} {digits}"
                );
            }
        }
        assert_eq!(fixed(12.345, 2), "12.35");
        assert_eq!(fixed(-0.04, 1), "0.0");
        assert_eq!(fixed(7.0, 0), "7");
        assert_eq!(scientific(0.00014), "1.4e-4");
        assert_eq!(scientific(-9.96e-7), "-1.0e-6");
        assert_eq!(scientific(5e-324), "4.9e-324");
    }

    #[test]
    fn durations_show_two_units() {
        assert_eq!(duration(850), "850 ms");
        assert_eq!(duration(108_000), "1 min 48 s");
        assert_eq!(duration(22_320_000), "6 h 12 min");
        assert_eq!(duration(273_600_000), "3 d 4 h");
        assert_eq!(
            [1, 60_000, 60_001, 3_600_000, 22_300_000].map(about),
            ["1 min", "1 min", "2 min", "1 h 0 min", "6 h 12 min"]
        );
    }

    #[test]
    fn sizes_and_numbers_stay_short() {
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1_900_000), "1.9 MB");
        assert_eq!(bytes(999_999), "1.0 MB");
        assert_eq!(bytes(8_600_000_000), "8.6 GB");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(210), "210");
        assert_eq!(large(1_800_000), "1.8 million");
        assert_eq!(large(7_000_000_000), "7 billion");
        assert_eq!(measure(0.7312), "0.731");
        assert_eq!(measure(0.00014), "1.4e-4");
        assert_eq!(learning_rate(0.0002), "2e-4");
        assert_eq!(decimal(2e-4), "0.0002");
        assert_eq!(decimal(1e-15), "1e-15");
        assert_eq!(percent(0.8137), "81.4 %");
        assert_eq!(epochs(3.0), "3");
    }
}
