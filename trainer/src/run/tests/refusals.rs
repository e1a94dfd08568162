//! What can't be trained, and how that is told.

use super::*;

#[test]
fn a_loss_that_is_no_number_fails_the_run_and_keeps_its_last_checkpoint() {
    let mut ordered = spec();
    ordered["shuffle"] = json!(false);
    ordered["checkpoints"]["every_steps"] = json!(1);
    let dir = run_dir(&ordered);
    // The word "count" is first seen in the fourth example, which is in the second step.
    let folder = dir.path().join("model");
    let mut model = crate::Model::load(&folder).unwrap();
    model.weights.full[13 * 16] = f32::NAN;
    model.save(&folder, crate::Precision::F32).unwrap();
    let (code, events) = go(dir.path(), Act::Nothing);
    let (step, name, message) = failure(&events);
    assert_eq!(
        (code, name.as_str(), step),
        (exit_code::DIVERGED, "nan_loss", 1),
        "{message}"
    );
    assert!(
        message.contains("step 2") && message.contains("learning rate"),
        "{message}"
    );
    assert!(crate::checkpoint::verify(dir.path(), 1).is_ok());
    assert!(!dir.path().join("adapter").exists());
}

#[test]
fn lines_that_can_not_be_used_are_refused_by_number() {
    let refusal = |text: String| {
        let dir = run_dir(&spec());
        fs::write(dir.path().join("data/train.jsonl"), text).unwrap();
        let (code, events) = go(dir.path(), Act::Nothing);
        assert_eq!(code, exit_code::REFUSED);
        let (_, name, message) = failure(&events);
        assert_eq!(name, "invalid_training_file");
        let Some(RunEvent::Failed { line, .. }) = events.last() else {
            panic!("it failed")
        };
        (message, *line)
    };
    let long = json!({"messages": [{"role": "user", "content": "red ".repeat(40)},
                                   {"role": "assistant", "content": "one"}]});
    let (message, line) = refusal(format!("{}{long}\n", lines(2)));
    assert!(
        message.contains("line 3") && message.contains("max_sequence_length"),
        "{message}"
    );
    assert_eq!(line, Some(3));
    assert_eq!(refusal(format!("{}\n{{\n", lines(1))).1, Some(3));
    let (message, line) = refusal(String::new());
    assert!(message.contains("empty"), "{message}");
    assert_eq!(line, None, "it is of the whole file");
    let dir = run_dir(&spec());
    fs::write(dir.path().join("data/valid.jsonl"), format!("{}{{\n", lines(4))).unwrap();
    let (_, events) = go(dir.path(), Act::Nothing);
    assert!(
        matches!(events.last(), Some(RunEvent::Failed { code, line: Some(5), .. }) if code == "invalid_validation_file"),
        "{events:?}"
    );
}

#[test]
fn a_spec_or_model_that_can_not_be_used_is_refused() {
    let refusal = |change: fn(&mut Value)| {
        let mut changed = spec();
        change(&mut changed);
        let dir = run_dir(&changed);
        let (code, events) = go(dir.path(), Act::Nothing);
        assert_eq!(code, exit_code::REFUSED);
        failure(&events).1
    };
    assert_eq!(refusal(|spec| spec["version"] = json!(2)), "invalid_spec");
    assert_eq!(refusal(|spec| spec["epochs"] = json!(0)), "invalid_spec");
    assert_eq!(
        refusal(|spec| spec["gradient_accumulation"] = json!(3)),
        "invalid_spec"
    );
    assert_eq!(refusal(|spec| spec["surprise"] = json!(3)), "invalid_spec");
    assert_eq!(
        refusal(|spec| spec["lora"]["targets"] = json!([])),
        "invalid_spec"
    );
    assert_eq!(
        refusal(|spec| spec["model_path"] = json!("data")),
        "invalid_model"
    );
    assert_eq!(
        refusal(|spec| spec["start_adapter"] = json!("data")),
        "invalid_adapter"
    );
    assert_eq!(
        refusal(|spec| spec["validation_file"] = json!("nothing")),
        "invalid_validation_file"
    );
}

#[test]
fn a_checkpoint_of_other_settings_is_not_resumed() {
    let dir = run_dir(&spec());
    assert_eq!(
        go(dir.path(), Act::Send(3, vec![RunCommand::Pause])).0,
        exit_code::PAUSED
    );
    let mut changed = spec();
    changed["learning_rate"] = json!(0.01);
    fs::write(dir.path().join("spec.json"), changed.to_string()).unwrap();
    let (code, events) = go(dir.path(), Act::Nothing);
    assert_eq!(
        (code, failure(&events).1.as_str()),
        (exit_code::REFUSED, "invalid_spec")
    );
    let mut harmless = spec();
    harmless["threads"] = json!(2);
    harmless["gradient_checkpointing"] = json!("on");
    harmless["memory_limit_bytes"] = json!(1_000_000_000);
    fs::write(dir.path().join("spec.json"), harmless.to_string()).unwrap();
    assert_eq!(go(dir.path(), Act::Nothing).0, exit_code::DONE);
}

#[test]
fn two_trainers_can_not_share_a_run_directory() {
    let dir = run_dir(&spec());
    let _held = lock(dir.path()).unwrap();
    let (code, events) = go(dir.path(), Act::Nothing);
    assert_eq!((code, failure(&events).1.as_str()), (exit_code::LOCKED, "locked"));
}
