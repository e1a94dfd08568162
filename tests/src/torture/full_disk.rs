//! A job whose disk fills up at some instant.

use super::{Torture, arena::Arena};
use crate::small_disk::{SmallDisk, unmount};
use shared::{attempt::RetryJob, job::Job, status::JobStatus};
use std::{fs, path::Path, time::Duration};

const SMALL_DISK: &str = "64m";

impl Torture {
    /// A job whose disk is full at some instant fails and says why; tried again with room, it ends like any other.
    pub(super) async fn job_on_a_full_disk(&mut self, models: &Path, threads: u32) -> Vec<String> {
        let folder = self.folder.join("small");
        // What an earlier one has left.
        unmount(&Arena::runs(&folder));
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("nobody uses it");
        }
        let Some(disk) = SmallDisk::mount(&Arena::runs(&folder), SMALL_DISK) else {
            println!("no full disk: a small one can be mounted by root only");
            return Vec::new();
        };
        let arena = Arena::open(&folder, models, threads).await;
        let mut follow = arena.begin().await;
        follow.until(&arena.api, |job| !job.trained.is_empty()).await;
        let delay = self.random.below(self.undisturbed.took.as_micros() as u64);
        follow.read_for(&arena.api, Duration::from_micros(delay)).await;
        disk.fill();
        follow.until(&arena.api, |_| false).await;
        disk.clear();
        let job = arena.api.job(&follow.job.id).await;
        if job.status == JobStatus::Succeeded {
            // It had written everything already.
            return self.verdict(&arena, &follow, "a job whose disk was full").await;
        }
        let code = job.failure.as_ref().map(|failure| failure.code.as_str());
        if job.status != JobStatus::Failed || code != Some("disk_full") {
            return vec![format!(
                "a job on a full disk is {:?}: {:?}",
                job.status, job.failure
            )];
        }
        let newest = arena.api.checkpoints(&job.id).await.into_iter().next();
        let retry = RetryJob {
            from_step: newest.map(|checkpoint| checkpoint.step),
            ..RetryJob::default()
        };
        let retry = serde_json::to_value(retry).expect("plain data");
        let path = format!("/api/jobs/{}/retry", job.id);
        let retried: Job = arena.api.post(&path, &retry).await.expect(201);
        let mut follow = arena.follow(retried).await;
        follow.until(&arena.api, |_| false).await;
        self.tally.full_disks += 1;
        self.verdict(&arena, &follow, "the retry of a job whose disk was full")
            .await
    }
}
