//! Preference optimisation through whole runs: what it learns, and that it is as safe from kills as any run.

use super::{memory::told, *};
use crate::{
    Model,
    lora::Adapter,
    network::{Batch, Dropout, Network, Workspace},
    ops::loss::Totals,
    preference::judge,
    random::{Purpose, Stream},
    testing::{lines, pair_lines, preference_spec, tiny_model},
};
use shared::run::{LoraSpec, Projection};

#[test]
fn a_run_over_pairs_learns_which_answer_is_preferred() {
    let mut longer = preference_spec();
    longer["epochs"] = json!(4);
    longer["evaluation_epochs"] = json!(2);
    let dir = run_dir(&longer);
    let (code, events) = go(dir.path(), Act::Nothing);
    assert_eq!(code, exit_code::DONE, "{events:?}");
    let steps = metrics(&events);
    assert_eq!(steps.len(), 24);
    let (first, last) = (&steps[0], &steps[23]);
    // The fresh adapter changes nothing, so the first step is a coin's, dropout or not.
    assert!(
        (first.train_loss - std::f64::consts::LN_2).abs() < 1e-3,
        "{first:?}"
    );
    let (before, after) = (first.rewards.unwrap(), last.rewards.unwrap());
    assert!(
        before.margin.abs() < 1e-3 && after.margin > 0.1,
        "{before:?} {after:?}"
    );
    assert!(after.accuracy > 0.9 && last.train_loss < first.train_loss);
    assert!((after.chosen - after.rejected - after.margin).abs() < 1e-12);
    let valid: Vec<u64> = steps
        .iter()
        .filter(|step| step.valid_loss.is_some() && step.valid_rewards.is_some())
        .map(|step| step.step)
        .collect();
    assert_eq!(valid, [12, 24]);
    let valid = last.valid_rewards.unwrap();
    assert!(valid.margin > 0.1 && valid.accuracy == 1.0, "{valid:?}");
    // 11 pairs of two answers of 4 target tokens, four times.
    assert!(
        matches!(
            events.last(),
            Some(RunEvent::Done {
                trained_tokens: 352,
                ..
            })
        ),
        "{:?}",
        events.last()
    );
}

#[test]
fn paused_and_resumed_at_any_step_a_run_over_pairs_ends_with_the_same_bytes() {
    let (expected, steps) = undisturbed_of(&preference_spec());
    for at in [1, 4, 6, 11] {
        let dir = run_dir(&preference_spec());
        let (code, _) = go(dir.path(), Act::Leave(at));
        assert_eq!(code, exit_code::PAUSED);
        let (code, events) = go_with(dir.path(), RunOptions { replay_after: at }, Act::Nothing);
        assert_eq!(code, exit_code::DONE);
        assert_eq!(metrics(&events), steps[at as usize..]);
        assert_eq!(result(dir.path()), expected, "paused at {at}");
    }
}

#[test]
fn killed_in_the_midst_of_things_a_run_over_pairs_ends_with_the_same_bytes() {
    let (expected, _) = undisturbed_of(&preference_spec());
    for bytes in [150, 900, 2500, 4500] {
        let dir = run_dir(&preference_spec());
        kills::kill_after(dir.path(), bytes);
        assert_eq!(go(dir.path(), Act::Nothing).0, exit_code::DONE);
        assert_eq!(result(dir.path()), expected, "killed after {bytes} bytes");
    }
}

#[test]
fn neither_threads_nor_gradient_checkpointing_change_a_byte_of_a_run_over_pairs() {
    let (expected, _) = undisturbed_of(&preference_spec());
    for (field, value) in [("threads", json!(3)), ("gradient_checkpointing", json!("on"))] {
        let mut other = preference_spec();
        other[field] = value;
        assert_eq!(undisturbed_of(&other).0, expected, "{field}");
    }
}

#[test]
fn a_pause_is_heard_while_the_reference_is_measured() {
    let (expected, _) = undisturbed_of(&preference_spec());
    let dir = run_dir(&preference_spec());
    let (sender, commands) = Commands::channel();
    sender.send(RunCommand::Pause).unwrap();
    assert_eq!(
        run(dir.path(), RunOptions::default(), commands, Box::new(io::sink())),
        exit_code::PAUSED
    );
    assert_eq!(crate::checkpoint::steps(dir.path()), [0]);
    assert_eq!(go(dir.path(), Act::Nothing).0, exit_code::DONE);
    assert_eq!(result(dir.path()), expected);
}

#[test]
fn the_estimate_counts_both_answers_of_a_pair() {
    let pairs = run_dir(&preference_spec());
    let one = run_dir(&spec());
    // The same chats, of each only the preferred answer.
    let chats = pair_lines(11).lines().fold(String::new(), |text, line| {
        let pair: Value = serde_json::from_str(line).unwrap();
        let messages = [&pair["input"]["messages"][0], &pair["preferred_output"][0]];
        text + &json!({ "messages": messages }).to_string() + "\n"
    });
    fs::write(one.path().join("data/train.jsonl"), chats).unwrap();
    let (pairs, one) = (told(pairs.path()), told(one.path()));
    assert_eq!(pairs.total_steps, one.total_steps);
    assert_eq!(pairs.training_tokens, 2 * one.training_tokens);
    assert!(pairs.memory_bytes > one.memory_bytes);
}

#[test]
fn data_of_another_method_and_a_beta_out_of_bounds_are_refused() {
    for (spec, lines, words) in [
        (preference_spec(), lines(11), "compares pairs"),
        (spec(), pair_lines(11), "holds preference pairs"),
    ] {
        let dir = run_dir(&spec);
        fs::write(dir.path().join("data/train.jsonl"), lines).unwrap();
        let (code, events) = go(dir.path(), Act::Nothing);
        assert_eq!(code, exit_code::REFUSED);
        let (_, code, message) = failure(&events);
        assert!(
            code == "invalid_training_file" && message.contains(words),
            "{message}"
        );
    }
    for beta in [json!(0), json!(-0.5), json!(2.5)] {
        let mut spec = preference_spec();
        spec["method"]["dpo"]["beta"] = beta;
        let (code, events) = go(run_dir(&spec).path(), Act::Nothing);
        assert_eq!(code, exit_code::REFUSED);
        assert!(failure(&events).2.contains("method.dpo.beta"));
    }
}

/// Two pairs, each answer after its own prompt.
fn batch() -> Batch {
    let mut batch = Batch::default();
    for (tokens, answer) in [
        ([1, 5, 9, 30, 7, 3], 3),
        ([1, 5, 9, 41, 12, 3], 3),
        ([4, 8, 2, 40, 6, 3], 4),
        ([4, 8, 2, 11, 46, 3], 4),
    ] {
        batch.push(&tokens, (0..6).map(|place| place >= answer));
    }
    batch
}

const fn with<'a>(model: &'a Model, adapter: &'a Adapter, dropout: Option<Dropout>) -> Network<'a> {
    Network {
        model,
        adapter: Some(adapter),
        dropout,
    }
}

fn check_gradients(family: &str, dropout: Option<Dropout>, gradient_checkpointing: bool) {
    const BETA: f64 = 0.4;
    let (model, batch) = (tiny_model(family, 2), batch());
    let lora = LoraSpec {
        rank: 3,
        alpha: 6.0,
        dropout: 0.0,
        targets: Projection::ALL.to_vec(),
    };
    let mut adapter = Adapter::random(&model, &lora, 1).unwrap();
    let noise = Stream::new(8, Purpose::Caller, &[]);
    for (place, value) in adapter.values.iter_mut().enumerate() {
        *value += noise.normal(place as u64) as f32 * 0.1;
    }
    let mut workspace = Workspace::new(gradient_checkpointing);
    let reference: Vec<f64> = workspace
        .evaluate_texts(Network::frozen(&model), &batch)
        .iter()
        .map(|text| -text.loss)
        .collect();
    let judged = |texts: &[Totals], pair: usize| {
        let policy = [0, 1].map(|answer| -texts[2 * pair + answer].loss);
        judge(BETA, policy, [0, 1].map(|answer| reference[2 * pair + answer]))
    };
    let mut grads = vec![0.0; adapter.values.len()];
    let weigh = |texts: &[Totals]| {
        [0, 1]
            .into_iter()
            .flat_map(|pair| judged(texts, pair).weights.map(|weight| (weight / 2.0) as f32))
            .collect()
    };
    workspace.train_weighed(with(&model, &adapter, dropout), &batch, weigh, &mut grads);
    let (mut worst, step) = (0.0_f64, 1e-3);
    for place in (0..adapter.values.len()).step_by(adapter.values.len() / 60) {
        let kept = adapter.values[place];
        let mut loss_at = |value: f32| {
            adapter.values[place] = value;
            let texts = workspace.evaluate_texts(with(&model, &adapter, dropout), &batch);
            (judged(&texts, 0).loss + judged(&texts, 1).loss) / 2.0
        };
        let expected = (loss_at(kept + step) - loss_at(kept - step)) / (2.0 * f64::from(step));
        adapter.values[place] = kept;
        worst = worst.max((f64::from(grads[place]) - expected).abs() / (0.05 + expected.abs()));
    }
    assert!(worst < 2e-2, "{family}: {worst}");
    assert!(grads.iter().any(|grad| grad.abs() > 1e-2));
}

#[test]
fn gradients_of_the_loss_of_pairs_agree_with_finite_differences() {
    let dropout = Dropout {
        seed: 1,
        step: 4,
        probability: 0.3,
    };
    for family in ["llama", "qwen2", "qwen3"] {
        check_gradients(family, None, false);
    }
    check_gradients("llama", Some(dropout), false);
    check_gradients("qwen3", None, true);
}
