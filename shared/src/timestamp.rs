//! An instant in UTC: RFC 3339 on `/api`, milliseconds since 1970 inside.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The longest text: `2026-11-21T23:27:45.123Z`.
const LONGEST: usize = 24;
const EPOCH: &str = "1970-01-01T00:00:00Z";
/// From the first of March of the year 0 to 1970-01-01.
const DAYS_BEFORE_1970: i64 = 719_468;
const DAY_MS: i64 = 24 * 3_600_000;

/// An instant with millisecond resolution. Serialises as RFC 3339, for example `2026-11-21T23:27:45.12Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_unix_ms(unix_ms: i64) -> Self {
        Self(unix_ms)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// So many milliseconds later, or earlier where they are fewer than none.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down, as /v1 tells times.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Reads RFC 3339 text with any offset.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        read(text).map(Self)
    }

    /// RFC 3339 text in UTC; an instant outside the years 0 to 9999 is told as the Unix epoch.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        write(self.0, &mut [0; LONGEST]).to_owned()
    }
}

/// Writes RFC 3339 by itself, for the same reason as [`read`], and because a list has an instant or two a row.
fn write(unix_ms: i64, text: &mut [u8; LONGEST]) -> &str {
    let (days, ms) = (unix_ms.div_euclid(DAY_MS), unix_ms.rem_euclid(DAY_MS));
    // Cycles of 400 years that begin with March, so that the leap day comes last in its year, in its century, in all.
    let days = days + DAYS_BEFORE_1970;
    let (cycle, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (year * 365 + year / 4 - year / 100);
    let month = (day * 5 + 2) / 153;
    let day = day - (month * 153 + 2) / 5 + 1;
    let (year, month) = if month < 10 {
        (cycle * 400 + year, month + 3)
    } else {
        (cycle * 400 + year + 1, month - 9)
    };
    if !(0..=9999).contains(&year) {
        return EPOCH;
    }
    let mut end = 0;
    let mut put = |mut number: i64, digits: usize, then: u8| {
        for digit in text[end..end + digits].iter_mut().rev() {
            *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
        }
        text[end + digits] = then;
        end += digits + 1;
    };
    put(year, 4, b'-');
    put(month, 2, b'-');
    put(day, 2, b'T');
    put(ms / 3_600_000, 2, b':');
    put(ms / 60_000 % 60, 2, b':');
    match ms % 1000 {
        0 => put(ms / 1000 % 60, 2, b'Z'),
        fraction => {
            put(ms / 1000 % 60, 2, b'.');
            // Without the zeros at its end.
            match (fraction % 100, fraction % 10) {
                (0, _) => put(fraction / 100, 1, b'Z'),
                (_, 0) => put(fraction / 10, 2, b'Z'),
                _ => put(fraction, 3, b'Z'),
            }
        }
    }
    std::str::from_utf8(&text[..end]).unwrap_or(EPOCH)
}

/// Reads RFC 3339 by itself: the general reader of `time` would be code for the browser to fetch (docs/adr/0005).
fn read(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let (clock, rest) = rest.strip_prefix(['T', 't', ' '])?.split_at_checked(8)?;
    let [year, month, day] = three(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = three(clock, ':', [2, 2, 2])?;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(is_leap),
        _ => return None,
    };
    if !(1..=length).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => {
            let length = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (digits, zone) = rest.split_at_checked(length).filter(|_| length > 0)?;
            let shown = (digits.bytes().chain(*b"00").take(3))
                .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
            (shown, zone)
        }
        None => (0, rest),
    };
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let (sign, size) = zone.split_at_checked(1)?;
            let (hours, minutes) = size.split_once(':')?;
            let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
            let factor = match sign {
                "+" => 1,
                "-" => -1,
                _ => return None,
            };
            (hours < 24 && minutes < 60).then_some(factor * (hours * 60 + minutes))?
        }
    };
    // Days since 1970, in years that begin with March, so that the leap day comes last.
    let (year, month) = if month < 3 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - DAYS_BEFORE_1970;
    Some((((days * 24 + hour) * 60 + minute - offset) * 60 + second) * 1000 + fraction)
}

/// Three whole numbers with so many digits each, and a sign between them.
fn three(text: &str, between: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let (first, rest) = text.split_at_checked(digits[0])?;
    let (second, rest) = rest.strip_prefix(between)?.split_at_checked(digits[1])?;
    let third = rest.strip_prefix(between)?;
    Some([
        number(first, digits[0])?,
        number(second, digits[1])?,
        number(third, digits[2])?,
    ])
}

fn number(text: &str, digits: usize) -> Option<i64> {
    if text.len() != digits {
        return None;
    }
    text.bytes().try_fold(0, |sum, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0'))
    })
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(write(self.0, &mut [0; LONGEST]))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse_rfc3339(&text).ok_or_else(|| D::Error::custom("a time must be RFC 3339"))
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(
                utoipa::openapi::KnownFormat::DateTime,
            )))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Timestamp {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::{OffsetDateTime, format_description::well_known::Rfc3339};

    #[test]
    fn times_are_told_in_utc_and_read_with_any_offset() {
        let time = Timestamp::from_unix_ms(1_795_303_665_120);
        assert_eq!(time.to_rfc3339(), "2026-11-21T23:27:45.12Z");
        assert_eq!(
            Timestamp::parse_rfc3339("2026-11-22T01:27:45.120+02:00"),
            Some(time)
        );
        assert_eq!(time.unix_seconds(), 1_795_303_665);
        assert_eq!(Timestamp::from_unix_ms(-1).unix_seconds(), -1);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "2026-13-01T00:00:00Z",
            "2026-11-21",
            "2026-11-21T23:27:45",
        ] {
            assert_eq!(Timestamp::parse_rfc3339(text), None, "{text}");
        }
        assert!(serde_json::from_str::<Timestamp>("0").is_err());
        assert_eq!(
            Timestamp::from_unix_ms(i64::MAX).to_rfc3339(),
            "1970-01-01T00:00:00Z"
        );
    }

    proptest! {
        #[test]
        fn a_time_survives_json(unix_ms in -62_000_000_000_000..253_000_000_000_000i64) {
            let time = Timestamp::from_unix_ms(unix_ms);
            let text = serde_json::to_string(&time).expect("text");
            prop_assert_eq!(serde_json::from_str::<Timestamp>(&text).ok(), Some(time));
        }

        #[test]
        fn a_time_is_written_as_with_the_time_crate(
            seconds in -70_000_000_000..260_000_000_000i64,
            fraction in prop_oneof![Just(0), (0..10i64).prop_map(|tenths| tenths * 100), (0..100i64).prop_map(|hundredths| hundredths * 10), 0..1000i64],
        ) {
            let time = Timestamp::from_unix_ms(seconds * 1000 + fraction);
            let theirs = OffsetDateTime::from_unix_timestamp_nanos(i128::from(time.unix_ms()) * 1_000_000).ok();
            let theirs = theirs.and_then(|time| time.format(&Rfc3339).ok());
            prop_assert_eq!(time.to_rfc3339(), theirs.unwrap_or_else(|| EPOCH.to_owned()));
        }

        #[test]
        fn a_time_reads_as_with_the_time_crate(
            text in "([0-9]{4}-(0[0-9]|1[0-3])-[0-3][0-9]|[0-9]{4}-02-29)[Tt ]([01][0-9]|2[0-4]):[0-6][0-9]:[0-5][0-9](\\.[0-9]{0,11})?([Zz]|[+\\-][0-2][0-9]:[0-6][0-9])?"
        ) {
            let theirs = OffsetDateTime::parse(&text, &Rfc3339).ok();
            let theirs = theirs.map(|time| time.unix_timestamp_nanos().div_euclid(1_000_000));
            prop_assert_eq!(Timestamp::parse_rfc3339(&text).map(|time| i128::from(time.unix_ms())), theirs, "{}", text);
        }

        #[test]
        fn any_text_is_a_time_or_none(text in any::<String>()) {
            prop_assert!(Timestamp::parse_rfc3339(&text).is_none_or(|time| !time.to_rfc3339().is_empty()));
        }
    }
}
