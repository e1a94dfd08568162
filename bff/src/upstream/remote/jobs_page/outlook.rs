//! How things go at large, read off all of the jobs there are.

use shared::{
    job::{Job, JobQuery, Outlook},
    status::JobStatus,
    timestamp::Timestamp,
};

/// What was asked for of it. When a queued job starts nobody tells here, and models aren't asked for.
pub(super) fn outlook(jobs: &[Job], query: &JobQuery) -> Option<Outlook> {
    let asked = query.week_from.or(query.month_from).is_some();
    asked.then(|| Outlook {
        next_starts_in_ms: None,
        completed_in_week: query
            .week_from
            .and_then(|from| ended_since(jobs, JobStatus::Succeeded, from)),
        failed_in_week: query
            .week_from
            .and_then(|from| ended_since(jobs, JobStatus::Failed, from)),
        trained_tokens_in_month: query.month_from.and_then(|from| trained_since(jobs, from)),
        models: None,
    })
}

/// How many jobs came to that end since an instant; nothing where of one it isn't told when.
fn ended_since(jobs: &[Job], status: JobStatus, from: Timestamp) -> Option<u64> {
    let ended = jobs.iter().filter(|job| job.status == status);
    let counted = ended.map(|job| job.finished_at.map(|at| u64::from(at >= from)));
    counted.sum()
}

/// What was trained by jobs that ended since an instant, and by those that haven't ended. Nothing where a job that
/// succeeded doesn't tell it; of others an upstream may count no tokens.
fn trained_since(jobs: &[Job], from: Timestamp) -> Option<u64> {
    let mut sum = 0_u64;
    for job in jobs {
        let counts = !job.status.is_terminal() || job.finished_at? >= from;
        if counts {
            let told = job.trained_tokens;
            let tokens = if job.status == JobStatus::Succeeded {
                told?
            } else {
                told.unwrap_or(0)
            };
            sum = sum.saturating_add(tokens);
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::remote::read::bare_job;
    use shared::id::JobId;

    fn job(status: JobStatus) -> Job {
        let created = Timestamp::from_unix_ms(1);
        bare_job(
            JobId::new("1"),
            "alpha".to_owned(),
            "llama".to_owned(),
            status,
            created,
        )
    }

    #[test]
    fn it_counts_from_the_callers_week_and_month() {
        let at = |unix_ms| Some(Timestamp::from_unix_ms(unix_ms));
        let ended = |status, finished, tokens| Job {
            finished_at: at(finished),
            trained_tokens: tokens,
            ..job(status)
        };
        let mut all = vec![
            ended(JobStatus::Succeeded, 90, Some(10)),
            ended(JobStatus::Succeeded, 50, Some(200)),
            ended(JobStatus::Succeeded, 10, Some(3_000)),
            ended(JobStatus::Failed, 60, None),
            Job {
                trained_tokens: Some(40_000),
                ..job(JobStatus::Running)
            },
        ];
        let query = JobQuery {
            week_from: at(60),
            month_from: at(50),
            ..JobQuery::default()
        };
        let told = outlook(&all, &query);
        let expected = Outlook {
            next_starts_in_ms: None,
            completed_in_week: Some(1),
            failed_in_week: Some(1),
            trained_tokens_in_month: Some(40_210),
            models: None,
        };
        assert_eq!(told, Some(expected));
        assert_eq!(outlook(&all, &JobQuery::default()), None, "nobody asked");

        all[0].trained_tokens = None;
        let untold = outlook(&all, &query).expect("asked for");
        assert_eq!(untold.trained_tokens_in_month, None);
        all[0].finished_at = None;
        let untold = outlook(&all, &query).expect("asked for");
        assert_eq!((untold.completed_in_week, untold.failed_in_week), (None, Some(1)));
    }
}
