//! The words and signs of numbers, sizes and times.

use crate::text::format::Unit;

german_words! {
    decimal_sign = ",";
    thousands_sign = ".";
    not_a_number = "keine Zahl";
    bytes_unit = "Byte";
    million = "Mio.";
    billion = "Mrd.";
    just_now = "gerade eben";
    yesterday = "gestern";
}

pub(crate) fn units_ago(number: i64, unit: Unit) -> String {
    let (one, other) = match unit {
        Unit::Second => ("s", "s"),
        Unit::Minute => ("min", "min"),
        Unit::Hour => ("h", "h"),
        Unit::Day => ("Tag", "Tagen"),
        Unit::Week => ("Woche", "Wochen"),
        Unit::Month => ("Monat", "Monaten"),
        Unit::Year => ("Jahr", "Jahren"),
    };
    format!("vor {number} {}", if number == 1 { one } else { other })
}

pub(crate) fn days_and_hours(days: i64, hours: i64) -> String {
    format!("{days} {} {hours} h", if days == 1 { "Tag" } else { "Tage" })
}
