//! The words and signs of numbers, sizes and times.

use crate::text::format::Unit;

words! {
    /// Between the whole and its fraction.
    decimal_sign = ".";
    /// Between groups of three digits.
    thousands_sign = ",";
    /// A measured value that is none.
    not_a_number = "not a number";
    /// After a small size.
    bytes_unit = "bytes";
    /// 1e6.
    million = "million";
    /// 1e9.
    billion = "billion";
    /// A few seconds ago.
    just_now = "just now";
    /// A day ago.
    yesterday = "yesterday";
}

/// `5 min ago`.
#[must_use]
pub fn units_ago(number: i64, unit: Unit) -> String {
    german!(units_ago(number, unit));
    let unit = match unit {
        Unit::Second => "s",
        Unit::Minute => "min",
        Unit::Hour => "h",
        Unit::Day => "days",
        Unit::Week => "weeks",
        Unit::Month => "months",
        Unit::Year => "years",
    };
    format!("{number} {unit} ago")
}

/// `3 d 4 h`.
#[must_use]
pub fn days_and_hours(days: i64, hours: i64) -> String {
    german!(days_and_hours(days, hours));
    format!("{days} d {hours} h")
}
