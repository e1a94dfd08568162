//! Jobs that are taken over from elsewhere: what they become, and what can't be done with them.

mod bounds;
mod files;

use crate::{
    Error,
    clock::Clock,
    import::{
        ImportEntry, ImportFile, ImportFolder, ImportJob, ImportOrigin, Lacks, NewFileOfImport, TakenJob,
    },
    testing::*,
};
use futures_util::TryStreamExt as _;
use shared::{
    attempt::RetryJob,
    dataset::DatasetStatus,
    event::{Checkpoint, EventQuery, JobEvent, Level, MeasuredStep},
    id::{CheckpointId, EventId, Subject},
    job::{Job, NewJob},
    metrics::{MetricsQuery, Series},
    status::JobStatus,
    timestamp::Timestamp,
};
use std::collections::BTreeMap;

/// Long before the tests' clock.
const THEN: i64 = 1_700_000_000_000;

struct Now;

impl Clock for Now {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(1_800_000_000_000)
    }
}

fn origin(owner: &Subject) -> ImportOrigin {
    ImportOrigin {
        owner: owner.clone(),
        source: "https://api.example.com:8443/v1".to_owned(),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_ms(THEN + second * 1_000)
}

fn event(second: i64, message: &str) -> ImportEntry {
    ImportEntry::Event(JobEvent {
        id: EventId::new("theirs"),
        created_at: at(second),
        level: Level::Info,
        message: message.to_owned(),
    })
}

fn step(number: u64, train_loss: f64) -> ImportEntry {
    let step = MeasuredStep {
        step: number,
        total_steps: 4,
        train_loss: Some(train_loss),
        valid_loss: (number == 2).then_some(1.25),
        ..MeasuredStep::default()
    };
    ImportEntry::Step(at(20), step)
}

fn checkpoint(step: u64, train_loss: f64) -> Checkpoint {
    Checkpoint {
        id: CheckpointId::new("theirs"),
        step,
        created_at: at(30),
        bytes: None,
        train_loss: Some(train_loss),
        valid_loss: None,
    }
}

/// A file with this text, or one that is gone.
fn file(folder: &ImportFolder, name: &str, text: Option<&str>) -> ImportFile {
    let content = text.map(|text| {
        let mut file = folder.begin_file().unwrap();
        file.write(text.as_bytes()).unwrap();
        file.finish().unwrap();
        file
    });
    ImportFile::New(NewFileOfImport {
        upstream_id: name.to_owned(),
        filename: format!("{name}.jsonl"),
        created_at: at(0),
        content,
    })
}

fn there(id: &str) -> Job {
    serde_json::from_value(serde_json::json!({
        "id": id, "name": "sentiment", "base_model": "gpt-4o-mini", "status": "succeeded",
        "created_at": at(1).to_rfc3339(), "finished_at": at(40).to_rfc3339(), "epochs": 2, "trained_tokens": 900,
        "fine_tuned_model": "ft:gpt-4o-mini:org:sentiment:1",
        "hyperparameters": {"method": "supervised", "batch_size": 3, "learning_rate_multiplier": 1.8, "seed": 5}
    }))
    .unwrap()
}

fn job(folder: &ImportFolder, id: &str) -> ImportJob {
    ImportJob {
        job: there(id),
        suffix: Some("sentiment".to_owned()),
        metadata: BTreeMap::from([("team".to_owned(), "a".to_owned())]),
        record: vec![
            event(2, "Created fine-tuning job"),
            event(10, "Fine-tuning job started"),
            step(1, 3.0),
            step(2, 2.0),
            event(40, "The job has successfully completed"),
        ],
        lacks: Lacks::default(),
        checkpoints: vec![checkpoint(4, 1.5), checkpoint(2, 2.5)],
        training: file(folder, "file-train", Some(&lines(12))),
        validation: None,
        results: Some(file(folder, "file-result", Some("step,train_loss\n1,3.0\n"))),
    }
}

async fn open(engine: &TestEngine) -> ImportFolder {
    ImportFolder::open(engine.service.config(), Now).await.unwrap()
}

async fn taken(engine: &TestEngine) -> (ImportFolder, TakenJob) {
    let folder = open(engine).await;
    let taken = folder
        .take(&origin(&alice()), job(&folder, "ftjob-there"))
        .await
        .unwrap();
    (folder, taken)
}

#[tokio::test]
async fn a_job_comes_with_its_record_its_files_and_where_it_was_trained() {
    let engine = TestEngine::start().await;
    let (folder, taken) = taken(&engine).await;
    let (service, owner) = (&engine.service, alice());
    let job = service.find_job(&owner, &taken.id).await.unwrap();
    assert_eq!(
        (job.name.as_str(), job.status),
        ("sentiment", JobStatus::Succeeded)
    );
    assert_eq!(
        (job.created_at, job.started_at, job.finished_at),
        (at(1), Some(at(10)), Some(at(40)))
    );
    assert_eq!(
        (job.epochs, job.learning_rate, job.trained_tokens),
        (Some(2), None, Some(900))
    );
    let chosen = job.hyperparameters.unwrap();
    assert_eq!(
        (chosen.batch_size, chosen.learning_rate_multiplier),
        (Some(3), Some(1.8))
    );
    let from = job.imported.unwrap();
    assert_eq!(
        (
            from.host.as_str(),
            from.id.as_str(),
            from.fine_tuned_model.as_deref()
        ),
        (
            "api.example.com:8443",
            "ftjob-there",
            Some("ft:gpt-4o-mini:org:sentiment:1")
        )
    );
    assert_eq!(
        (job.fine_tuned_model, job.artifact),
        (None, None),
        "it isn't here"
    );
    let progress = job.progress.unwrap();
    assert_eq!((progress.step, progress.total_steps), (2, 4));
    assert_eq!(
        (progress.train_loss, progress.valid_loss),
        (Some(2.0), Some(1.25))
    );

    let events = service
        .list_events(&owner, &taken.id, &EventQuery::default())
        .await
        .unwrap();
    let told: Vec<_> = events.events.iter().map(|event| event.message.as_str()).collect();
    assert_eq!(
        told,
        [
            "The job has successfully completed",
            "Fine-tuning job started",
            "Created fine-tuning job"
        ]
    );
    let curves = service
        .job_metrics(&owner, &taken.id, &MetricsQuery::default())
        .await
        .unwrap();
    let measured: Vec<_> = curves
        .curves
        .iter()
        .map(|curve| (curve.series, curve.total_points))
        .collect();
    assert_eq!(
        measured,
        [(Series::TrainLoss, 2), (Series::ValidLoss, 1)],
        "and nothing that wasn't measured"
    );
    let csv = service.metrics_csv(&owner, &taken.id).await.unwrap();
    let csv: Vec<_> = csv.try_collect().await.unwrap();
    let csv = String::from_utf8(csv.concat()).unwrap();
    let first = csv.lines().nth(1).unwrap_or_default();
    assert!(
        first.starts_with("1,") && first.contains("Z,0.5,3,,,,,,"),
        "{csv}"
    );

    let list = service.list_checkpoints(&owner, &taken.id).await.unwrap();
    let kept: Vec<_> = list
        .checkpoints
        .iter()
        .map(|one| (one.step, one.train_loss, one.bytes))
        .collect();
    assert_eq!(kept, [(4, Some(1.5), None), (2, Some(2.0), None)]);
    assert_eq!(list.keep_last, None);

    let datasets = service.list_datasets(&owner).await.unwrap().datasets;
    assert_eq!(datasets.len(), 1, "a result is no dataset");
    assert_eq!(
        (datasets[0].status, datasets[0].examples),
        (DatasetStatus::Ready, Some(12))
    );
    assert_eq!(
        (datasets[0].name.as_str(), datasets[0].used_by),
        ("file-train.jsonl", 1)
    );
    assert_eq!(job.training_dataset.unwrap().id, datasets[0].id);

    assert!(matches!(
        service.find_job(&mallory(), &taken.id).await,
        Err(Error::NotFound(_))
    ));
    let told = service
        .list_notifications(&owner, &Default::default())
        .await
        .unwrap();
    assert!(told.notifications.is_empty(), "its end is no news");
    folder.close().await;
}

#[tokio::test]
async fn what_needs_its_weights_is_neither_offered_nor_done() {
    let engine = TestEngine::start().await;
    let folder = open(&engine).await;
    let mut there = job(&folder, "ftjob-there");
    // A base model of that name is here, too.
    there.job.base_model = "tiny".to_owned();
    let taken = folder.take(&origin(&alice()), there).await.unwrap();
    let (service, owner) = (&engine.service, alice());
    let models = service.chat_models(&owner).await.unwrap().models;
    assert!(models.iter().all(|model| model.job_id.is_none()), "{models:?}");
    let short = &taken.id.as_str()[6..18];
    for name in [
        format!("ft:tiny:attune:sentiment:{short}"),
        format!("ft:tiny:attune:sentiment:{short}:ckpt-step-4"),
        "ft:gpt-4o-mini:org:sentiment:1".to_owned(),
    ] {
        assert!(
            service.find_tuned_model(&owner, &name).await.unwrap().is_none(),
            "{name}"
        );
    }
    for from_step in [None, Some(4)] {
        let retry = RetryJob {
            from_step,
            ..RetryJob::default()
        };
        let refused = service
            .retry_job(&owner, &taken.id, retry, None)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), "job_not_retryable");
    }
    // What it was trained on can be trained on here.
    let dataset = service.list_datasets(&owner).await.unwrap().datasets.remove(0);
    let again = NewJob {
        name: "again".to_owned(),
        ..new_job("again", &dataset.id)
    };
    service.create_job(&owner, again, None).await.unwrap();
    let _trainer = engine.trainer().await;
    service.delete_job(&owner, &taken.id).await.unwrap();
    folder.close().await;
}
