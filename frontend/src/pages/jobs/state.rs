//! What the address says about the list, and the requests that follow from it.

use crate::{
    api, browser,
    route::{Address, Route},
};
use shared::{
    job::{JobQuery, JobSummary},
    status::JobStatus,
    timestamp::Timestamp,
};

const DAY_MS: i64 = 24 * 3_600_000;

/// Spans of time up to now: the word in the address and how many days.
pub(super) const SPANS: [(&str, i64); 3] = [("24h", 1), ("7d", 7), ("30d", 30)];

/// The word for two dates that somebody chose.
pub(super) const BETWEEN: &str = "between";

/// Orders of the list, as they stand in the address; the first is taken where none is told.
pub(super) const SORTS: [&str; 6] = [
    "-created_at",
    "created_at",
    "name",
    "-name",
    "status",
    "base_model",
];

/// The statuses that are counted and filtered together; the first of each names them.
pub(crate) const GROUPS: [(JobStatus, Option<JobStatus>); 6] = [
    (JobStatus::Running, Some(JobStatus::Pausing)),
    (JobStatus::Queued, Some(JobStatus::ValidatingFiles)),
    (JobStatus::Paused, None),
    (JobStatus::Succeeded, None),
    (JobStatus::Failed, None),
    (JobStatus::Cancelled, None),
];

/// What the address says about the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ListState {
    pub(super) q: String,
    /// The names of the groups that are shown; none is all.
    pub(super) statuses: Vec<JobStatus>,
    pub(super) model: String,
    /// A word of [`SPANS`], or [`BETWEEN`].
    pub(super) created: String,
    /// Dates as `2026-11-21`.
    pub(super) from: String,
    pub(super) to: String,
    pub(super) sort: String,
}

impl ListState {
    pub(super) fn from_address(address: &Address) -> Self {
        let words = address.parameter("status");
        let named = |status: JobStatus| words.split(',').any(|word| word.trim() == status.as_str());
        let statuses = GROUPS
            .iter()
            .filter(|(name, other)| named(*name) || other.is_some_and(named))
            .map(|(name, _)| *name)
            .collect();
        Self {
            q: address.parameter("q"),
            statuses,
            model: address.parameter("model"),
            created: address.parameter("created"),
            from: address.parameter("from"),
            to: address.parameter("to"),
            sort: address.parameter("sort"),
        }
    }

    /// Where this list is.
    pub(crate) fn address(&self) -> String {
        let words: Vec<_> = self.statuses.iter().map(|status| status.as_str()).collect();
        let dated = |date: &str| given(date).filter(|_| self.created == BETWEEN);
        let parameters = [
            ("q", given(&self.q)),
            // Words without anything to encode, and commas stay readable.
            ("model", given(&self.model)),
            ("created", given(&self.created)),
            ("from", dated(&self.from)),
            ("to", dated(&self.to)),
            ("sort", given(&self.sort)),
        ];
        let mut query = api::query_string(&parameters);
        if !words.is_empty() {
            query.push(if query.is_empty() { '?' } else { '&' });
            query.push_str("status=");
            query.push_str(&words.join(","));
        }
        format!("{}{query}", Route::Jobs.path())
    }

    /// Shows this list, and says so in the address.
    pub(super) fn show(&self) {
        browser::replace_address(&self.address());
    }

    /// The list with one group of statuses more or less.
    pub(crate) fn toggled(&self, status: JobStatus) -> Self {
        let statuses = GROUPS
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| self.statuses.contains(name) != (*name == status))
            .collect();
        Self {
            statuses,
            ..self.clone()
        }
    }

    /// Every job in the same order.
    pub(super) fn cleared(&self) -> Self {
        Self {
            sort: self.sort.clone(),
            ..Self::default()
        }
    }

    pub(super) fn is_narrowed(&self) -> bool {
        *self != self.cleared()
    }

    /// The request, as of an instant; nothing about which page.
    pub(super) fn query(&self, now: i64) -> JobQuery {
        let words = GROUPS
            .iter()
            .filter(|(name, _)| self.statuses.contains(name))
            .flat_map(|(name, other)| std::iter::once(*name).chain(*other))
            .map(JobStatus::as_str);
        let words: Vec<_> = words.collect();
        let (from, to) = self.span(now);
        JobQuery {
            q: given(&self.q),
            status: given(&words.join(",")),
            model: given(&self.model),
            sort: given(&self.sort),
            created_from: from.map(Timestamp::from_unix_ms),
            created_to: to.map(Timestamp::from_unix_ms),
            ..JobQuery::default()
        }
    }

    fn span(&self, now: i64) -> (Option<i64>, Option<i64>) {
        if self.created == BETWEEN {
            let end = browser::day_start(&self.to).map(|start| start + DAY_MS - 1);
            return (browser::day_start(&self.from), end);
        }
        let span = SPANS.iter().find(|(word, _)| *word == self.created);
        (span.map(|(_, days)| now - days * DAY_MS), None)
    }

    /// How many jobs the filters let through: a summary ignores the status filter.
    pub(super) fn matching(&self, summary: &JobSummary) -> u64 {
        if self.statuses.is_empty() {
            return summary.total;
        }
        self.statuses.iter().map(|status| summary.of(*status)).sum()
    }
}

fn given(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(query: &str) -> ListState {
        ListState::from_address(&Address {
            path: String::new(),
            query: query.to_owned(),
        })
    }

    #[test]
    fn the_address_narrows_the_request_and_blanks_do_not() {
        let narrowed = state("q=+triage+&sort=-name&status=failed,nonsense,pausing");
        let query = narrowed.query(0);
        assert_eq!(
            (query.q.as_deref(), query.status.as_deref(), query.sort.as_deref()),
            (Some("triage"), Some("running,pausing,failed"), Some("-name"))
        );
        assert!(narrowed.is_narrowed() && !state("sort=name").is_narrowed());
        assert_eq!(state("q=++&status=").query(0), JobQuery::default());
    }

    #[test]
    fn a_list_is_found_again_at_its_address() {
        for query in [
            "",
            "q=a%26b&status=running,failed",
            "created=7d&model=org%2Fname",
            "created=between&from=2026-11-01&to=2026-11-02&sort=name",
        ] {
            let list = state(query);
            let address = list.address();
            let again = state(address.split_once('?').map_or("", |(_, query)| query));
            assert_eq!(again, list, "{address}");
        }
        assert_eq!(ListState::default().address(), "/jobs");
    }

    #[test]
    fn a_span_ends_with_the_day_that_it_names() {
        let query = state("created=between&from=2026-11-01&to=2026-11-01").query(0);
        let (from, to) = (
            query.created_from.expect("a start"),
            query.created_to.expect("an end"),
        );
        assert_eq!(to.unix_ms() - from.unix_ms(), DAY_MS - 1);
        let week = state("created=7d").query(10 * DAY_MS);
        assert_eq!(week.created_from, Some(Timestamp::from_unix_ms(3 * DAY_MS)));
        assert_eq!(week.created_to, None);
        assert_eq!(state("from=2026-11-01").query(0).created_from, None);
    }

    #[test]
    fn the_count_follows_the_status_filter() {
        let summary = JobSummary {
            running: 2,
            failed: 5,
            total: 90,
            ..JobSummary::default()
        };
        assert_eq!(state("status=failed").matching(&summary), 5);
        assert_eq!(state("status=failed,running").matching(&summary), 7);
        assert_eq!(state("").matching(&summary), 90);
    }

    #[test]
    fn a_status_is_toggled_alone() {
        let both = state("q=x&status=failed").toggled(JobStatus::Running);
        assert_eq!(both.statuses, [JobStatus::Running, JobStatus::Failed]);
        assert_eq!(
            both.toggled(JobStatus::Failed).address(),
            "/jobs?q=x&status=running"
        );
        assert_eq!(both.cleared().address(), "/jobs");
    }
}
