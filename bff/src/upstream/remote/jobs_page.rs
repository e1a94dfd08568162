//! Search, filters, sort and pages over a short list of jobs, for upstreams that offer none.

mod outlook;

use crate::upstream::{Answer, UpstreamError};
use outlook::outlook;
use serde::Serialize;
use shared::{
    job::{Job, JobList, JobQuery, JobSummary, Outlook},
    status::JobStatus,
    timestamp::Timestamp,
};
use std::cmp::Ordering;

const LIMIT: usize = 50;
const LARGEST_LIMIT: u32 = 200;

/// One page of jobs that lie elsewhere; as JSON it is a [`JobList`].
#[derive(Debug, Serialize)]
pub(in crate::upstream) struct Page<'a> {
    jobs: Vec<&'a Job>,
    summary: JobSummary,
    next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outlook: Option<Outlook>,
}

impl Page<'_> {
    /// The page by itself.
    pub(in crate::upstream) fn to_list(&self) -> JobList {
        JobList {
            jobs: self.jobs.iter().map(|job| (*job).clone()).collect(),
            summary: self.summary,
            next_cursor: self.next_cursor.clone(),
            newest: self.newest,
            incomplete: false,
            outlook: self.outlook,
        }
    }
}

/// Answers a query from all of the jobs there are.
///
/// # Errors
/// A status, sort or cursor that means nothing, a limit out of range.
pub(in crate::upstream) fn page<'a>(jobs: &'a [Job], query: &JobQuery) -> Answer<Page<'a>> {
    let limit = match query.limit {
        None => LIMIT,
        Some(limit @ 1..=LARGEST_LIMIT) => limit as usize,
        Some(_) => return Err(bad(format!("`limit` must be 1 to {LARGEST_LIMIT}"))),
    };
    let statuses = statuses(query.status.as_deref())?;
    let order = Order::parse(query.sort.as_deref())?;
    let needle = query.q.as_deref().unwrap_or("").trim().to_lowercase();
    let model = query.model.as_deref().filter(|model| !model.is_empty());

    let outlook = outlook(jobs, query);
    let mut summary = JobSummary::default();
    let mut newest = None;
    let mut jobs: Vec<&Job> = jobs.iter().collect();
    jobs.retain(|job| {
        let in_time = query.created_from.is_none_or(|from| job.created_at >= from)
            && query.created_to.is_none_or(|to| job.created_at <= to);
        if !(in_time && model.is_none_or(|model| job.base_model == model) && contains(job, &needle)) {
            return false;
        }
        summary.add(job.status, 1);
        newest = newest.max(Some(job.created_at));
        statuses.is_empty() || statuses.contains(&job.status)
    });
    jobs.sort_by(|left, right| order.compare(left, right));

    let start = match query.cursor.as_deref().filter(|cursor| !cursor.is_empty()) {
        None => 0,
        // The id of the last job shown. Where it has been deleted since, the list begins anew.
        Some(cursor) => jobs
            .iter()
            .position(|job| job.id.as_str() == cursor)
            .map_or(0, |last| last + 1),
    };
    let start = start.saturating_add(query.offset.unwrap_or(0) as usize);
    jobs.drain(..start.min(jobs.len()));
    let is_last = jobs.len() <= limit;
    jobs.truncate(limit);
    let next_cursor = jobs.last().filter(|_| !is_last).map(|job| job.id.to_string());
    Ok(Page {
        jobs,
        summary,
        next_cursor,
        newest,
        outlook,
    })
}

fn bad(detail: String) -> UpstreamError {
    UpstreamError::Refused {
        status: 400,
        code: "invalid_query",
        detail,
        retry_after: None,
    }
}

fn contains(job: &Job, needle: &str) -> bool {
    needle.is_empty()
        || [&job.name, job.id.as_str(), &job.base_model]
            .iter()
            .any(|text| text.to_lowercase().contains(needle))
}

fn statuses(text: Option<&str>) -> Answer<Vec<JobStatus>> {
    text.unwrap_or("")
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(|word| JobStatus::parse(word).ok_or_else(|| bad(format!("`status` does not know `{word}`"))))
        .collect()
}

#[derive(Clone, Copy)]
enum Column {
    CreatedAt,
    Name,
    Status,
    BaseModel,
}

#[derive(Clone, Copy)]
struct Order {
    column: Column,
    descending: bool,
}

impl Order {
    fn parse(text: Option<&str>) -> Answer<Self> {
        let text = text.filter(|text| !text.is_empty()).unwrap_or("-created_at");
        let (descending, word) = text.strip_prefix('-').map_or((false, text), |word| (true, word));
        let column = match word {
            "created_at" => Column::CreatedAt,
            "name" => Column::Name,
            "status" => Column::Status,
            "base_model" => Column::BaseModel,
            _ => {
                return Err(bad(
                    "`sort` must be `created_at`, `name`, `status` or `base_model`".to_owned(),
                ));
            }
        };
        Ok(Self { column, descending })
    }

    /// As the engine orders its rows: words as they are written, but for names, and equal ones by identifier, so that
    /// pages don't overlap.
    fn compare(self, left: &Job, right: &Job) -> Ordering {
        let ordering = match self.column {
            Column::CreatedAt => left.created_at.cmp(&right.created_at),
            Column::Name => left.name.to_lowercase().cmp(&right.name.to_lowercase()),
            Column::Status => left.status.as_str().cmp(right.status.as_str()),
            Column::BaseModel => left.base_model.cmp(&right.base_model),
        }
        .then_with(|| left.id.cmp(&right.id));
        if self.descending {
            ordering.reverse()
        } else {
            ordering
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::id::JobId;

    fn job(id: &str, name: &str, model: &str, status: JobStatus, created: i64) -> Job {
        crate::upstream::remote::read::bare_job(
            JobId::new(id),
            name.to_owned(),
            model.to_owned(),
            status,
            Timestamp::from_unix_ms(created),
        )
    }

    fn jobs() -> Vec<Job> {
        vec![
            job("1", "alpha", "llama", JobStatus::Running, 1),
            job("2", "Beta", "qwen", JobStatus::Succeeded, 2),
            job("3", "gamma", "llama", JobStatus::Failed, 3),
            job("4", "delta", "qwen", JobStatus::Succeeded, 4),
        ]
    }

    /// The page, which says as JSON what it says as a list.
    fn list_of(jobs: &[Job], query: &JobQuery) -> JobList {
        let page = page(jobs, query).expect("the query is good");
        let list = page.to_list();
        assert_eq!(
            serde_json::to_string(&page).expect("text"),
            serde_json::to_string(&list).expect("text")
        );
        list
    }

    fn ids(list: &JobList) -> Vec<&str> {
        list.jobs.iter().map(|job| job.id.as_str()).collect()
    }

    fn ask(query: &JobQuery) -> JobList {
        list_of(&jobs(), query)
    }

    #[test]
    fn newest_come_first_unless_told() {
        assert_eq!(ids(&ask(&JobQuery::default())), ["4", "3", "2", "1"]);
        let by_name = ask(&JobQuery {
            sort: Some("name".to_owned()),
            ..JobQuery::default()
        });
        assert_eq!(ids(&by_name), ["1", "2", "4", "3"]);
    }

    /// The engine's test `every_sort_has_one_order_that_other_upstreams_keep_too` expects the same.
    #[test]
    fn every_sort_has_the_engines_order() {
        let all = [
            job("1", "One", "a", JobStatus::Succeeded, 5),
            job("2", "two", "B", JobStatus::Failed, 5),
            job("3", "one", "a", JobStatus::Queued, 5),
            job("4", "Two", "C", JobStatus::ValidatingFiles, 5),
            job("5", "three", "B", JobStatus::Cancelled, 5),
        ];
        for (sort, expected) in [
            ("created_at", "12345"),
            ("name", "13524"),
            ("status", "52314"),
            ("base_model", "25413"),
        ] {
            for (sort, expected) in [
                (sort.to_owned(), expected.to_owned()),
                (format!("-{sort}"), expected.chars().rev().collect()),
            ] {
                let query = JobQuery {
                    sort: Some(sort.clone()),
                    ..JobQuery::default()
                };
                let list = list_of(&all, &query);
                assert_eq!(ids(&list).concat(), expected, "{sort}");
            }
        }
    }

    #[test]
    fn the_summary_ignores_the_status_filter_and_heeds_the_others() {
        let list = ask(&JobQuery {
            status: Some("failed".to_owned()),
            model: Some("llama".to_owned()),
            ..JobQuery::default()
        });
        assert_eq!(ids(&list), ["3"]);
        assert_eq!(
            (list.summary.total, list.summary.running, list.summary.failed),
            (2, 1, 1)
        );
    }

    #[test]
    fn the_outlook_heeds_no_filter() {
        let at = |unix_ms| Some(Timestamp::from_unix_ms(unix_ms));
        let mut all = jobs();
        for job in &mut all {
            job.finished_at = at(9);
        }
        let list = list_of(
            &all,
            &JobQuery {
                model: Some("none of them".to_owned()),
                week_from: at(5),
                ..JobQuery::default()
            },
        );
        let told = list.outlook.expect("asked for");
        assert_eq!((list.jobs.len(), told.completed_in_week), (0, Some(2)));
    }

    #[test]
    fn search_finds_name_id_and_model_without_case() {
        assert_eq!(
            ids(&ask(&JobQuery {
                q: Some("BETA".to_owned()),
                ..JobQuery::default()
            })),
            ["2"]
        );
        assert_eq!(
            ids(&ask(&JobQuery {
                q: Some("qwen".to_owned()),
                ..JobQuery::default()
            })),
            ["4", "2"]
        );
    }

    #[test]
    fn pages_join_without_gap_or_overlap() {
        let first = ask(&JobQuery {
            limit: Some(3),
            ..JobQuery::default()
        });
        assert_eq!(ids(&first), ["4", "3", "2"]);
        let second = ask(&JobQuery {
            limit: Some(3),
            cursor: first.next_cursor,
            ..JobQuery::default()
        });
        assert_eq!(ids(&second), ["1"]);
        assert_eq!(second.next_cursor, None);
    }

    #[test]
    fn a_list_can_be_entered_in_its_middle() {
        let middle = ask(&JobQuery {
            limit: Some(2),
            offset: Some(1),
            ..JobQuery::default()
        });
        assert_eq!(ids(&middle), ["3", "2"]);
        let past_its_end = ask(&JobQuery {
            offset: Some(u32::MAX),
            ..JobQuery::default()
        });
        assert_eq!((past_its_end.jobs.len(), past_its_end.summary.total), (0, 4));
    }

    #[test]
    fn a_span_of_time_keeps_both_its_ends_and_tells_the_newest_within() {
        let at = |unix_ms| Some(Timestamp::from_unix_ms(unix_ms));
        let list = ask(&JobQuery {
            created_from: at(2),
            created_to: at(3),
            ..JobQuery::default()
        });
        assert_eq!(ids(&list), ["3", "2"]);
        assert_eq!((list.summary.total, list.newest), (2, at(3)));
        let later = ask(&JobQuery {
            created_from: at(5),
            ..JobQuery::default()
        });
        assert_eq!((later.summary.total, later.newest), (0, None));
    }

    #[test]
    fn nonsense_is_refused() {
        for query in [
            JobQuery {
                limit: Some(0),
                ..JobQuery::default()
            },
            JobQuery {
                limit: Some(201),
                ..JobQuery::default()
            },
            JobQuery {
                status: Some("done".to_owned()),
                ..JobQuery::default()
            },
            JobQuery {
                sort: Some("id".to_owned()),
                ..JobQuery::default()
            },
        ] {
            assert!(matches!(
                page(&jobs(), &query),
                Err(UpstreamError::Refused { status: 400, .. })
            ));
        }
    }
}
