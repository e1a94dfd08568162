use super::*;
use shared::{event::Level, run::RunEstimate, run::Stage};

pub(super) fn told(dir: &Path) -> RunEstimate {
    estimate(&prepare::read_spec(dir).unwrap(), dir).unwrap()
}

fn logs(events: &[RunEvent]) -> Vec<(Level, String)> {
    let log = |event: &RunEvent| match event {
        RunEvent::Log { level, message, .. } => Some((*level, message.clone())),
        _ => None,
    };
    events.iter().filter_map(log).collect()
}

#[test]
fn gradient_checkpointing_changes_no_byte_and_says_when_it_was_chosen() {
    let (expected, _) = undisturbed();
    let mut on = spec();
    on["gradient_checkpointing"] = json!("on");
    let dir = run_dir(&on);
    let (code, events) = go(dir.path(), Act::Nothing);
    assert_eq!((code, logs(&events)), (exit_code::DONE, Vec::new()));
    assert_eq!(result(dir.path()), expected);

    let RunEstimate {
        memory_bytes: plain,
        memory_bytes_with_gradient_checkpointing: less,
        ..
    } = told(dir.path());
    assert!(less < plain);
    let mut tight = spec();
    tight["memory_limit_bytes"] = json!(less);
    let dir = run_dir(&tight);
    let (code, events) = go(dir.path(), Act::Nothing);
    assert_eq!(code, exit_code::DONE);
    assert_eq!(logs(&events).len(), 1);
    let (level, message) = &logs(&events)[0];
    assert!(*level == Level::Info && message.contains("gradient checkpointing"));
    assert_eq!(result(dir.path()), expected);

    let mut roomy = spec();
    roomy["memory_limit_bytes"] = json!(plain);
    let dir = run_dir(&roomy);
    assert!(logs(&go(dir.path(), Act::Nothing).1).is_empty());
    assert_eq!(result(dir.path()), expected);
}

#[test]
fn a_run_that_can_not_fit_is_refused_with_the_figures_before_the_model_is_read() {
    let less = told(run_dir(&spec()).path()).memory_bytes_with_gradient_checkpointing;
    let mut hopeless = spec();
    hopeless["memory_limit_bytes"] = json!(less - 1);
    let dir = run_dir(&hopeless);
    let (code, events) = go(dir.path(), Act::Nothing);
    assert_eq!(code, exit_code::REFUSED);
    let (step, code, message) = failure(&events);
    assert_eq!((step, code.as_str()), (0, "not_enough_memory"));
    let megabytes = format!("about {} MB", less.div_ceil(1_000_000));
    assert!(
        message.contains(&megabytes) && message.contains("batch size"),
        "{message}"
    );
    let loading = |event: &RunEvent| {
        matches!(
            event,
            RunEvent::Stage {
                stage: Stage::Loading,
                ..
            }
        )
    };
    assert!(!events.iter().any(loading));

    hopeless["gradient_checkpointing"] = json!("off");
    hopeless["memory_limit_bytes"] = json!(less);
    let dir = run_dir(&hopeless);
    let (_, code, message) = failure(&go(dir.path(), Act::Nothing).1);
    assert!(code == "not_enough_memory" && message.contains("without gradient checkpointing"));
}

#[test]
fn an_estimate_tells_the_steps_and_tokens_that_the_run_then_takes() {
    let dir = run_dir(&spec());
    let told = told(dir.path());
    let steps = metrics(&go(dir.path(), Act::Nothing).1);
    assert_eq!(told.total_steps, steps.len() as u64);
    let epoch: u64 = steps[..6].iter().map(|step| step.tokens).sum();
    assert_eq!(told.training_tokens, epoch);
    assert!(told.longest_tokens > 0 && told.longest_tokens <= epoch);
}
