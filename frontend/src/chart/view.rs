//! How charts are looked at, kept in the address, so that a link shows what its sender saw.

use super::lines::Axis;
use crate::{
    api, browser,
    kept::{Kept, use_kept},
    part::use_change,
    route::Address,
};
use gloo_timers::callback::Timeout;
use yew::prelude::*;

/// The smoothing that a chart begins with.
const SMOOTHING: f64 = 0.9;
/// More than this would show a line that has nothing to do with its points.
pub const MOST_SMOOTHING: f64 = 0.99;

/// How charts are looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// What the horizontal axis counts.
    pub axis: Axis,
    /// The vertical axis is logarithmic.
    pub log: bool,
    /// What the smoothed line keeps over a step, from 0 (none).
    pub smoothing: f64,
    /// The shown part of the horizontal axis; all of it unless told.
    pub range: Option<(f64, f64)>,
    /// Names of lines that are switched off.
    pub hidden: Vec<String>,
    /// Which of several measures is shown.
    pub measure: String,
}

impl Default for View {
    fn default() -> Self {
        Self {
            axis: Axis::default(),
            log: false,
            smoothing: SMOOTHING,
            range: None,
            hidden: Vec::new(),
            measure: String::new(),
        }
    }
}

impl View {
    /// Reads an address; what it says wrongly is as if it wasn't there.
    #[must_use]
    pub fn of_address(address: &Address) -> Self {
        let told = |name: &str| Some(address.parameter(name)).filter(|value| !value.is_empty());
        let number = |name: &str| {
            told(name)
                .and_then(|value| shared::number::parse(&value))
                .filter(|value| value.is_finite())
        };
        let axis = told("x").and_then(|word| Axis::ALL.into_iter().find(|axis| axis.as_str() == word));
        let range = number("from").zip(number("to")).filter(|(from, to)| from < to);
        Self {
            axis: axis.unwrap_or_default(),
            log: told("log").is_some_and(|word| word == "1"),
            smoothing: number("smoothing").map_or(SMOOTHING, |weight| weight.clamp(0.0, MOST_SMOOTHING)),
            range,
            hidden: told("hide")
                .map(|names| names.split(',').map(ToOwned::to_owned).collect())
                .unwrap_or_default(),
            measure: told("show").unwrap_or_default(),
        }
    }

    /// What the address has to say, empty where a chart begins so anyway.
    #[must_use]
    pub fn parameters(&self) -> [(&'static str, String); 7] {
        let number = |told: bool, value: f64| {
            if told {
                shared::number::text(value)
            } else {
                String::new()
            }
        };
        // A link needn't say more than the eye can tell apart.
        let (from, to) = self.range.unwrap_or_default();
        let fine = 10_f64.powi((to - from).max(1e-9).log10().floor() as i32 - 4);
        let (from, to) = ((from / fine).round() * fine, (to / fine).round() * fine);
        let cut = |value: f64| (value * 1e9).round() / 1e9;
        let (from, to) = (cut(from), cut(to));
        [
            (
                "x",
                if self.axis == Axis::Step {
                    ""
                } else {
                    self.axis.as_str()
                }
                .to_owned(),
            ),
            ("log", if self.log { "1" } else { "" }.to_owned()),
            (
                "smoothing",
                number((self.smoothing - SMOOTHING).abs() > 1e-9, self.smoothing),
            ),
            ("from", number(self.range.is_some(), from)),
            ("to", number(self.range.is_some(), to)),
            ("hide", self.hidden.join(",")),
            ("show", self.measure.clone()),
        ]
    }

    /// The view with a line switched on or off.
    #[must_use]
    pub fn with_toggled(&self, name: &str) -> Self {
        let mut view = self.clone();
        match view.hidden.iter().position(|hidden| hidden == name) {
            Some(index) => drop(view.hidden.remove(index)),
            None => view.hidden.push(name.to_owned()),
        }
        view
    }
}

/// The view that the address tells, and told to it again a moment after every change, with what else the address has to say. No trace
/// stays in the history.
#[hook]
pub fn use_view(others: Vec<(&'static str, String)>) -> Kept<View> {
    let view = use_kept(|| View::of_address(&browser::address()));
    use_change(((*view).clone(), others), |(view, others)| {
        let all: Vec<_> = others
            .iter()
            .cloned()
            .chain(view.parameters())
            .map(|(name, value)| (name, Some(value).filter(|value| !value.is_empty())))
            .collect();
        // Dropped with the page, so that no other page's address is touched.
        let keep = Timeout::new(250, move || {
            let here = browser::address();
            let query = api::query_string(&all);
            if query.strip_prefix('?').unwrap_or(&query) != here.query {
                browser::replace_address(&format!("{}{query}", here.path));
            }
        });
        Some(Box::new(keep))
    });
    view
}

/// Shows another part of the axis when it is asked for; what is nearly all is all.
pub fn on_range(view: &Kept<View>, whole: (f64, f64)) -> Callback<Option<(f64, f64)>> {
    let (set, chosen) = (view.setter(), (**view).clone());
    Callback::from(move |range: Option<(f64, f64)>| {
        let range = range.filter(|range| range.1 - range.0 < (whole.1 - whole.0) * 0.999);
        set.set(View {
            range,
            ..chosen.clone()
        });
    })
}

/// The part of an axis that is left when it is narrowed (factor below 1) or widened around a place, within the whole.
#[must_use]
pub fn zoomed(range: (f64, f64), whole: (f64, f64), around: f64, factor: f64) -> Option<(f64, f64)> {
    let least = (whole.1 - whole.0) * 1e-7;
    let from = (around - (around - range.0) * factor).max(whole.0);
    let to = (around + (range.1 - around) * factor).min(whole.1);
    if to - from < least {
        return Some(range);
    }
    (from > whole.0 || to < whole.1).then_some((from, to))
}

/// The same part of an axis farther along, within the whole.
#[must_use]
pub fn moved(range: (f64, f64), whole: (f64, f64), by: f64) -> (f64, f64) {
    let by = by.min(whole.1 - range.1).max(whole.0 - range.0);
    (range.0 + by, range.1 + by)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_only_what_differs_and_is_read_back() {
        assert!(
            View::default()
                .parameters()
                .iter()
                .all(|(_, value)| value.is_empty())
        );
        let view = View {
            axis: Axis::Epoch,
            log: true,
            smoothing: 0.5,
            range: Some((1.5, 2.25)),
            hidden: vec!["valid_loss".into()],
            measure: "loss".into(),
        };
        let query: Vec<_> = view
            .parameters()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let address = Address {
            path: "/jobs/a".into(),
            query: query.join("&"),
        };
        assert_eq!(View::of_address(&address), view);
    }

    #[test]
    fn nonsense_in_an_address_is_as_if_it_was_not_there() {
        let address = Address {
            path: "/jobs/a".into(),
            query: "x=moon&from=9&to=3&smoothing=NaN&log=yes".into(),
        };
        assert_eq!(View::of_address(&address), View::default());
    }

    #[test]
    fn zooming_stays_inside_and_all_of_it_is_no_range() {
        assert_eq!(zoomed((0.0, 100.0), (0.0, 100.0), 50.0, 0.5), Some((25.0, 75.0)));
        assert_eq!(zoomed((25.0, 75.0), (0.0, 100.0), 50.0, 2.0), None);
        assert_eq!(zoomed((25.0, 75.0), (0.0, 100.0), 25.0, 0.5), Some((25.0, 50.0)));
        assert_eq!(
            zoomed((5.0, 5.000_001), (0.0, 100.0), 5.0, 0.5),
            Some((5.0, 5.000_001))
        );
    }

    #[test]
    fn moving_stops_at_the_ends() {
        assert_eq!(moved((20.0, 40.0), (0.0, 100.0), 90.0), (80.0, 100.0));
        assert_eq!(moved((20.0, 40.0), (0.0, 100.0), -90.0), (0.0, 20.0));
        assert_eq!(moved((20.0, 40.0), (0.0, 100.0), 5.0), (25.0, 45.0));
    }
}
