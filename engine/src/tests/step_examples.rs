//! The examples of a step, with a tool that is a script. That they are the trainer's is proved beside the trainer.

use crate::{
    Error,
    testing::{TestEngine, alice, lines, mallory},
};
use shared::{
    id::{DatasetId, JobId},
    run::RunSpec,
    step_examples::StepExamples,
};
use std::{fs, path::PathBuf};

/// An engine whose tool keeps what it was given and answers with a line of it, and a job of it with two steps.
async fn engine(then: &str) -> (TestEngine, JobId, crate::played::Played) {
    let then = then.to_owned();
    let engine = TestEngine::start_with(move |config| {
        let folder = config.data_dir.parent().unwrap().to_owned();
        let tool = folder.join("tool.sh");
        let given = folder.join("given").display().to_string();
        let keep = format!("rm -rf {given}; cp -r $3 {given}; echo \"$1 $2\" > {given}/asked");
        fs::write(&tool, format!("{keep}; {then}")).unwrap();
        config.step_examples = vec!["/bin/sh".to_owned(), tool.display().to_string()];
    })
    .await;
    let (id, trainer) = engine.job_at_step(&alice(), "watched", 2).await;
    (engine, id, trainer)
}

const ANSWER: &str = r#"{"step": 2, "epoch": 1, "total_steps": 6, "examples": [{"tokens": 9, "target_tokens": 4,
    "example": {"line": 7, "messages": [{"role": "user", "content": "question 6"}]}}]}"#;

fn answering() -> String {
    format!("echo '{ANSWER}'")
}

fn given(engine: &TestEngine, name: &str) -> String {
    fs::read_to_string(engine.folder.path().join("given").join(name)).unwrap()
}

fn run_dir(engine: &TestEngine, id: &JobId) -> PathBuf {
    engine.folder.path().join("data/runs").join(id.as_str())
}

async fn dataset(engine: &TestEngine, id: &JobId) -> DatasetId {
    let job = engine.service.find_job(&alice(), id).await.unwrap();
    job.training_dataset.unwrap().id
}

#[tokio::test]
async fn the_tool_is_given_the_runs_own_specification_and_lines_whether_or_not_the_run_is_still_there() {
    let (engine, id, _trainer) = engine(&answering()).await;
    let expected: StepExamples = serde_json::from_str(ANSWER).unwrap();
    let told = engine.service.step_examples(&alice(), &id, 2).await.unwrap();
    assert_eq!(told, expected);
    assert_eq!(given(&engine, "asked").trim(), "--step 2");
    assert_eq!(given(&engine, "data/training.jsonl"), lines(12));
    let spec = |text: &str| -> RunSpec { serde_json::from_str(text).unwrap() };
    let kept = fs::read_to_string(run_dir(&engine, &id).join("spec.json")).unwrap();
    assert_eq!(spec(&given(&engine, "spec.json")), spec(&kept));

    engine.service.cancel_job(&alice(), &id).await.unwrap();
    fs::remove_dir_all(run_dir(&engine, &id)).unwrap();
    let told = engine.service.step_examples(&alice(), &id, 1).await.unwrap();
    assert_eq!(told, expected, "an ended job's are told too");
    assert_eq!(
        spec(&given(&engine, "spec.json")),
        spec(&kept),
        "made anew, it is the same"
    );
    let laid_out = fs::read_dir(engine.folder.path().join("data/estimates")).unwrap();
    assert_eq!(laid_out.count(), 0);
}

#[tokio::test]
async fn what_is_not_there_any_more_or_never_was_is_said() {
    let (engine, id, _trainer) = engine(&answering()).await;
    for (subject, step) in [(alice(), 0), (alice(), 3), (mallory(), 1)] {
        let outcome = engine.service.step_examples(&subject, &id, step).await;
        assert!(matches!(outcome, Err(Error::NotFound(_))), "{outcome:?}");
    }
    engine.service.cancel_job(&alice(), &id).await.unwrap();
    let file = dataset(&engine, &id).await;
    engine.service.delete_dataset(&alice(), &file).await.unwrap();
    let error = engine.service.step_examples(&alice(), &id, 1).await.unwrap_err();
    assert_eq!(error.code(), "dataset_deleted");
    assert!(
        run_dir(&engine, &id).join("data/training.jsonl").exists(),
        "and yet it is not shown"
    );
}

#[tokio::test]
async fn a_tool_that_fails_or_talks_nonsense_is_told_as_unavailable() {
    for then in ["echo no >&2; exit 1", "echo nonsense"] {
        let (engine, id, _trainer) = engine(then).await;
        let error = engine.service.step_examples(&alice(), &id, 1).await.unwrap_err();
        assert_eq!(error.code(), "examples_unavailable");
    }
}
