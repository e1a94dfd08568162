//! Counters in Prometheus's text format: requests by route, durations, jobs by status, this process, and what browsers tell.

pub mod browser;
mod text;

use crate::upstream::Figures;
use axum::http::{Method, StatusCode};
use browser::BrowserFigures;
use shared::{histogram::Histogram, job::JobSummary};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use text::{count, head, histogram, line};

/// Upper bounds of the duration's buckets, in seconds.
const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];

/// Every method that we know.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

/// Everything that is counted.
pub struct Metrics {
    requests: Mutex<BTreeMap<String, ByAnswer>>,
    browser: Option<BrowserFigures>,
    started: Instant,
}

/// The requests of one route.
type ByAnswer = BTreeMap<(&'static str, u16), Histogram>;

impl Metrics {
    /// Nothing counted yet. `browser`: pages may tell how quick they are.
    #[must_use]
    pub fn new(browser: bool) -> Self {
        Self {
            requests: Mutex::default(),
            browser: browser.then(BrowserFigures::default),
            started: Instant::now(),
        }
    }

    /// What browsers tell, where the operator wants it.
    #[must_use]
    pub const fn browser(&self) -> Option<&BrowserFigures> {
        self.browser.as_ref()
    }

    /// Counts one request. `route` is a pattern, so that the number of series is bounded.
    pub fn record(&self, method: &Method, route: &str, status: StatusCode, duration: Duration) {
        // An unknown method is the caller's invention.
        let method = *METHODS
            .iter()
            .find(|known| **known == method.as_str())
            .unwrap_or(&"other");
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if !requests.contains_key(route) {
            requests.insert(route.to_owned(), ByAnswer::new());
        }
        let Some(by_answer) = requests.get_mut(route) else {
            return;
        };
        by_answer
            .entry((method, status.as_u16()))
            .or_insert_with(|| Histogram::new(BUCKETS))
            .record(duration.as_secs_f64());
    }

    /// The text that a scraper reads. `figures` are absent while the upstream can't be asked.
    #[must_use]
    pub fn render(&self, figures: Option<&Figures>) -> String {
        let mut text = String::new();
        self.render_requests(&mut text);
        if let Some(figures) = figures {
            render_jobs(&mut text, &figures.jobs);
            for figure in &figures.others {
                text::figure(&mut text, figure);
            }
        }
        if let Some(browser) = &self.browser {
            browser.render(&mut text);
        }
        head(
            &mut text,
            "attune_upstream_up",
            "gauge",
            "Whether the upstream answered just now.",
        );
        line(
            &mut text,
            "attune_upstream_up",
            "",
            if figures.is_some() { 1.0 } else { 0.0 },
        );
        head(
            &mut text,
            "attune_build_info",
            "gauge",
            "The version of this process.",
        );
        line(
            &mut text,
            "attune_build_info",
            concat!("version=\"", env!("CARGO_PKG_VERSION"), "\""),
            1.0,
        );
        head(
            &mut text,
            "attune_uptime_seconds",
            "gauge",
            "Seconds since the server started.",
        );
        line(
            &mut text,
            "attune_uptime_seconds",
            "",
            self.started.elapsed().as_secs_f64(),
        );
        if let Some(bytes) = resident_bytes() {
            head(
                &mut text,
                "process_resident_memory_bytes",
                "gauge",
                "Resident memory in bytes.",
            );
            line(&mut text, "process_resident_memory_bytes", "", bytes);
        }
        text
    }

    fn render_requests(&self, text: &mut String) {
        let name = "attune_http_request_duration_seconds";
        head(text, name, "histogram", "Requests by method, route and status.");
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let all = requests
            .iter()
            .flat_map(|(route, by_answer)| by_answer.iter().map(move |(labels, one)| (route, labels, one)));
        for (route, (method, status), durations) in all {
            let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
            histogram(text, name, &labels, durations);
        }
    }
}

fn render_jobs(text: &mut String, jobs: &JobSummary) {
    head(text, "attune_jobs", "gauge", "Jobs by status.");
    let counts = [
        ("running", jobs.running),
        ("queued", jobs.queued),
        ("paused", jobs.paused),
        ("completed", jobs.completed),
        ("failed", jobs.failed),
        ("cancelled", jobs.cancelled),
    ];
    for (status, jobs) in counts {
        line(text, "attune_jobs", &format!("status=\"{status}\""), count(jobs));
    }
}

/// Linux tells it; elsewhere it is left out.
fn resident_bytes() -> Option<f64> {
    let pages: f64 = std::fs::read_to_string("/proc/self/statm")
        .ok()?
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()?;
    #[expect(clippy::cast_precision_loss, reason = "a page's size is small")]
    let page_size = rustix::param::page_size() as f64;
    Some(pages * page_size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::Figure;

    #[test]
    fn requests_are_told_by_route_with_cumulative_buckets() {
        let metrics = Metrics::new(false);
        for milliseconds in [1, 3, 700] {
            metrics.record(
                &Method::GET,
                "/api/jobs/{id}",
                StatusCode::OK,
                Duration::from_millis(milliseconds),
            );
        }
        let figures = Figures {
            jobs: JobSummary {
                running: 2,
                ..JobSummary::default()
            },
            others: vec![Figure::counter("attune_steps_total", "Steps.", 7)],
        };
        let text = metrics.render(Some(&figures));
        let labels = "method=\"GET\",route=\"/api/jobs/{id}\",status=\"200\"";
        for expected in [
            format!("attune_http_request_duration_seconds_bucket{{{labels},le=\"0.001\"}} 1\n"),
            format!("attune_http_request_duration_seconds_bucket{{{labels},le=\"0.5\"}} 2\n"),
            format!("attune_http_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} 3\n"),
            format!("attune_http_request_duration_seconds_count{{{labels}}} 3\n"),
            "attune_jobs{status=\"running\"} 2\n".to_owned(),
            "attune_upstream_up 1\n".to_owned(),
            "# TYPE attune_steps_total counter\nattune_steps_total 7\n".to_owned(),
        ] {
            assert!(text.contains(&expected), "{expected} is missing in\n{text}");
        }
    }
}
