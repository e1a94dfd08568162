use super::*;
use crate::{
    capabilities::Capabilities, id::JobId, model::JobDefaults, status::JobStatus, timestamp::Timestamp,
    validate,
};
use proptest::prelude::*;

fn proposals() -> Proposals {
    proposed(JobDefaults::default())
}

fn proposed(defaults: JobDefaults) -> Proposals {
    Proposals {
        defaults,
        bounds: Capabilities::engine().bounds,
    }
}

#[test]
fn defaults_fill_only_what_nobody_touched() {
    let mut draft = Draft::new("one");
    draft.set("epochs", "7");
    draft.set("learning_rate", "");
    draft.apply_defaults(&proposals());
    assert_eq!(draft.epochs, "7");
    assert_eq!(draft.learning_rate, "", "a field that was emptied stays empty");
    assert_eq!(draft.batch_size, "8");
    assert_eq!(draft.lora_targets, Projection::ALL);
    assert_eq!(draft.touched.len(), 2, "a default doesn't count as touched");
}

#[test]
fn what_nobody_touched_follows_the_epochs_that_are_typed() {
    let proposals = proposed(JobDefaults {
        epochs: 10,
        evaluation_epochs: 8,
        warmup_epochs: 2,
        ..JobDefaults::default()
    });
    let mut draft = Draft::new("one");
    let mut after = |field: &str, text: &str| {
        draft.set(field, text);
        draft.apply_defaults(&proposals);
        (
            draft.epochs.clone(),
            draft.evaluation_epochs.clone(),
            draft.warmup_epochs.clone(),
        )
    };
    let three = |epochs: &str, evaluation: &str, warmup: &str| {
        (epochs.to_owned(), evaluation.to_owned(), warmup.to_owned())
    };
    assert_eq!(after("name", "any"), three("10", "8", "2"));
    assert_eq!(after("epochs", "5"), three("5", "3", "2"));
    assert_eq!(after("epochs", "1"), three("1", "1", "0"), "it ends trained");
    assert_eq!(after("epochs", "12"), three("12", "8", "2"), "and grows back");
    assert_eq!(after("epochs", "0"), three("0", "0", "0"));
    assert_eq!(after("epochs", ""), three("", "8", "2"), "nothing can be read");
    assert_eq!(after("epochs", "5"), three("5", "3", "2"));
    assert_eq!(after("warmup_epochs", "4"), three("5", "1", "4"), "one is typed");
    assert_eq!(after("warmup_epochs", "9"), three("5", "0", "9"), "and is told");
    assert_eq!(after("warmup_epochs", "0"), three("5", "5", "0"));
    assert_eq!(
        after("evaluation_epochs", "7"),
        three("5", "7", "0"),
        "what is typed stays"
    );
}

#[test]
fn warm_up_that_nobody_touched_leaves_room_for_the_evaluation_that_is_typed() {
    let proposals = proposed(JobDefaults {
        epochs: 4,
        evaluation_epochs: 2,
        warmup_epochs: 2,
        ..JobDefaults::default()
    });
    let mut draft = Draft::new("one");
    draft.set("evaluation_epochs", "3");
    draft.apply_defaults(&proposals);
    assert_eq!((draft.epochs.as_str(), draft.warmup_epochs.as_str()), ("4", "1"));
}

#[test]
fn every_field_can_be_set_and_got() {
    let mut draft = Draft::new("one");
    for field in FIELDS {
        assert!(draft.set(field, format!("value of {field}")));
        assert_eq!(draft.get(field), Some(format!("value of {field}").as_str()));
    }
    assert!(!draft.set("colour", "red"));
    assert_eq!(draft.get("colour"), None);
    assert_eq!(draft.touched.len(), FIELDS.len());
}

#[test]
fn a_duplicate_of_a_job_that_was_trained_elsewhere_leaves_the_base_model_to_be_chosen() {
    let job: Job = serde_json::from_value(serde_json::json!({
        "id": "ftjob-1", "name": "mood", "base_model": "gpt-4o-mini", "status": "succeeded",
        "created_at": "2026-01-31T00:00:00Z", "epochs": 3, "training_dataset": {"id": "file-1", "name": "x"},
        "validation_dataset": {"id": "file-2", "name": "y"},
        "hyperparameters": {"method": "dpo", "beta": 0.2, "batch_size": 4, "learning_rate_multiplier": 1.8},
        "imported": {"host": "api.example.com", "id": "ftjob-there"}
    }))
    .unwrap();
    let mut draft = Draft::from_job("two", &job);
    assert_eq!(
        (draft.base_model.as_str(), draft.learning_rate.as_str()),
        ("", "")
    );
    draft.apply_defaults(&proposals());
    let kept = [
        "training_dataset",
        "validation_dataset",
        "epochs",
        "evaluation_epochs",
        "warmup_epochs",
    ];
    assert_eq!(
        kept.map(|field| draft.get(field).unwrap()),
        ["file-1", "file-2", "3", "1", "0"]
    );
    assert_eq!(
        ["method", "beta", "batch_size"].map(|field| draft.get(field).unwrap()),
        ["dpo", "0.2", "4"]
    );
    assert!(
        !draft.learning_rate.is_empty(),
        "the base model that is chosen proposes it"
    );
}

#[test]
fn a_duplicate_of_a_job_is_valid_and_keeps_its_values() {
    let job = Job {
        id: JobId::new("ftjob-1"),
        name: "A name with spaces, and much too long to be a name at all -".to_owned(),
        base_model: "attune-small".to_owned(),
        status: JobStatus::Succeeded,
        created_at: Timestamp::from_unix_ms(0),
        started_at: None,
        finished_at: None,
        epochs: Some(5),
        evaluation_epochs: Some(2),
        warmup_epochs: Some(1),
        learning_rate: Some(3e-5),
        training_dataset: Some(crate::job::DatasetRef {
            id: DatasetId::new("file-1"),
            name: "x".to_owned(),
        }),
        validation_dataset: None,
        hyperparameters: None,
        progress: None,
        failure: None,
        attempt: 1,
        trained_tokens: None,
        fine_tuned_model: None,
        artifact: None,
        queue_position: None,
        starts_in_ms: None,
        last_event_id: None,
        estimate: None,
        peak_memory_bytes: None,
        priority: None,
        stopped: false,
        parent: None,
        imported: None,
        parent_step: None,
        wandb: None,
    };
    let mut draft = Draft::from_job("two", &job);
    draft.apply_defaults(&proposals());
    let new_job = validate::new_job_from_draft(&draft, &Capabilities::engine()).expect("a valid job");
    assert_eq!(
        (new_job.epochs, new_job.evaluation_epochs, new_job.warmup_epochs),
        (5, 2, 1)
    );
    assert_eq!(new_job.learning_rate, 3e-5);
    assert_eq!(new_job.training_dataset, Some(DatasetId::new("file-1")));
    for odd in ["", "---", "ä", "a", "x-copy", "-copy-copy"] {
        let mut job = job.clone();
        job.name = odd.to_owned();
        let draft = Draft::from_job("three", &job);
        let findings = validate::validate_step(validate::Step::Setup, &draft, &Capabilities::engine());
        assert!(
            findings.is_empty(),
            "{odd:?} became {:?}: {findings:?}",
            draft.name
        );
    }
}

proptest! {
    #[test]
    fn a_number_reads_back_as_the_same_number(value in proptest::num::f64::NORMAL | proptest::num::f64::ZERO) {
        prop_assert_eq!(number_text(value).parse::<f64>(), Ok(value));
    }
}
