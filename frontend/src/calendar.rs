//! The user's own calendar: when this week and this month began where they live.

#[cfg(not(target_arch = "wasm32"))]
use shared::timestamp::Timestamp;

const DAY_MS: i64 = 86_400_000;

/// Where an instant lies in the user's calendar; all in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    /// Midnight before this week's Monday.
    pub week_start: i64,
    /// Midnight before the first of this month.
    pub month_start: i64,
    /// Midnight before the first of the next.
    pub month_end: i64,
    /// The month, 0 to 11.
    pub month: usize,
}

impl Calendar {
    /// The calendar of an instant.
    #[must_use]
    pub fn of(now_ms: i64) -> Self {
        #[cfg(target_arch = "wasm32")]
        {
            let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(now_ms as f64));
            let (year, month) = (date.get_full_year(), date.get_month() as i32);
            // A day before the first is one of the month before, and a thirteenth month one of the next year.
            let start = |month: i32, day: i32| {
                js_sys::Date::new_with_year_month_day(year, month, day).get_time() as i64
            };
            Self {
                week_start: start(month, date.get_date() as i32 - (date.get_day() as i32 + 6) % 7),
                month_start: start(month, 1),
                month_end: start(month + 1, 1),
                month: month as usize,
            }
        }
        // Without a browser it is Greenwich's.
        #[cfg(not(target_arch = "wasm32"))]
        {
            let text = Timestamp::from_unix_ms(now_ms).to_rfc3339();
            let number = |range: std::ops::Range<usize>| -> Option<i64> { text.get(range)?.parse().ok() };
            let (year, month) = (number(0..4).unwrap_or(1970), number(5..7).unwrap_or(1));
            let first = |year: i64, month: i64| {
                Timestamp::parse_rfc3339(&format!("{year:04}-{month:02}-01T00:00:00Z"))
                    .map_or(now_ms, Timestamp::unix_ms)
            };
            let day = now_ms.div_euclid(DAY_MS);
            Self {
                // The first of January 1970 was a Thursday.
                week_start: (day - (day + 3).rem_euclid(7)) * DAY_MS,
                month_start: first(year, month),
                month_end: first(year + month / 12, month % 12 + 1),
                month: usize::try_from(month - 1).unwrap_or(0),
            }
        }
    }

    /// What something comes to by the end of the month if it goes on as it did so far; nothing on the month's first day,
    /// which tells too little.
    #[must_use]
    pub fn by_the_end(&self, so_far: u64, now_ms: i64) -> Option<u64> {
        let (whole, passed) = (self.month_end - self.month_start, now_ms - self.month_start);
        (passed >= DAY_MS && so_far > 0).then(|| (so_far as f64 * (whole as f64 / passed as f64)) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        Timestamp::parse_rfc3339(text).expect("an instant").unix_ms()
    }

    #[test]
    fn a_week_begins_on_monday_and_a_month_ends_where_the_next_begins() {
        let calendar = Calendar::of(at("2026-12-03T08:00:00Z"));
        assert_eq!(calendar.week_start, at("2026-11-30T00:00:00Z"));
        assert_eq!(calendar.month_start, at("2026-12-01T00:00:00Z"));
        assert_eq!(
            (calendar.month_end, calendar.month),
            (at("2027-01-01T00:00:00Z"), 11)
        );
        let sunday = Calendar::of(at("2026-03-01T23:59:59Z"));
        assert_eq!(sunday.week_start, at("2026-02-23T00:00:00Z"));
        assert_eq!(sunday.month, 2);
        let monday = at("2026-03-02T00:00:00Z");
        assert_eq!(Calendar::of(monday).week_start, monday);
    }

    #[test]
    fn a_pace_is_told_from_the_second_day_on() {
        let now = at("2026-11-11T00:00:00Z");
        let calendar = Calendar::of(now);
        assert_eq!(calendar.by_the_end(1_000, now), Some(3_000), "ten days of thirty");
        assert_eq!(calendar.by_the_end(0, now), None);
        assert_eq!(calendar.by_the_end(1_000, at("2026-11-01T23:00:00Z")), None);
    }
}
