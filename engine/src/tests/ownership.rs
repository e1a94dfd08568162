//! Whatever belongs to somebody is not there for anybody else.

use crate::{Error, testing::*};
use shared::{
    dataset::PreviewQuery,
    event::{EventQuery, StreamStart},
    job::JobQuery,
    metrics::MetricsQuery,
    status::JobStatus,
};

fn is_not_found<T>(answer: Result<T, Error>) -> bool {
    answer.is_err_and(|error| matches!(error, Error::NotFound(_)))
}

#[tokio::test]
async fn every_call_hides_other_peoples_things() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "private").await;
    trainer.train_from(0).await;
    trainer.step(1).await;
    trainer.finish(1).await;
    let job = engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    let artifact = job.artifact.unwrap();
    let dataset = job.training_dataset.unwrap().id;
    let (service, other) = (&engine.service, mallory());
    assert!(is_not_found(service.find_job(&other, &id).await));
    assert!(is_not_found(service.cancel_job(&other, &id).await));
    assert!(is_not_found(service.delete_job(&other, &id).await));
    assert!(is_not_found(
        service.list_events(&other, &id, &EventQuery::default()).await
    ));
    assert!(is_not_found(service.list_checkpoints(&other, &id).await));
    assert!(is_not_found(
        service.job_metrics(&other, &id, &MetricsQuery::default()).await
    ));
    assert!(is_not_found(service.metrics_csv(&other, &id).await));
    assert!(is_not_found(service.stream(&other, &id, StreamStart::Now).await));
    assert!(is_not_found(service.find_artifact(&other, &artifact).await));
    assert!(is_not_found(service.create_download(&other, &artifact).await));
    assert!(is_not_found(service.find_dataset(&other, &dataset).await));
    assert!(is_not_found(service.confirm_dataset(&other, &dataset).await));
    assert!(is_not_found(service.dataset_report(&other, &dataset).await));
    assert!(is_not_found(
        service
            .dataset_preview(&other, &dataset, &PreviewQuery::default())
            .await
    ));
    assert!(is_not_found(service.delete_dataset(&other, &dataset).await));
    assert_eq!(
        service
            .list_jobs(&other, &JobQuery::default())
            .await
            .unwrap()
            .summary
            .total,
        0
    );
    assert!(service.list_datasets(&other).await.unwrap().datasets.is_empty());
    assert!(service.list_artifacts(&other).await.unwrap().artifacts.is_empty());
    let stolen = service
        .create_job(&other, new_job("thief", &dataset), None)
        .await
        .unwrap_err();
    assert_eq!(stolen.fields()["training_dataset"], "there is no such file");
    // And it is all still there for its owner.
    assert!(service.find_job(&alice(), &id).await.is_ok());
}
