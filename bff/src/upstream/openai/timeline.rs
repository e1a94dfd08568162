//! A job's life, read off its log: such an API tells when a job was created and when it ended, and in between only its
//! events say when it moved on.

use super::record::{Record, Told};
use shared::{
    job::Job,
    status::JobStatus,
    timeline::{Phase, Timeline},
    timestamp::Timestamp,
};

/// The phases of a job; none where its log doesn't tell how it came to where it stands.
pub(super) fn timeline(job: &Job, record: &Record) -> Timeline {
    let nothing = Timeline { phases: Vec::new() };
    if record.incomplete {
        return nothing;
    }
    let mut phases = vec![Phase {
        status: JobStatus::ValidatingFiles,
        started_at: job.created_at,
    }];
    for entry in &record.entries {
        let status = match &entry.told {
            Told::Message(event) => reached(&event.message),
            Told::Step(_) => Some(JobStatus::Running),
        };
        if let Some(status) = status {
            move_on(&mut phases, status, entry.created_at);
        }
    }
    if let (true, Some(finished_at)) = (job.status.is_terminal(), job.finished_at) {
        move_on(&mut phases, job.status, finished_at);
    }
    if phases.last().is_some_and(|last| last.status == job.status) {
        Timeline { phases }
    } else {
        nothing
    }
}

fn move_on(phases: &mut Vec<Phase>, status: JobStatus, started_at: Timestamp) {
    let Some(last) = phases.last() else { return };
    if last.status != status {
        // Some tell whole seconds here and fractions there.
        let started_at = started_at.max(last.started_at);
        phases.push(Phase { status, started_at });
    }
}

/// Where a job stands once this was told, if that is what the message says: OpenAI's sentences, this server's own, and
/// `FakeAI`'s. They are known by how they begin, because further on a sentence may have a job's name in it.
fn reached(message: &str) -> Option<JobStatus> {
    const BEGINNINGS: [(&str, JobStatus); 9] = [
        ("files validated", JobStatus::Queued),
        ("the job was resumed", JobStatus::Queued),
        ("the server restarted: the job is queued again", JobStatus::Queued),
        (
            "the server that worked on the job was lost: it is queued again",
            JobStatus::Queued,
        ),
        ("fine-tuning job started", JobStatus::Running),
        ("training started", JobStatus::Running),
        ("resumed from", JobStatus::Running),
        ("paused", JobStatus::Paused),
        ("the job was paused", JobStatus::Paused),
    ];
    let message = message.to_lowercase();
    let mut known = BEGINNINGS.into_iter();
    known.find_map(|(beginning, status)| message.starts_with(beginning).then_some(status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::openai::record::Entry;
    use shared::{
        event::{JobEvent, Level},
        id::EventId,
    };
    use std::sync::Arc;

    fn record(messages: &[(i64, &str)]) -> Record {
        let entry = |(at, message): &(i64, &str)| {
            let created_at = Timestamp::from_unix_ms(*at);
            Arc::new(Entry {
                id: at.to_string(),
                created_at,
                told: Told::Message(JobEvent {
                    id: EventId::new(at.to_string()),
                    created_at,
                    level: Level::Info,
                    message: (*message).to_owned(),
                }),
            })
        };
        Record {
            entries: messages.iter().map(entry).collect(),
            incomplete: false,
        }
    }

    fn job(status: JobStatus, finished_at: Option<i64>) -> Job {
        let json = serde_json::json!({"id": "ftjob-1", "name": "n", "base_model": "m", "status": status,
            "created_at": Timestamp::from_unix_ms(1_000), "finished_at": finished_at.map(Timestamp::from_unix_ms)});
        serde_json::from_value(json).expect("a job")
    }

    fn told(job: &Job, record: &Record) -> Vec<(JobStatus, i64)> {
        let phases = timeline(job, record).phases.into_iter();
        phases
            .map(|phase| (phase.status, phase.started_at.unix_ms()))
            .collect()
    }

    #[test]
    fn a_job_moves_on_when_its_log_says_so() {
        use JobStatus::{Paused, Queued, Running, Succeeded, ValidatingFiles};
        let openai = record(&[
            (1_000, "Created fine-tuning job: ftjob-1"),
            (1_000, "Validating training file: file-1"),
            (3_000, "Files validated, moving job to queued state"),
            (5_000, "Fine-tuning job started"),
            (
                9_000,
                "New fine-tuned model created: ft:m:org:validated-and-started:1",
            ),
            (9_000, "The job has successfully completed"),
        ]);
        let expected = [
            (ValidatingFiles, 1_000),
            (Queued, 3_000),
            (Running, 5_000),
            (Succeeded, 9_500),
        ];
        assert_eq!(told(&job(Succeeded, Some(9_500)), &openai), expected);
        let fakeai = record(&[
            (1_000, "Fine-tuning job created"),
            (2_000, "Files validated successfully"),
            (2_000, "Training started"),
        ]);
        let expected = [(ValidatingFiles, 1_000), (Queued, 2_000), (Running, 2_000)];
        assert_eq!(told(&job(Running, None), &fakeai), expected);
        let paused = record(&[
            (2_000, "Files validated, moving job to queued state"),
            (3_000, "Fine-tuning job started"),
            (4_000, "Failed to pause: the disk is full. Training goes on"),
            (5_000, "The job was paused before a trainer took it"),
            (6_000, "The job was resumed"),
            (7_000, "Resumed from step 2 after a pause"),
            (8_000, "Paused: the checkpoint of step 4 is saved"),
        ]);
        let expected = [
            (ValidatingFiles, 1_000),
            (Queued, 2_000),
            (Running, 3_000),
            (Paused, 5_000),
            (Queued, 6_000),
            (Running, 7_000),
            (Paused, 8_000),
        ];
        assert_eq!(told(&job(Paused, None), &paused), expected);
    }

    #[test]
    fn a_log_that_does_not_tell_it_makes_no_timeline() {
        let silent = record(&[(2_000, "it goes on")]);
        assert_eq!(told(&job(JobStatus::Running, None), &silent), []);
        assert_eq!(told(&job(JobStatus::Succeeded, None), &silent), []);
        let mut cut = record(&[(2_000, "Fine-tuning job started")]);
        cut.incomplete = true;
        assert_eq!(told(&job(JobStatus::Running, None), &cut), []);
    }
}
