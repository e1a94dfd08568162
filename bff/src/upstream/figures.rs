//! What an upstream counts for the operator's `/metrics`.

use shared::{histogram::Histogram, job::JobSummary};

/// Figures for `/metrics`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures {
    /// Jobs of everybody by status.
    pub jobs: JobSummary,
    /// What this upstream counts besides.
    pub others: Vec<Figure>,
}

/// One figure for `/metrics`.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Its name there.
    pub name: &'static str,
    /// What it tells.
    pub help: &'static str,
    /// How much.
    pub value: FigureValue,
}

/// How much it is, and how that is told.
#[derive(Debug, Clone, PartialEq)]
pub enum FigureValue {
    /// What is the case now.
    Gauge(u64),
    /// What has been counted since the start.
    Counter(u64),
    /// The same by the words of a label.
    CounterBy(&'static str, Vec<(&'static str, u64)>),
    /// Values by size.
    Histogram(Histogram),
}

impl FigureValue {
    /// Prometheus's word for it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Gauge(_) => "gauge",
            Self::Counter(_) | Self::CounterBy(..) => "counter",
            Self::Histogram(_) => "histogram",
        }
    }
}

impl Figure {
    /// What is the case now.
    #[must_use]
    pub const fn gauge(name: &'static str, help: &'static str, value: u64) -> Self {
        let value = FigureValue::Gauge(value);
        Self { name, help, value }
    }

    /// What has been counted since the start.
    #[must_use]
    pub const fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        let value = FigureValue::Counter(value);
        Self { name, help, value }
    }
}
