//! `cargo xtask bench queue`: jobs a second from enqueued to done, on a real store with every commit on the disk.
//!
//!     bench_queue [JOBS]
//!
//! The jobs are empty: their trainer is a double that ends at once with a result, so what is measured is validation,
//! claim, attempt, result and their transactions.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use bytes::Bytes;
use engine::{
    Config, Service, SystemClock,
    played::{Played, PlayedExecutor},
};
use futures_util::{StreamExt as _, stream};
use shared::{
    dataset::{DatasetStatus, NewDataset},
    event::{StreamMessage, StreamStart},
    id::{DatasetId, JobId, Subject},
    job::NewJob,
    status::JobStatus,
};
use std::{convert::Infallible, error::Error, fs, path::Path, sync::Arc, time::Instant};
use tokio::sync::mpsc::UnboundedReceiver;

const JOBS: usize = 1_000;
/// Trainers at once, in turn.
const RUNNING: [usize; 2] = [1, 8];
const LINES: usize = 12;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let jobs = std::env::args().nth(1).map_or(Ok(JOBS), |count| count.parse())?;
    println!(
        "{:<26} {:>12} {:>14} {:>18}",
        "empty jobs", "enqueued/s", "enqueue→done/s", "ms a job, one by one"
    );
    for running in RUNNING {
        let folder = tempfile::tempdir()?;
        let (service, owner, dataset) = start(folder.path(), running).await?;
        let one = one_by_one(&service, &owner, &dataset, jobs.div_ceil(10)).await?;

        let start = Instant::now();
        let mut last = None;
        for number in 0..jobs {
            last = Some(enqueue(&service, &owner, &dataset, number).await?);
        }
        let enqueued = start.elapsed().as_secs_f64();
        // The queue serves in order of arrival, but trainers end in any.
        if let Some(id) = last {
            ended(&service, &owner, &id).await?;
        }
        let before = jobs.div_ceil(10);
        while service.counters().await?.jobs.completed < (before + jobs) as u64 {
            tokio::task::yield_now().await;
        }
        let done = start.elapsed().as_secs_f64();
        println!(
            "{:<26} {:>12.0} {:>14.0} {:>18.2}",
            format!("{jobs}, {running} at once"),
            jobs as f64 / enqueued,
            jobs as f64 / done,
            one * 1_000.0
        );
        service.shutdown().await;
    }
    Ok(())
}

/// Seconds from enqueued to done of a job that has the queue to itself, on average.
async fn one_by_one(service: &Service, owner: &Subject, dataset: &DatasetId, count: usize) -> Outcome<f64> {
    let start = Instant::now();
    for number in 0..count {
        let id = enqueue(service, owner, dataset, number).await?;
        ended(service, owner, &id).await?;
    }
    Ok(start.elapsed().as_secs_f64() / count as f64)
}

async fn enqueue(service: &Service, owner: &Subject, dataset: &DatasetId, number: usize) -> Outcome<JobId> {
    let job = NewJob {
        name: format!("empty-{number}"),
        base_model: "tiny".to_owned(),
        epochs: 1,
        evaluation_epochs: 0,
        warmup_epochs: 0,
        learning_rate: 0.001,
        training_dataset: Some(dataset.clone()),
        validation_dataset: None,
        method: None,
        beta: None,
        batch_size: None,
        lora: None,
        schedule: None,
        gradient_checkpointing: None,
        seed: None,
    };
    Ok(service.create_job(owner, job, None).await?.job.id)
}

/// Follows a job to its end.
async fn ended(service: &Service, owner: &Subject, id: &JobId) -> Outcome<()> {
    let mut stream = service.stream(owner, id, StreamStart::Beginning).await?;
    while let Some(told) = stream.next().await {
        if let StreamMessage::End { .. } = told.message {
            break;
        }
    }
    let job = service.find_job(owner, id).await?;
    if job.status == JobStatus::Succeeded {
        return Ok(());
    }
    Err(format!("a job is {:?}: {:?}", job.status, job.failure).into())
}

/// An engine whose trainers have nothing to do, and a dataset for their jobs.
async fn start(folder: &Path, running: usize) -> Outcome<(Service, Subject, DatasetId)> {
    let model = folder.join("models/tiny");
    fs::create_dir_all(&model)?;
    fs::write(model.join("config.json"), r#"{"model_type": "llama"}"#)?;
    let mut config = Config::new(folder.join("data"));
    config.models_dir = Some(folder.join("models"));
    config.max_running = running;
    let (executor, trainers) = PlayedExecutor::new();
    let service = Service::start(config, Arc::new(SystemClock), Arc::new(executor)).await?;
    tokio::spawn(play(trainers));

    let owner = Subject::new("owner");
    let line = |number| {
        format!(
            "{{\"messages\":[{{\"role\":\"user\",\"content\":\"question {number}\"}},\
             {{\"role\":\"assistant\",\"content\":\"answer {number}\"}}]}}\n"
        )
    };
    let lines: String = (0..LINES).map(line).collect();
    let new = NewDataset {
        name: "lines".to_owned(),
        filename: "lines.jsonl".to_owned(),
        bytes: lines.len() as u64,
    };
    let created = service.create_dataset(&owner, new).await?;
    let token = created.upload.url.rsplit('/').next().unwrap_or_default();
    let body = stream::iter([Ok::<_, Infallible>(Bytes::from(lines))]);
    service.write_upload(token, 0, None, body).await?;
    let id = created.dataset.id;
    service.confirm_dataset(&owner, &id).await?;
    loop {
        match service.find_dataset(&owner, &id).await?.status {
            DatasetStatus::Ready => return Ok((service, owner, id)),
            DatasetStatus::Error => return Err("the dataset isn't good".into()),
            _ => tokio::task::yield_now().await,
        }
    }
}

/// Plays every trainer: it ends well, at once.
async fn play(mut trainers: UnboundedReceiver<Played>) {
    while let Some(trainer) = trainers.recv().await {
        tokio::spawn(trainer.finish(1));
    }
}
