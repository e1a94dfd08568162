//! Pauses, stops and resumes: the bytes of the result are those of a run that was left alone.

use super::*;

#[test]
fn paused_and_resumed_at_any_step_the_result_has_the_same_bytes() {
    let (expected, steps) = undisturbed();
    for at in 1..12 {
        let dir = run_dir(&spec());
        let act = if at % 2 == 0 {
            Act::Leave(at)
        } else {
            Act::Send(at, vec![RunCommand::Pause])
        };
        let (code, events) = go(dir.path(), act);
        assert_eq!(code, exit_code::PAUSED);
        assert!(matches!(events.last(), Some(RunEvent::Paused { step }) if *step == at));
        let (code, events) = go_with(dir.path(), RunOptions { replay_after: at }, Act::Nothing);
        assert_eq!(code, exit_code::DONE);
        assert_eq!(metrics(&events), steps[at as usize..]);
        assert_eq!(result(dir.path()), expected, "paused at {at}");
    }
}

#[test]
fn what_was_lost_after_a_checkpoint_is_done_again_with_the_same_bytes() {
    let (expected, steps) = undisturbed();
    let dir = run_dir(&spec());
    assert_eq!(go(dir.path(), Act::Nothing).0, exit_code::DONE);
    // As if killed just after step 10's checkpoint: the metrics go on, half a line is torn, a folder is unfinished.
    fs::remove_dir_all(dir.path().join("adapter")).unwrap();
    fs::remove_file(dir.path().join("result.json")).unwrap();
    fs::rename(
        dir.path().join("checkpoints/step-12"),
        dir.path().join("checkpoints/.step-12.tmp"),
    )
    .unwrap();
    let mut log = fs::read(dir.path().join("metrics.jsonl")).unwrap();
    log.truncate(log.len() - 20);
    fs::write(dir.path().join("metrics.jsonl"), log).unwrap();
    let (code, events) = go_with(dir.path(), RunOptions { replay_after: 8 }, Act::Nothing);
    assert_eq!(code, exit_code::DONE);
    assert_eq!(
        metrics(&events),
        steps[8..],
        "steps 9 and 10 from the log, 11 and 12 trained again"
    );
    assert_eq!(result(dir.path()), expected);
}

#[test]
fn a_broken_checkpoint_is_passed_over_for_the_one_before() {
    let (expected, _) = undisturbed();
    let dir = run_dir(&spec());
    let (code, _) = go(dir.path(), Act::Send(7, vec![RunCommand::Pause]));
    assert_eq!(code, exit_code::PAUSED);
    let path = dir.path().join("checkpoints/step-7/optimizer.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    let (code, events) = go(dir.path(), Act::Nothing);
    assert_eq!(code, exit_code::DONE);
    let warned = events.iter().any(|event| {
        matches!(event, RunEvent::Log { message, .. } if message.contains("step-7") && message.contains("optimizer"))
    });
    assert!(warned, "{events:?}");
    let told: Vec<u64> = metrics(&events).iter().map(|metrics| metrics.step).collect();
    assert_eq!(told, (1..=12).collect::<Vec<_>>());
    assert_eq!(result(dir.path()), expected);
}

#[test]
fn a_finished_run_tells_everything_again_and_changes_nothing() {
    let dir = run_dir(&spec());
    assert_eq!(go(dir.path(), Act::Nothing).0, exit_code::DONE);
    let before = content(dir.path());
    let (code, events) = go_with(dir.path(), RunOptions { replay_after: 3 }, Act::Nothing);
    assert_eq!(code, exit_code::DONE);
    assert_eq!(metrics(&events).len(), 9);
    assert!(
        events
            .iter()
            .any(|event| matches!(event, RunEvent::Checkpoint { step: 12, .. }))
    );
    assert!(matches!(
        events.last(),
        Some(RunEvent::Done {
            step: 12,
            complete: true,
            ..
        })
    ));
    assert_eq!(content(dir.path()), before);
}

#[test]
fn stop_makes_what_is_trained_so_far_the_result() {
    let dir = run_dir(&spec());
    let (code, events) = go(dir.path(), Act::Send(5, vec![RunCommand::Stop]));
    assert_eq!(code, exit_code::DONE);
    assert!(matches!(
        events.last(),
        Some(RunEvent::Done {
            step: 5,
            complete: false,
            ..
        })
    ));
    let adapter = fs::read(dir.path().join("adapter/adapter_model.safetensors")).unwrap();
    assert_eq!(
        adapter,
        fs::read(dir.path().join("checkpoints/step-5/adapter_model.safetensors")).unwrap()
    );
    // Killed between the summary and the adapter: the next attempt remembers that it was to stop.
    fs::remove_dir_all(dir.path().join("adapter")).unwrap();
    let (code, events) = go(dir.path(), Act::Nothing);
    assert_eq!(code, exit_code::DONE);
    assert!(matches!(
        events.last(),
        Some(RunEvent::Done {
            step: 5,
            complete: false,
            ..
        })
    ));
}

#[test]
fn a_checkpoint_can_be_asked_for_and_a_broken_output_ends_like_a_pause() {
    let dir = run_dir(&spec());
    let (code, events) = go(
        dir.path(),
        Act::Send(3, vec![RunCommand::Checkpoint, RunCommand::Checkpoint]),
    );
    assert_eq!(code, exit_code::DONE);
    assert_eq!(
        events
            .iter()
            .filter(|event| matches!(event, RunEvent::Checkpoint { step: 3, .. }))
            .count(),
        1
    );
    let dir = run_dir(&spec());
    let (code, _) = go(dir.path(), Act::Break(3));
    assert_eq!(code, exit_code::PAUSED);
    assert_eq!(crate::checkpoint::steps(dir.path()), [2, 3]);
}

#[test]
fn a_pause_whose_checkpoint_can_not_be_written_is_told_and_training_goes_on() {
    let (expected, _) = undisturbed();
    let mut rare = spec();
    rare["checkpoints"]["every_steps"] = json!(0);
    let dir = run_dir(&rare);
    // A file where the folder of all checkpoints is to be.
    let obstacle = dir.path().join("checkpoints");
    let (code, events) = go(dir.path(), Act::Obstruct(3, obstacle));
    assert_eq!(code, exit_code::PAUSED, "{events:?}");
    let failed = events
        .iter()
        .position(|event| matches!(event, RunEvent::PauseFailed { step: 3, code, .. } if code == "storage"))
        .unwrap();
    assert_eq!(
        metrics(&events[failed..]).len(),
        1,
        "one step until it was asked again"
    );
    assert!(matches!(events.last(), Some(RunEvent::Paused { step: 4 })));
    assert_eq!(go(dir.path(), Act::Nothing).0, exit_code::DONE);
    assert_eq!(result(dir.path()), expected);
}

#[test]
fn the_step_with_the_lowest_validation_loss_has_a_checkpoint_whatever_the_rhythm() {
    let mut rare = spec();
    rare["checkpoints"]["every_steps"] = json!(0);
    rare["epochs"] = json!(3);
    rare["evaluation_epochs"] = json!(3);
    let dir = run_dir(&rare);
    let (code, events) = go(dir.path(), Act::Nothing);
    assert_eq!(code, exit_code::DONE);
    let best = metrics(&events)
        .iter()
        .filter_map(|metrics| Some((metrics.valid_loss?, metrics.step)))
        .min_by(|one, other| one.0.total_cmp(&other.0))
        .unwrap();
    let kept = crate::checkpoint::steps(dir.path());
    assert!(kept.contains(&best.1) && kept.contains(&18), "{best:?} {kept:?}");
    let first = metrics(&events)[5].valid_loss.unwrap();
    assert!(best.0 <= first);
    assert!(
        events
            .iter()
            .any(|event| matches!(event, RunEvent::Checkpoint { step: 6, .. })),
        "the first validation is the best so far"
    );
}

#[test]
fn a_long_validation_gives_signs_of_life() {
    let dir = run_dir(&spec());
    let (_, events) = go(dir.path(), Act::Nothing);
    let beats = events
        .iter()
        .filter(|event| matches!(event, RunEvent::Heartbeat { .. }))
        .count();
    assert!(beats >= 2, "one a batch of each of the two validations: {beats}");
}
