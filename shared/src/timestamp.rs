//! An instant in UTC: RFC 3339 on `/api`, milliseconds since 1970 inside.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

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

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down, as /v1 tells times.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Reads RFC 3339 text with any offset.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let parsed = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(parsed.unix_timestamp_nanos().div_euclid(1_000_000))
            .ok()
            .map(Self)
    }

    /// RFC 3339 text in UTC; an instant outside the years 0 to 9999 is told as the Unix epoch.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .ok()
            .and_then(|instant| instant.format(&Rfc3339).ok())
            .unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_rfc3339())
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
        fn any_text_is_a_time_or_none(text in any::<String>()) {
            prop_assert!(Timestamp::parse_rfc3339(&text).is_none_or(|time| !time.to_rfc3339().is_empty()));
        }
    }
}
