//! A disk that fills up while a job trains: the job fails with that reason, and its last checkpoint stays whole.
#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use sha2::{Digest, Sha256};
use shared::{event::StreamMessage, status::JobStatus};
use std::{fs, path::Path};
use tests::{api::Api, server::Setup, small_disk::SmallDisk};

#[tokio::test]
async fn a_disk_that_is_full_at_a_checkpoint_fails_the_job_and_spares_the_last_checkpoint() {
    let setup = Setup::new();
    let Some(disk) = SmallDisk::mount(&setup.data_dir().join("runs"), "256m") else {
        println!("SKIPPED: a small disk can be mounted by root only");
        return;
    };
    let server = setup.start().await;
    let api = Api::signed_in(&server).await;
    let job = api.create_job(&api.new_job("disk-full", 400, 50).await).await;
    let mut stream = api.stream(&job.id, None).await;
    stream
        .find(|message| matches!(message, StreamMessage::Checkpoint { .. }))
        .await
        .unwrap();
    disk.fill();

    let job = api.ended(&job.id).await;
    assert_eq!(job.status, JobStatus::Failed);
    let failure = job.failure.unwrap();
    assert_eq!(failure.code, "disk_full");
    assert!(failure.message.contains("space"), "{failure:?}");
    let newest = api.checkpoints(&job.id).await.into_iter().next().unwrap();
    let folder = setup
        .data_dir()
        .join(format!("runs/{}/checkpoints/step-{}", job.id, newest.step));
    assert_whole(&folder);
    assert_eq!(api.get("/readyz").await.status, 200);
}

/// Every file that a checkpoint's `state.json` names is there with the size and hash that it had.
fn assert_whole(checkpoint: &Path) {
    let state = fs::read_to_string(checkpoint.join("state.json")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    let files = state["files"].as_object().unwrap();
    assert!(!files.is_empty());
    for (name, file) in files {
        let content = fs::read(checkpoint.join(name)).unwrap();
        let hash = Sha256::digest(&content)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>();
        assert_eq!(file["sha256"], hash, "{name}");
    }
}
