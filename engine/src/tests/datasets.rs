//! Datasets: uploads that are cut, files of every kind of badness.

use crate::{Error, testing::*};
use shared::{
    dataset::{DatasetStatus, NewDataset, PreviewQuery},
    id::DatasetId,
    status::JobStatus,
};
use std::{num::NonZeroU32, time::Duration};

fn new_dataset(bytes: usize) -> NewDataset {
    NewDataset {
        name: "cut".to_owned(),
        filename: "cut.jsonl".to_owned(),
        bytes: bytes as u64,
    }
}

#[tokio::test]
async fn an_upload_that_was_cut_goes_on_where_it_stopped() {
    let engine = TestEngine::start().await;
    let text = lines(5000);
    let created = engine
        .service
        .create_dataset(&alice(), new_dataset(text.len()))
        .await
        .unwrap();
    let token = created.upload.url.strip_prefix("/api/uploads/").unwrap();
    let half = text.len() / 2;
    let broken = futures_util::stream::iter([
        Ok(bytes::Bytes::copy_from_slice(&text.as_bytes()[..half])),
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
    ]);
    let cut = engine
        .service
        .write_upload(token, 0, Some(text.len() as u64), broken)
        .await;
    assert!(matches!(cut, Err(Error::Interrupted(_))));
    let early = engine
        .service
        .confirm_dataset(&alice(), &created.dataset.id)
        .await;
    assert!(matches!(
        early,
        Err(Error::Conflict {
            code: "upload_incomplete",
            ..
        })
    ));
    let progress = engine.service.upload_progress(token).await.unwrap();
    assert_eq!(progress.received, half as u64);
    let ahead = engine
        .service
        .write_upload(token, half as u64 + 1, None, body(b"x"))
        .await;
    assert!(matches!(ahead, Err(Error::Range { received, .. }) if received == half as u64));
    let rest = &text.as_bytes()[half..];
    let progress = engine
        .service
        .write_upload(token, half as u64, None, body(rest))
        .await
        .unwrap();
    assert_eq!(progress.received, text.len() as u64);
    let too_much = engine
        .service
        .write_upload(token, text.len() as u64, None, body(b"x"))
        .await;
    assert!(matches!(too_much, Err(Error::Range { .. })));
    engine
        .service
        .confirm_dataset(&alice(), &created.dataset.id)
        .await
        .unwrap();
    let dataset = engine.validated(&alice(), &created.dataset.id).await;
    assert_eq!(
        (dataset.status, dataset.examples),
        (DatasetStatus::Ready, Some(5000))
    );
    assert!(matches!(
        engine.service.upload_progress(token).await,
        Err(Error::LinkExpired)
    ));
    // Confirmed twice is confirmed.
    assert!(
        engine
            .service
            .confirm_dataset(&alice(), &created.dataset.id)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_range_that_does_not_fit_leaves_whoever_writes_alone() {
    let engine = TestEngine::start().await;
    let created = engine
        .service
        .create_dataset(&alice(), new_dataset(10))
        .await
        .unwrap();
    let token = created.upload.url.strip_prefix("/api/uploads/").unwrap();
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<bytes::Bytes, Error>>(1);
    let slow = futures_util::stream::unfold(receiver, async |mut receiver| {
        Some((receiver.recv().await?, receiver))
    });
    let writing = engine.service.write_upload(token, 0, Some(10), slow);
    let misfits = async {
        sender.send(Ok("12345".into())).await.unwrap();
        // Sent on only once the one before was taken, so the writer is at work.
        sender.send(Ok("6789".into())).await.unwrap();
        for (start, total) in [(11, Some(10)), (0, Some(99)), (10, None)] {
            let misfit = engine.service.write_upload(token, start, total, body(b"x")).await;
            assert!(matches!(misfit, Err(Error::Range { .. })), "{start} {total:?}");
        }
        sender.send(Ok("0".into())).await.unwrap();
        drop(sender);
    };
    let (written, ()) = tokio::join!(writing, misfits);
    assert_eq!(written.unwrap().received, 10);
}

#[tokio::test]
async fn an_upload_address_runs_out_and_is_cleared_away() {
    let engine = TestEngine::start().await;
    let created = engine
        .service
        .create_dataset(&alice(), new_dataset(10))
        .await
        .unwrap();
    let token = created.upload.url.strip_prefix("/api/uploads/").unwrap();
    engine
        .service
        .write_upload(token, 0, None, body(b"12345"))
        .await
        .unwrap();
    engine.clock.advance(Duration::from_secs(3601));
    assert!(matches!(
        engine.service.write_upload(token, 5, None, body(b"67890")).await,
        Err(Error::LinkExpired)
    ));
    engine.service.sweep().await.unwrap();
    assert!(matches!(
        engine.service.find_dataset(&alice(), &created.dataset.id).await,
        Err(Error::NotFound(_))
    ));
    assert!(!engine.service.staged(created.dataset.id.as_str()).exists());
}

#[tokio::test]
async fn bytes_that_no_row_names_are_cleared_away_once_nobody_writes_to_them() {
    let engine = TestEngine::start().await;
    let dataset = engine.dataset(&alice(), &lines(2)).await;
    let (id, trainer) = engine.job_at_step(&alice(), "result", 1).await;
    trainer.finish(1).await;
    engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    let result: String = sqlx::query_scalar("SELECT result_file FROM jobs")
        .fetch_one(engine.service.inner.store.read())
        .await
        .unwrap();
    let blobs = engine.folder.path().join("data/blobs");
    let kept = [dataset.id.as_str(), result.as_str(), "file-fresh"];
    // A deletion whose server died, and a copy that was never completed.
    let left = ["file-left", "file-half#1"];
    for name in left.iter().chain(&["file-fresh"]) {
        std::fs::write(blobs.join(name), "bytes").unwrap();
    }
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(3 * 60 * 60);
    for name in kept[..2].iter().chain(&left) {
        let blob = std::fs::File::options()
            .write(true)
            .open(blobs.join(name))
            .unwrap();
        blob.set_modified(long_ago).unwrap();
    }
    engine.service.sweep().await.unwrap();
    assert!(kept.iter().all(|name| blobs.join(name).exists()));
    assert!(!left.iter().any(|name| blobs.join(name).exists()));
}

#[tokio::test]
async fn findings_name_the_line_and_a_preview_shows_the_rest() {
    let engine = TestEngine::start().await;
    let text = format!("{}{{\"messages\": oops}}\n\n{}", lines(2), lines(12));
    let dataset = engine.dataset(&alice(), &text).await;
    assert_eq!(
        (dataset.status, dataset.examples, dataset.errors),
        (DatasetStatus::Error, Some(14), Some(1))
    );
    let report = engine
        .service
        .dataset_report(&alice(), &dataset.id)
        .await
        .unwrap();
    let errors: Vec<_> = report
        .findings
        .iter()
        .filter(|finding| finding.code != "duplicate")
        .collect();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].line, 3);
    let preview = engine
        .service
        .dataset_preview(&alice(), &dataset.id, &PreviewQuery::default())
        .await
        .unwrap();
    assert_eq!(preview.examples[2].line, 5);
    assert_eq!(preview.examples[0].messages[1].content, "answer 0");
    // Around a line all are shown, also those that are no examples.
    let around = async |line| {
        let query = PreviewQuery {
            line: NonZeroU32::new(line),
        };
        let preview = engine
            .service
            .dataset_preview(&alice(), &dataset.id, &query)
            .await;
        preview.map(|preview| preview.examples)
    };
    let lines = around(3).await.unwrap();
    assert_eq!(
        lines.iter().map(|line| line.line).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5, 6, 7, 8]
    );
    assert_eq!(
        (lines[2].raw(), lines[3].raw()),
        (Some("{\"messages\": oops}"), Some(""))
    );
    assert_eq!(lines[4].messages[1].content, "answer 0");
    assert_eq!(around(99).await.unwrap(), [], "the file has no such line");
}

#[tokio::test]
async fn an_empty_file_is_refused_and_a_blank_one_has_a_finding() {
    let engine = TestEngine::start().await;
    let refused = engine.service.create_dataset(&alice(), new_dataset(0)).await;
    assert_eq!(refused.unwrap_err().fields()["bytes"], "the file is empty");
    let blank = engine.dataset(&alice(), "\n\n").await;
    let report = engine.service.dataset_report(&alice(), &blank.id).await.unwrap();
    assert_eq!(
        (blank.status, report.findings[0].code.as_str()),
        (DatasetStatus::Error, "empty_file")
    );
}

#[tokio::test]
async fn a_million_lines_and_a_line_of_ten_megabytes_are_read() {
    let engine = TestEngine::start().await;
    let mut text = lines(1).repeat(999_999);
    text.push_str(&format!(
        "{{\"messages\":[{{\"role\":\"user\",\"content\":\"{}\"}},{{\"role\":\"assistant\",\"content\":\"y\"}}]}}\n",
        "x".repeat(10_000_000)
    ));
    let dataset = engine.dataset(&alice(), &text).await;
    assert_eq!(
        (dataset.status, dataset.examples),
        (DatasetStatus::Ready, Some(1_000_000))
    );
}

#[tokio::test]
async fn the_example_is_ready_at_once_and_there_is_one_for_each_owner() {
    let engine = TestEngine::start().await;
    let (one, two) = (alice(), mallory());
    let (first, other) = tokio::join!(
        engine.service.create_example_datasets(&one),
        engine.service.create_example_datasets(&two)
    );
    let (first, other) = (first.unwrap().datasets, other.unwrap().datasets);
    let counts: Vec<_> = first
        .iter()
        .map(|dataset| (dataset.status, dataset.errors))
        .collect();
    assert_eq!(counts, [(DatasetStatus::Ready, Some(0)); 2]);
    assert!(
        first[0].examples >= Some(300) && first[1].examples >= Some(60),
        "{first:?}"
    );
    assert_ne!(first[0].id, other[0].id);
    let again = engine
        .service
        .create_example_datasets(&alice())
        .await
        .unwrap()
        .datasets;
    assert_eq!(again, first);
    // Deleted and asked for again, it comes back.
    engine
        .service
        .delete_dataset(&alice(), &first[0].id)
        .await
        .unwrap();
    let back = engine
        .service
        .create_example_datasets(&alice())
        .await
        .unwrap()
        .datasets;
    assert_ne!(back[0].id, first[0].id);
    assert_eq!(back[1].id, first[1].id);
}

#[tokio::test]
async fn a_dataset_in_use_stays_and_one_of_an_ended_job_goes() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "user").await;
    let dataset = engine.datasets(&alice()).await.remove(0);
    assert_eq!(dataset.used_by, 1);
    let refused = engine.service.delete_dataset(&alice(), &dataset.id).await;
    assert!(matches!(
        refused,
        Err(Error::Conflict {
            code: "dataset_in_use",
            ..
        })
    ));
    trainer.finish(1).await;
    engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    engine
        .service
        .delete_dataset(&alice(), &dataset.id)
        .await
        .unwrap();
    assert!(engine.datasets(&alice()).await.is_empty());
    // The job keeps telling what it was trained on.
    let job = engine.service.find_job(&alice(), &id).await.unwrap();
    assert_eq!(job.training_dataset.unwrap().name, "messages");
}

#[tokio::test]
async fn validation_that_a_crash_interrupted_is_done_by_the_next_server() {
    let engine = TestEngine::start().await;
    let text = lines(20);
    let created = engine
        .service
        .create_dataset(&alice(), new_dataset(text.len()))
        .await
        .unwrap();
    let token = created.upload.url.strip_prefix("/api/uploads/").unwrap();
    engine
        .service
        .write_upload(token, 0, None, body(text.as_bytes()))
        .await
        .unwrap();
    // As far as a server came that died right after it had accepted the upload.
    let mut transaction = engine.service.inner.store.begin().await.unwrap();
    let id = created.dataset.id.as_str();
    assert!(
        crate::store::files::start_validation(&mut transaction, &alice(), id)
            .await
            .unwrap()
    );
    transaction.commit().await.unwrap();
    let job = engine
        .service
        .create_job(&alice(), new_job("early", &created.dataset.id), None)
        .await
        .unwrap()
        .job;
    assert_eq!(job.status, JobStatus::ValidatingFiles);
    let engine = engine.crash_and_restart().await;
    let dataset = engine.validated(&alice(), &DatasetId::new(id)).await;
    assert_eq!(
        (dataset.status, dataset.examples),
        (DatasetStatus::Ready, Some(20))
    );
    let trainer = engine.trainer().await;
    assert!(trainer.launch.run_dir.ends_with(job.id.as_str()));
}
