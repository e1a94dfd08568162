//! The files of jobs that are taken over: each once, some gone, and some that an import did not live to read.

use super::{file, job, open, origin, taken};
use crate::{Error, import::taken_before, testing::*};
use shared::dataset::DatasetStatus;

#[tokio::test]
async fn files_are_taken_once_and_what_is_known_is_told_without_a_change() {
    let engine = TestEngine::start().await;
    let (folder, first) = taken(&engine).await;
    let again = folder
        .take(&origin(&alice()), job(&folder, "ftjob-there"))
        .await
        .unwrap_err();
    assert_eq!(again.code(), "already_imported");
    let second = folder
        .take(&origin(&alice()), job(&folder, "ftjob-second"))
        .await
        .unwrap();
    assert!(second.files.is_empty(), "they came with the first");
    let datasets = engine.datasets(&alice()).await;
    assert_eq!((datasets.len(), datasets[0].used_by), (1, 2));
    // Another's are their own.
    folder
        .take(&origin(&mallory()), job(&folder, "ftjob-there"))
        .await
        .unwrap();
    assert_eq!(engine.datasets(&mallory()).await.len(), 1);

    let data_dir = &engine.service.config().data_dir;
    let before = taken_before(data_dir, &origin(&alice())).await.unwrap();
    assert_eq!((before.jobs.len(), before.files.len()), (2, 2));
    assert!(before.jobs["ftjob-there"].kept);
    engine.service.delete_job(&alice(), &first.id).await.unwrap();
    engine
        .service
        .delete_dataset(&alice(), &datasets[0].id)
        .await
        .unwrap();
    let before = taken_before(data_dir, &origin(&alice())).await.unwrap();
    assert!(!before.jobs["ftjob-there"].kept && !before.files["file-train"].kept);
    // Asked for, both come anew.
    let anew = folder
        .take(&origin(&alice()), job(&folder, "ftjob-there"))
        .await
        .unwrap();
    assert!(
        anew.files
            .iter()
            .any(|(id, file)| id == "file-train" && file.kept)
    );
    let before = taken_before(data_dir, &origin(&alice())).await.unwrap();
    assert!(before.jobs["ftjob-there"].kept && before.files["file-train"].kept);

    let nowhere = engine.folder.path().join("nowhere");
    assert!(
        taken_before(&nowhere, &origin(&alice()))
            .await
            .unwrap()
            .jobs
            .is_empty()
    );
    assert!(!nowhere.exists());
    let uploads = std::fs::read_dir(data_dir.join("uploads")).unwrap().count();
    assert_eq!(uploads, 0, "what wasn't needed is gone");
    folder.close().await;
}

#[tokio::test]
async fn a_file_that_is_gone_there_is_told_like_a_deleted_one() {
    let engine = TestEngine::start().await;
    let folder = open(&engine).await;
    let mut there = job(&folder, "ftjob-there");
    there.training = file(&folder, "file-gone", None);
    let taken = folder.take(&origin(&alice()), there).await.unwrap();
    let job = engine.service.find_job(&alice(), &taken.id).await.unwrap();
    let dataset = job.training_dataset.unwrap();
    assert_eq!(dataset.name, "file-gone.jsonl");
    assert!(engine.datasets(&alice()).await.is_empty());
    assert!(matches!(
        engine.service.find_dataset(&alice(), &dataset.id).await,
        Err(Error::NotFound(_))
    ));
    folder.close().await;
}

#[tokio::test]
async fn a_file_that_an_import_did_not_live_to_read_is_read_by_the_next_import_or_server() {
    let engine = TestEngine::start().await;
    let (folder, taken) = taken(&engine).await;
    let id = taken.files[0].1.local_id.clone();
    let owner = alice();
    // As a kill right after the transaction leaves it.
    let unread = async || {
        let row = engine.service.find_file_row(&owner, &id).await.unwrap();
        let mut transaction = engine.service.inner.store.begin().await.unwrap();
        sqlx::query("UPDATE files SET status = 'validating', report = NULL, examples = NULL WHERE id = $1")
            .bind(&row.id)
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        engine.service.inner.blobs.delete(&id).await.unwrap();
        std::fs::write(engine.service.staged(&id), lines(12)).unwrap();
    };
    folder.close().await;
    unread().await;
    open(&engine).await.close().await;
    let dataset = engine.datasets(&owner).await.remove(0);
    assert_eq!(
        (dataset.status, dataset.examples),
        (DatasetStatus::Ready, Some(12))
    );
    unread().await;
    let engine = engine.restart().await;
    let dataset = engine.validated(&owner, &dataset.id).await;
    assert_eq!(
        (dataset.status, dataset.examples),
        (DatasetStatus::Ready, Some(12))
    );
}
