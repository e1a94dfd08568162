//! Creating jobs: each once, and what the form's rules refuse.

use crate::testing::*;
use shared::job::JobQuery;

#[tokio::test]
async fn a_repeated_create_gives_the_first_job() {
    let engine = TestEngine::start().await;
    let dataset = engine.dataset(&alice(), &lines(12)).await;
    let owner = alice();
    let create = |name, draft| {
        engine
            .service
            .create_job(&owner, new_job(name, &dataset.id), Some(draft))
    };
    let (one, other) = (
        create("once", "draft-1").await.unwrap(),
        create("once", "draft-1").await.unwrap(),
    );
    assert_eq!(one.job.id, other.job.id);
    assert_eq!((one.repeated, other.repeated), (false, true));
    let (third, fourth) = tokio::join!(create("twice", "draft-2"), create("twice", "draft-2"));
    let (third, fourth) = (third.unwrap(), fourth.unwrap());
    assert_eq!(third.job.id, fourth.job.id);
    assert_ne!(third.repeated, fourth.repeated, "one of them made it");
    let mallorys = engine.dataset(&mallory(), &lines(12)).await;
    let theirs = engine
        .service
        .create_job(&mallory(), new_job("once", &mallorys.id), Some("draft-1"))
        .await
        .unwrap();
    assert_ne!(theirs.job.id, one.job.id);
}

#[tokio::test]
async fn one_key_for_two_requests_is_refused_and_makes_nothing() {
    let engine = TestEngine::start().await;
    let dataset = engine.dataset(&alice(), &lines(12)).await;
    let owner = alice();
    let create = |name| {
        engine
            .service
            .create_job(&owner, new_job(name, &dataset.id), Some("draft"))
    };
    let first = create("one").await.unwrap();
    let refused = create("other").await.unwrap_err();
    assert_eq!(refused.code(), "idempotency_key_reused");
    // Neither does a retry take what the key stands for as its own.
    engine.service.cancel_job(&owner, &first.job.id).await.unwrap();
    let retried = engine
        .service
        .retry_job(&owner, &first.job.id, Default::default(), Some("draft"))
        .await;
    assert_eq!(retried.unwrap_err().code(), "idempotency_key_reused");
    let list = engine
        .service
        .list_jobs(&owner, &JobQuery::default())
        .await
        .unwrap();
    assert_eq!(list.summary.total, 1);
}

#[tokio::test]
async fn a_key_of_before_its_request_was_noted_still_gives_its_job() {
    let engine = TestEngine::start().await;
    let dataset = engine.dataset(&alice(), &lines(12)).await;
    let owner = alice();
    let create = || {
        engine
            .service
            .create_job(&owner, new_job("old", &dataset.id), Some("draft"))
    };
    let first = create().await.unwrap();
    let mut transaction = engine.service.inner.store.begin().await.unwrap();
    sqlx::query("UPDATE jobs SET idempotency_digest = NULL")
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let again = create().await.unwrap();
    assert_eq!((again.job.id, again.repeated), (first.job.id, true));
}

#[tokio::test]
async fn a_form_with_faults_is_refused_field_by_field() {
    let engine = TestEngine::start().await;
    let few = engine.dataset(&alice(), &lines(3)).await;
    let mut form = new_job("bad-name-", &few.id);
    form.base_model = "unheard-of".to_owned();
    form.evaluation_epochs = 2;
    form.warmup_epochs = 1;
    let Err(error) = engine.service.create_job(&alice(), form, None).await else {
        panic!("taken")
    };
    let fields = error.fields();
    let names: Vec<_> = fields.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "base_model",
            "evaluation_epochs",
            "name",
            "training_dataset",
            "warmup_epochs"
        ]
    );
    let missing = new_job("fine", &"file-none".into());
    let error = engine
        .service
        .create_job(&alice(), missing, None)
        .await
        .unwrap_err();
    assert_eq!(error.fields()["training_dataset"], "there is no such file");
}
