//! The engine's counters under their names in `/metrics`.

use crate::upstream::{Figure, FigureValue};
use engine::{Counters, DecodingFigures};

/// Everything but the jobs.
pub(super) fn figures(counters: Counters) -> Vec<Figure> {
    let mut figures = vec![
        Figure::gauge(
            "attune_trainers_running",
            "Trainers at work.",
            counters.trainers_running,
        ),
        Figure::gauge(
            "attune_streams_open",
            "Jobs that somebody follows live.",
            counters.streams_open,
        ),
        Figure::gauge(
            "attune_webhook_deliveries_pending",
            "Messages to webhooks that wait for a try.",
            counters.deliveries_pending,
        ),
        Figure::counter(
            "attune_attempts_total",
            "Trainers started.",
            counters.attempts_total,
        ),
        Figure::counter(
            "attune_trainer_deaths_total",
            "Trainers that ended unexpectedly.",
            counters.trainer_deaths_total,
        ),
        Figure::counter(
            "attune_steps_total",
            "Optimizer steps recorded.",
            counters.steps_total,
        ),
        Figure::counter("attune_tokens_total", "Tokens trained on.", counters.tokens_total),
    ];
    figures.extend(decoding(counters.decoding));
    figures
}

/// Answers of models.
fn decoding(decoding: DecodingFigures) -> [Figure; 6] {
    let outcomes = vec![
        ("answered", decoding.answered),
        ("refused", decoding.refused),
        ("busy", decoding.busy),
        ("cancelled", decoding.cancelled),
        ("failed", decoding.failed),
    ];
    let histogram = |name, help, values| Figure {
        name,
        help,
        value: FigureValue::Histogram(values),
    };
    [
        Figure {
            name: "attune_decoding_requests_total",
            help: "Requests to models by what became of them.",
            value: FigureValue::CounterBy("outcome", outcomes),
        },
        histogram(
            "attune_decoding_queue_seconds",
            "From a request until its turn.",
            decoding.queue_seconds,
        ),
        histogram(
            "attune_decoding_first_token_seconds",
            "From a request until its first text.",
            decoding.first_token_seconds,
        ),
        histogram(
            "attune_decoding_tokens_per_second",
            "Speed of each answer from its first text on.",
            decoding.tokens_per_second,
        ),
        Figure::counter(
            "attune_decoding_starts_total",
            "Decoding processes started.",
            decoding.starts,
        ),
        Figure::counter(
            "attune_decoding_restarts_total",
            "Decoding processes started in place of one that died.",
            decoding.restarts,
        ),
    ]
}
