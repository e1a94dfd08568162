//! The tolerance of reading. How the whole speaks to such an API is tested from outside, in
//! `tests/tests/openai_*.rs`.

use super::{read, record::Told};
use serde_json::{Value, json};
use shared::{
    dataset::DatasetStatus, event::Level, job::Job, run::Stage, status::JobStatus, timestamp::Timestamp,
};

const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);

fn job_with(fields: &Value) -> Result<Job, String> {
    let mut job = json!({"id": "ftjob-1", "model": "m", "status": "running", "created_at": 1_700_000_000});
    for (name, value) in fields.as_object().expect("fields") {
        job[name] = value.clone();
    }
    read::job(job.to_string().as_bytes(), NOW).map_err(|error| error.to_string())
}

#[test]
fn a_status_is_read_by_its_word_and_by_those_that_imitations_use() {
    for status in JobStatus::ALL {
        let job = job_with(&json!({"status": status.as_str()})).expect("a job");
        assert_eq!(job.status, status);
    }
    for (word, status) in [
        ("validating", JobStatus::ValidatingFiles),
        ("pending", JobStatus::Queued),
        ("created", JobStatus::Queued),
        ("in_progress", JobStatus::Running),
        ("COMPLETED", JobStatus::Succeeded),
        ("success", JobStatus::Succeeded),
        ("error", JobStatus::Failed),
        ("canceled", JobStatus::Cancelled),
    ] {
        assert_eq!(
            job_with(&json!({"status": word})).expect("a job").status,
            status,
            "{word}"
        );
    }
    let refusal = job_with(&json!({"status": "asleep"})).expect_err("no status");
    assert!(refusal.contains("`status`"), "{refusal}");
}

#[test]
fn a_name_is_the_metadatas_else_the_suffix_else_the_id() {
    let name = |fields: Value| job_with(&fields).expect("a job").name;
    let suffix = json!({"user_provided_suffix": "by-suffix"});
    assert_eq!(name(suffix.clone()), "by-suffix");
    let mut both = suffix;
    both["metadata"] = json!({"name": "by-name"});
    assert_eq!(name(both), "by-name");
    assert_eq!(name(json!({"metadata": null, "suffix": ""})), "ftjob-1");
    assert_eq!(name(json!({"x_attune": {"name": "there"}})), "there");
}

#[test]
fn an_empty_error_is_none_and_auto_is_no_number() {
    for error in [
        json!(null),
        json!({}),
        json!({"code": null, "message": null, "param": null}),
    ] {
        assert_eq!(job_with(&json!({"error": error})).expect("a job").failure, None);
    }
    let auto = json!({"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": 0.1});
    let job = job_with(&json!({"hyperparameters": auto})).expect("a job");
    let chosen = job.hyperparameters.expect("they are told");
    assert_eq!((job.epochs, chosen.batch_size), (None, None));
    assert_eq!(chosen.learning_rate_multiplier, Some(0.1));
    let dpo = json!({"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 2, "beta": 0.1}}});
    let job = job_with(&json!({"method": dpo, "hyperparameters": auto})).expect("a job");
    assert_eq!(
        (job.epochs, job.hyperparameters.expect("told").method.as_str()),
        (Some(2), "dpo")
    );
}

#[test]
fn another_attune_tells_how_far_a_job_is() {
    let extras = json!({"stage": "training", "step": 5, "total_steps": 20, "learning_rate": 0.001, "warmup_epochs": 1});
    let job = job_with(&json!({"x_attune": extras, "hyperparameters": {"n_epochs": 4},
        "estimated_finish": NOW.unix_seconds() + 60}))
    .expect("a job");
    let progress = job.progress.expect("it is told");
    assert_eq!(
        (progress.stage, progress.step, progress.total_steps),
        (Stage::Training, 5, 20)
    );
    assert_eq!((progress.epoch, progress.remaining_ms), (1.0, Some(60_000)));
    assert_eq!((job.learning_rate, job.warmup_epochs), (Some(0.001), Some(1)));
}

#[test]
fn lists_are_read_bare_too_and_say_whether_there_is_more() {
    let page = |body: Value| read::jobs(body.to_string().as_bytes(), NOW).expect("a page");
    let one = json!({"id": 7, "model": "m", "status": "queued", "created_at": "2026-01-02T03:04:05Z"});
    assert_eq!(page(json!([one])).items[0].id.as_str(), "7");
    assert!(page(json!({"data": [one], "has_more": true})).has_more);
    assert!(!page(json!({"data": [], "has_more": "yes"})).has_more);
}

#[test]
fn events_of_a_stream_are_read_in_its_order_and_named_where_they_have_no_name() {
    let stream = "retry: 10\n\n\
        data: {\"created_at\": 1, \"level\": \"warning\", \"message\": \"first\"}\n\n\
        : a comment\n\n\
        event: x\ndata: {\"id\": \"e2\", \"created_at\": 2, \"message\": \"Step 10/100 completed\", \
        \"data\": {\"step\": 10, \"train_loss\": 2.5, \"train_accuracy\": 0.5}}\n\n\
        data: [DONE]\n\n";
    let entries = read::event_stream(stream.as_bytes()).expect("events");
    let [first, second] = entries.as_slice() else {
        panic!("{entries:?}")
    };
    let Told::Message(event) = &first.told else {
        panic!("{first:?}")
    };
    assert_eq!((event.level, event.message.as_str()), (Level::Warn, "first"));
    assert!(first.id.starts_with("event-"), "{}", first.id);
    let Told::Step(step) = &second.told else {
        panic!("{second:?}")
    };
    assert_eq!(
        (step.step, step.total_steps, step.train_token_accuracy),
        (10, 100, Some(0.5))
    );
    let again = read::event_stream(stream.as_bytes()).expect("events");
    assert_eq!(entries, again, "a made-up name stays the same");
}

#[test]
fn files_of_other_purposes_are_no_datasets_and_uploaded_means_what_it_does_there() {
    let files = json!({"data": [
        {"id": "file-1", "created_at": 1, "purpose": "fine-tune", "filename": "a.jsonl", "bytes": 5, "status": "uploaded"},
        {"id": "file-2", "created_at": 2, "purpose": "vision", "filename": "b.png", "bytes": 5, "status": "processed"},
        {"id": "file-3", "created_at": 3, "filename": "c.jsonl", "status": "error"},
    ]});
    let read = |is_attune| read::files(files.to_string().as_bytes(), is_attune).expect("files");
    let told: Vec<_> = read(false)
        .into_iter()
        .map(|file| (file.name, file.status))
        .collect();
    assert_eq!(
        told,
        [
            ("a.jsonl".to_owned(), DatasetStatus::Ready),
            ("c.jsonl".to_owned(), DatasetStatus::Error)
        ]
    );
    assert_eq!(read(true)[0].status, DatasetStatus::Validating);
}

#[test]
fn parameters_of_theirs_are_told_as_fields_of_ours() {
    for (theirs, ours) in [
        ("training_file", "training_dataset"),
        ("method.supervised.hyperparameters.n_epochs", "epochs"),
        ("hyperparameters.learning_rate_multiplier", "learning_rate"),
        ("x_attune.lora.rank", "lora_rank"),
        ("x_attune.warmup_epochs", "warmup_epochs"),
        ("model", "base_model"),
    ] {
        assert_eq!(read::field_name(theirs), ours);
    }
}
