//! Every action in every state: done, or refused with its reason. The same table is in docs/RUNS.md.

use crate::{Error, executor::Exit, played::Played, testing::*};
use shared::{
    attempt::RetryJob,
    dataset::NewDataset,
    id::JobId,
    job::{Job, NewJob},
    queue::{JobChange, Priority, QueueMove},
    run::RunEvent,
    status::JobStatus::{self, *},
};

/// What becomes of a job: its next status, or the code of the refusal.
type Outcome = Result<JobStatus, &'static str>;

const fn refused(code: &'static str) -> Outcome {
    Err(code)
}

/// One row a status: pause, resume, stop, cancel, retry, delete, prioritise, move. A retry leaves the job as it is and so
/// do a delete and what changes its turn.
const TABLE: [(JobStatus, [Outcome; 8]); 8] = [
    (
        ValidatingFiles,
        [
            Ok(Paused),
            refused("job_not_resumable"),
            refused("job_not_stoppable"),
            Ok(Cancelled),
            refused("job_not_retryable"),
            refused("job_active"),
            Ok(ValidatingFiles),
            refused("job_not_waiting"),
        ],
    ),
    (
        Queued,
        [
            Ok(Paused),
            refused("job_not_resumable"),
            refused("job_not_stoppable"),
            Ok(Cancelled),
            refused("job_not_retryable"),
            refused("job_active"),
            Ok(Queued),
            Ok(Queued),
        ],
    ),
    (
        Running,
        [
            Ok(Pausing),
            refused("job_not_resumable"),
            Ok(Running),
            Ok(Cancelled),
            refused("job_not_retryable"),
            refused("job_active"),
            refused("job_not_waiting"),
            refused("job_not_waiting"),
        ],
    ),
    (
        Pausing,
        [
            refused("job_not_pausable"),
            refused("job_not_resumable"),
            refused("job_not_stoppable"),
            Ok(Cancelled),
            refused("job_not_retryable"),
            refused("job_active"),
            refused("job_not_waiting"),
            refused("job_not_waiting"),
        ],
    ),
    (
        Paused,
        [
            refused("job_not_pausable"),
            Ok(Queued),
            Ok(Queued),
            Ok(Cancelled),
            Ok(Paused),
            Ok(Paused),
            Ok(Paused),
            refused("job_not_waiting"),
        ],
    ),
    (Succeeded, ENDED[0]),
    (Failed, ENDED[1]),
    (Cancelled, ENDED[2]),
];

const ENDED: [[Outcome; 8]; 3] = [ended(Succeeded), ended(Failed), ended(Cancelled)];

const fn ended(status: JobStatus) -> [Outcome; 8] {
    [
        refused("job_not_pausable"),
        refused("job_not_resumable"),
        refused("job_not_stoppable"),
        refused("job_not_cancellable"),
        Ok(status),
        Ok(status),
        refused("job_not_waiting"),
        refused("job_not_waiting"),
    ]
}

const ACTIONS: [&str; 8] = [
    "pause",
    "resume",
    "stop",
    "cancel",
    "retry",
    "delete",
    "prioritise",
    "move",
];

const HIGH: JobChange = JobChange {
    priority: Some(Priority::High),
    queue_move: None,
};
const LAST: JobChange = JobChange {
    priority: None,
    queue_move: Some(QueueMove::Last),
};

/// A job in a status, with one step behind it where it runs or ran, and the trainers that must stay alive meanwhile.
pub(crate) async fn job_in(engine: &TestEngine, status: JobStatus) -> (JobId, Vec<Played>) {
    if status == ValidatingFiles {
        return (waiting_for_its_file(engine).await, Vec::new());
    }
    if status == Queued {
        let (_, blocker) = engine.running_job(&mallory(), "blocker").await;
        let id = engine.job(&alice(), "waiting").await.id;
        engine.wait_status(&alice(), &id, Queued).await;
        return (id, vec![blocker]);
    }
    let (id, trainer) = engine.job_at_step(&alice(), "job", 1).await;
    let mut alive = Vec::new();
    match status {
        Running => alive.push(trainer),
        Pausing => {
            engine.service.pause_job(&alice(), &id).await.unwrap();
            alive.push(trainer);
        }
        Paused => {
            engine.service.pause_job(&alice(), &id).await.unwrap();
            trainer.pause_when_asked(1).await;
        }
        Succeeded => trainer.finish(1).await,
        Failed => {
            let (code, message) = ("nan_loss".to_owned(), "the loss is no number".to_owned());
            let failed = RunEvent::Failed {
                step: 1,
                code,
                message,
                line: None,
            };
            trainer.say(failed).await;
            trainer.exit(Exit::Code(3));
        }
        _ => {
            engine.service.cancel_job(&alice(), &id).await.unwrap();
            trainer.exit_when_killed().await;
        }
    }
    engine.wait_status(&alice(), &id, status).await;
    (id, alive)
}

/// A job whose training file never comes.
async fn waiting_for_its_file(engine: &TestEngine) -> JobId {
    let file = NewDataset {
        name: "late".to_owned(),
        filename: "late.jsonl".to_owned(),
        bytes: 10,
    };
    let ready = engine.dataset(&alice(), &lines(12)).await;
    let late = engine.service.create_dataset(&alice(), file).await.unwrap();
    let form: NewJob = new_job("early", &ready.id);
    let model = engine.service.find_model("tiny").await.unwrap().unwrap();
    let create = crate::service::job_create::CreateJob {
        id: None,
        name: Some("early"),
        base_model: "tiny",
        training_file: late.dataset.id.as_str(),
        validation_file: None,
        parameters: crate::parameters::Parameters::resolve(&form, &model.model, 1),
        suffix: None,
        metadata: Default::default(),
        idempotency: None,
        request_hash: None,
        is_retry: false,
        parent: None,
        wandb: None,
    };
    let inserted = engine.service.insert_job(&alice(), create).await.unwrap();
    JobId::new(inserted.row.id)
}

async fn act(engine: &TestEngine, action: &str, id: &JobId) -> Result<Option<Job>, Error> {
    let (service, owner) = (&engine.service, alice());
    Ok(Some(match action {
        "pause" => service.pause_job(&owner, id).await?,
        "resume" => service.resume_job(&owner, id).await?,
        "stop" => service.stop_job(&owner, id).await?,
        "cancel" => service.cancel_job(&owner, id).await?,
        "retry" => {
            service
                .retry_job(&owner, id, RetryJob::default(), None)
                .await?
                .job
        }
        "prioritise" => service.change_job(&owner, id, HIGH).await?,
        "move" => service.change_job(&owner, id, LAST).await?,
        _ => {
            service.delete_job(&owner, id).await?;
            return Ok(None);
        }
    }))
}

#[tokio::test]
async fn every_action_in_every_state_is_done_or_refused_with_its_reason() {
    for (status, outcomes) in TABLE {
        for (action, expected) in ACTIONS.into_iter().zip(outcomes) {
            let engine = TestEngine::start().await;
            let (id, alive) = job_in(&engine, status).await;
            let outcome = act(&engine, action, &id).await;
            let about = format!("{action} a job that is {}", status.as_str());
            match (expected, outcome) {
                (Err(code), Err(error @ Error::Conflict { .. })) => {
                    assert_eq!(error.code(), code, "{about}");
                    let after = engine.service.find_job(&alice(), &id).await.unwrap().status;
                    assert_eq!(after, status, "{about}: it stays as it was");
                }
                (Ok(_), Ok(None)) => {
                    let gone = engine.service.find_job(&alice(), &id).await;
                    assert!(matches!(gone, Err(Error::NotFound(_))), "{about}");
                }
                (Ok(_), Ok(Some(retried))) if action == "retry" => {
                    assert_eq!(retried.parent.as_ref(), Some(&id), "{about}");
                    let after = engine.service.find_job(&alice(), &id).await.unwrap().status;
                    assert_eq!(after, status, "{about}");
                }
                (Ok(next), Ok(Some(job))) => {
                    assert_eq!(job.status, next, "{about}");
                    assert_eq!(job.stopped, action == "stop", "{about}");
                }
                (expected, outcome) => panic!("{about}: {outcome:?} instead of {expected:?}"),
            }
            drop(alive);
        }
    }
}

#[tokio::test]
async fn an_action_on_somebody_elses_job_finds_none() {
    let engine = TestEngine::start().await;
    let (id, _alive) = job_in(&engine, Running).await;
    let (service, other) = (&engine.service, mallory());
    let retry = RetryJob::default();
    for refused in [
        service.pause_job(&other, &id).await,
        service.resume_job(&other, &id).await,
        service.stop_job(&other, &id).await,
        service
            .retry_job(&other, &id, retry, None)
            .await
            .map(|created| created.job),
        service.change_job(&other, &id, HIGH).await,
        service.change_job(&other, &id, LAST).await,
    ] {
        assert!(matches!(refused, Err(Error::NotFound(_))));
    }
    assert!(matches!(
        service.list_attempts(&other, &id).await,
        Err(Error::NotFound(_))
    ));
}
