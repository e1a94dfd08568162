//! Within which bounds what comes from elsewhere is kept, and how a record says that there was more of it.

use super::{Now, at, checkpoint, event, file, job, open, origin, step, taken};
use crate::{
    Error,
    clock::Clock,
    import::{ImportJob, Lacks},
    testing::*,
};
use shared::{
    dataset::DatasetStatus, event::EventQuery, id::JobId, metrics::MetricsQuery, timestamp::Timestamp,
};

#[tokio::test]
async fn nothing_of_what_comes_is_believed() {
    let engine = TestEngine::start_with(|config| config.max_file_bytes = 100_000).await;
    let folder = open(&engine).await;
    let mut there = job(&folder, &format!("ftjob-{}\u{1b}", "x".repeat(300)));
    there.job.name = "\u{7}".repeat(10_000);
    there.job.base_model = "../../etc\0passwd".to_owned();
    there.job.created_at = Timestamp::from_unix_ms(i64::MAX / 2);
    there.job.finished_at = Some(at(-1_000_000));
    there.job.learning_rate = Some(f64::NAN);
    there.job.trained_tokens = Some(u64::MAX);
    there.metadata = (0..100).map(|n| (format!("k{n}"), "v".repeat(n * 10))).collect();
    there.record = vec![
        step(u64::MAX, 1.0),
        step(1, f64::NAN),
        step(3, f64::INFINITY),
        step(2, 1.0),
        step(2, 0.5),
        event(i64::from(u32::MAX), &"long ".repeat(10_000)),
    ];
    there.checkpoints = vec![
        checkpoint(u64::MAX, 1.0),
        checkpoint(3, f64::NAN),
        checkpoint(3, 0.5),
    ];
    there.training = file(&folder, "../../file", Some("not a line\n"));
    let taken = folder.take(&origin(&alice()), there).await.unwrap();
    let (service, owner, now) = (&engine.service, alice(), Now.now());
    let job = service.find_job(&owner, &taken.id).await.unwrap();
    assert!(
        job.name.chars().count() <= 200 && !job.name.contains(char::is_control),
        "{}",
        job.name
    );
    assert_eq!(job.base_model, "../../etc passwd");
    assert_eq!((job.created_at, job.finished_at), (now, Some(now)));
    assert_eq!(job.learning_rate, None);
    let curves = service
        .job_metrics(&owner, &taken.id, &MetricsQuery::default())
        .await
        .unwrap();
    let loss = &curves.curves[0];
    assert_eq!(
        (loss.steps.as_slice(), loss.values.as_slice()),
        ([2].as_slice(), [Some(0.5)].as_slice())
    );
    let events = service
        .list_events(&owner, &taken.id, &EventQuery::default())
        .await
        .unwrap()
        .events;
    assert_eq!(
        (events.len(), events[0].message.len(), events[0].created_at),
        (1, 4_000, now)
    );
    assert_eq!(
        service
            .list_checkpoints(&owner, &taken.id)
            .await
            .unwrap()
            .checkpoints
            .len(),
        1
    );
    let dataset = service.list_datasets(&owner).await.unwrap().datasets.remove(0);
    assert_eq!(
        (dataset.status, dataset.name.as_str()),
        (DatasetStatus::Error, "../../file.jsonl")
    );
    let mut large = folder.begin_file().unwrap();
    let piece = [0; 30_000];
    let outcome: Vec<_> = (0..4).map(|_| large.write(&piece)).collect();
    assert!(matches!(outcome[3], Err(Error::TooLarge { .. })));
    drop(large);
    let id = JobId::new("ftjob-other");
    assert!(matches!(
        service.find_job(&owner, &id).await,
        Err(Error::NotFound(_))
    ));
    folder.close().await;
}

#[tokio::test]
async fn a_record_that_is_cut_says_so_in_its_log_and_in_its_curves() {
    let engine = TestEngine::start().await;
    let (folder, whole) = taken(&engine).await;
    let (service, owner) = (&engine.service, alice());
    let take = async |id: &str, events, steps| {
        let cut = ImportJob {
            lacks: Lacks { events, steps },
            ..job(&folder, id)
        };
        folder.take(&origin(&owner), cut).await.unwrap().id
    };
    let told = async |id: &JobId| {
        let log = service
            .list_events(&owner, id, &EventQuery::default())
            .await
            .unwrap();
        let curves = service
            .job_metrics(&owner, id, &MetricsQuery::default())
            .await
            .unwrap();
        assert_eq!(service.lacks_steps(&owner, id).await.unwrap(), curves.incomplete);
        (log.incomplete, curves.incomplete)
    };
    assert_eq!(told(&whole.id).await, (false, false));
    assert_eq!(told(&take("ftjob-cut", true, true).await).await, (true, true));
    // Its curves are those of its result file.
    let id = take("ftjob-cut-log", true, false).await;
    assert_eq!(told(&id).await, (true, false));
    // Deleted here and taken again, whole by now.
    service.delete_job(&owner, &id).await.unwrap();
    assert_eq!(
        told(&take("ftjob-cut-log", false, false).await).await,
        (false, false)
    );
    folder.close().await;
}
