//! Creating jobs: each once, and what the form's rules refuse.

use crate::testing::*;

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
    assert_eq!(one.id, other.id);
    let (third, fourth) = tokio::join!(create("twice", "draft-2"), create("twice", "draft-2"));
    assert_eq!(third.unwrap().id, fourth.unwrap().id);
    let mallorys = engine.dataset(&mallory(), &lines(12)).await;
    let theirs = engine
        .service
        .create_job(&mallory(), new_job("once", &mallorys.id), Some("draft-1"))
        .await
        .unwrap();
    assert_ne!(theirs.id, one.id);
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
