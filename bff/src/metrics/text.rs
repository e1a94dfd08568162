//! Prometheus's text format, line by line.

use crate::upstream::{Figure, FigureValue};
use shared::histogram::Histogram;
use std::fmt::Write as _;

/// What stands before a figure's lines.
pub(super) fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a String can't fail.
    let _infallible = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// One value. `labels` are as they stand between the braces.
pub(super) fn line(text: &mut String, name: &str, labels: &str, value: f64) {
    let _infallible = if labels.is_empty() {
        writeln!(text, "{name} {value}")
    } else {
        writeln!(text, "{name}{{{labels}}} {value}")
    };
}

/// The lines of a histogram.
pub(super) fn histogram(text: &mut String, name: &str, labels: &str, values: &Histogram) {
    let (bucket, comma) = (format!("{name}_bucket"), if labels.is_empty() { "" } else { "," });
    for (bound, value) in values.buckets() {
        line(
            text,
            &bucket,
            &format!("{labels}{comma}le=\"{bound}\""),
            count(value),
        );
    }
    line(
        text,
        &bucket,
        &format!("{labels}{comma}le=\"+Inf\""),
        count(values.count()),
    );
    line(text, &format!("{name}_sum"), labels, values.sum());
    line(text, &format!("{name}_count"), labels, count(values.count()));
}

/// A figure of the upstream's, whatever it is.
pub(super) fn figure(text: &mut String, figure: &Figure) {
    head(text, figure.name, figure.value.kind(), figure.help);
    match &figure.value {
        FigureValue::Gauge(value) | FigureValue::Counter(value) => {
            line(text, figure.name, "", count(*value));
        }
        FigureValue::CounterBy(label, counts) => {
            for (word, value) in counts {
                line(text, figure.name, &format!("{label}=\"{word}\""), count(*value));
            }
        }
        FigureValue::Histogram(values) => histogram(text, figure.name, "", values),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(super) const fn count(value: u64) -> f64 {
    value as f64
}
