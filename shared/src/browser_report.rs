//! What a browser tells of how the page works for its user: times and counts of errors, under a fixed set of names.
//!
//! Deliberately nothing else: no address, no text, no identifier.

use serde::{Deserialize, Serialize};

/// Times in one report, at most.
pub const MOST_TIMES: usize = 64;
/// Longest time that is counted, in milliseconds; a longer one counts as this.
pub const LONGEST_MS: f64 = 60_000.0;
/// Errors of one kind that one report counts, at most.
pub const MOST_ERRORS: u32 = 100;

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BrowserMeasure {
    /// From the start of the navigation until the app is drawn.
    AppDrawn,
    /// From there until the first content is painted, as the browser tells it.
    FirstContentfulPaint,
    /// From there until the largest content is painted, as the browser tells it.
    LargestContentfulPaint,
    /// From a new address within the app until its page is drawn; its data may still be on the way.
    RouteChange,
    /// A chart, drawn for the first time.
    ChartDraw,
    /// A chart, drawn again for another range.
    ChartRedraw,
}

impl BrowserMeasure {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::AppDrawn,
        Self::FirstContentfulPaint,
        Self::LargestContentfulPaint,
        Self::RouteChange,
        Self::ChartDraw,
        Self::ChartRedraw,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AppDrawn => "app_drawn",
            Self::FirstContentfulPaint => "first_contentful_paint",
            Self::LargestContentfulPaint => "largest_contentful_paint",
            Self::RouteChange => "route_change",
            Self::ChartDraw => "chart_draw",
            Self::ChartRedraw => "chart_redraw",
        }
    }
}

/// What nobody caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BrowserErrorKind {
    /// The app itself broke.
    Panic,
    /// A script threw.
    Script,
    /// A promise was rejected.
    Rejection,
}

impl BrowserErrorKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Panic, Self::Script, Self::Rejection];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::Script => "script",
            Self::Rejection => "rejection",
        }
    }
}

/// One measured time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BrowserTime {
    /// Of what.
    pub measure: BrowserMeasure,
    /// How long, in milliseconds, not negative.
    pub duration_ms: f64,
}

/// How often something went uncaught since the last report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BrowserErrors {
    /// Of what kind.
    pub kind: BrowserErrorKind,
    /// How often.
    #[cfg_attr(feature = "openapi", schema(value_type = u64, maximum = 4_294_967_295_u32))]
    pub count: u32,
}

/// The body of `POST /api/browser-reports`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct BrowserReport {
    /// Times, at most 64.
    pub times: Vec<BrowserTime>,
    /// Errors, each kind at most once.
    pub errors: Vec<BrowserErrors>,
}

impl BrowserReport {
    /// Whether it says nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.times.is_empty() && self.errors.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_words_on_the_wire() {
        for measure in BrowserMeasure::ALL {
            assert_eq!(serde_json::to_value(measure).ok(), Some(measure.as_str().into()));
        }
        for kind in BrowserErrorKind::ALL {
            assert_eq!(serde_json::to_value(kind).ok(), Some(kind.as_str().into()));
        }
    }
}
