//! Downloads of results and of checkpoints.

use crate::{Error, testing::*};
use futures_util::TryStreamExt as _;
use shared::{run::RunEvent, status::JobStatus};
use std::{fs, io::Cursor};

/// The token of a link.
fn token(link: &shared::model::DownloadLink) -> &str {
    link.url.strip_prefix("/downloads/").unwrap()
}

/// What a zip holds under a name.
fn read(zip: &[u8], name: &str) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut bytes = Vec::new();
    std::io::copy(&mut archive.by_name(name).unwrap(), &mut bytes).unwrap();
    bytes
}

#[tokio::test]
async fn a_download_link_works_once_and_tells_its_size() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "zipped").await;
    trainer.finish(1).await;
    let job = engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    let link = engine
        .service
        .create_download(&alice(), &job.artifact.unwrap())
        .await
        .unwrap();
    let token = link.url.strip_prefix("/downloads/").unwrap();
    let download = engine.service.open_download(token).await.unwrap();
    let content: Vec<_> = download.content.try_collect().await.unwrap();
    let content = content.concat();
    assert_eq!(content.len() as u64, download.bytes);
    assert_eq!(download.filename, "zipped.zip");
    let mut zip = zip::ZipArchive::new(Cursor::new(content)).unwrap();
    assert_eq!(zip.len(), 2);
    let mut weights = Vec::new();
    std::io::copy(
        &mut zip.by_name("adapter_model.safetensors").unwrap(),
        &mut weights,
    )
    .unwrap();
    assert_eq!(weights, [7_u8; 1000]);
    assert!(matches!(
        engine.service.open_download(token).await,
        Err(Error::LinkExpired)
    ));
}

#[tokio::test]
async fn a_download_link_runs_out() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "zipped").await;
    trainer.finish(1).await;
    let job = engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    let link = engine
        .service
        .create_download(&alice(), &job.artifact.unwrap())
        .await
        .unwrap();
    engine.clock.advance(std::time::Duration::from_secs(61));
    let token = link.url.strip_prefix("/downloads/").unwrap();
    assert!(matches!(
        engine.service.open_download(token).await,
        Err(Error::LinkExpired)
    ));
}

#[tokio::test]
async fn a_checkpoint_is_downloaded_while_its_job_runs() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.job_at_step(&alice(), "my-job", 2).await;
    trainer.checkpoint(2).await;
    trainer.step(3).await;
    engine.wait_step(&alice(), &id, 3).await;
    let folder = trainer.launch.run_dir.join("checkpoints/step-2");
    fs::write(folder.join("optimizer.safetensors"), "nobody else's").unwrap();
    let service = &engine.service;
    let link = service
        .create_checkpoint_download(&alice(), &id, 2)
        .await
        .unwrap();
    let download = service.open_download(token(&link)).await.unwrap();
    assert_eq!(download.filename, "my-job-step-2.zip");
    let content: Vec<_> = download.content.try_collect().await.unwrap();
    let content = content.concat();
    assert_eq!(content.len() as u64, download.bytes);
    for name in ["adapter_config.json", "adapter_model.safetensors"] {
        assert_eq!(
            read(&content, name),
            fs::read(folder.join(name)).unwrap(),
            "{name}"
        );
    }
    let archive = zip::ZipArchive::new(Cursor::new(&content[..])).unwrap();
    assert_eq!(archive.len(), 2, "the adapter alone");
    let again = service.open_download(token(&link)).await;
    assert!(matches!(again, Err(Error::LinkExpired)));
}

#[tokio::test]
async fn a_checkpoint_that_is_removed_during_its_download_arrives_whole() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.job_at_step(&alice(), "mine", 2).await;
    trainer.checkpoint(2).await;
    trainer.step(3).await;
    engine.wait_step(&alice(), &id, 3).await;
    let folder = trainer.launch.run_dir.join("checkpoints/step-2");
    // More than what lies between writer and reader.
    let weights: Vec<u8> = (0..4_000_000_u32).map(|at| (at % 251) as u8).collect();
    fs::write(folder.join("adapter_model.safetensors"), &weights).unwrap();
    let link = engine
        .service
        .create_checkpoint_download(&alice(), &id, 2)
        .await
        .unwrap();
    let download = engine.service.open_download(token(&link)).await.unwrap();
    fs::remove_dir_all(&folder).unwrap();
    trainer.say(RunEvent::CheckpointRemoved { step: 2 }).await;
    trainer.step(4).await;
    engine.wait_step(&alice(), &id, 4).await;
    let content: Vec<_> = download.content.try_collect().await.unwrap();
    assert_eq!(read(&content.concat(), "adapter_model.safetensors"), weights);
    let held = engine.service.inner.layout.held();
    while fs::read_dir(&held).unwrap().count() > 0 {
        tokio::task::yield_now().await;
    }
    let gone = engine.service.create_checkpoint_download(&alice(), &id, 2).await;
    assert_eq!(
        gone.unwrap_err().to_string(),
        "there is no such checkpoint: it was removed, as older ones are while a job trains"
    );
}

#[tokio::test]
async fn a_link_to_a_checkpoint_that_is_removed_before_it_is_used_leads_nowhere() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.job_at_step(&alice(), "mine", 2).await;
    trainer.checkpoint(2).await;
    trainer.step(3).await;
    engine.wait_step(&alice(), &id, 3).await;
    let link = engine
        .service
        .create_checkpoint_download(&alice(), &id, 2)
        .await
        .unwrap();
    fs::remove_dir_all(trainer.launch.run_dir.join("checkpoints/step-2")).unwrap();
    let opened = engine.service.open_download(token(&link)).await;
    assert!(matches!(opened, Err(Error::NotFound(_))));
    assert_eq!(
        fs::read_dir(engine.service.inner.layout.held()).unwrap().count(),
        0
    );
}

#[tokio::test]
async fn nobody_elses_checkpoint_and_none_that_never_was_is_downloaded() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.job_at_step(&alice(), "mine", 2).await;
    trainer.checkpoint(2).await;
    trainer.step(3).await;
    engine.wait_step(&alice(), &id, 3).await;
    for (subject, step) in [(mallory(), 2), (alice(), 1), (alice(), u64::MAX)] {
        let refused = engine
            .service
            .create_checkpoint_download(&subject, &id, step)
            .await;
        assert!(matches!(refused, Err(Error::NotFound(_))), "{subject:?} {step}");
    }
}
