//! That what is told of a step is what the trainer took for it.

use super::*;
use crate::{
    chat::{ChatTokenizer, Tokens},
    data,
    model::read_config,
    network::Batch,
    run::examples,
    testing::preference_spec,
};
use shared::{run::RunSpec, step_examples::StepExamples};

/// The tokens that went into each step of a run directory, in their order.
type Seen = BTreeMap<(PathBuf, u64), Vec<u32>>;

static SEEN: Mutex<Seen> = Mutex::new(Seen::new());

/// What a step trains on, told by training itself. A step that is trained again must take the same.
pub(in crate::run) fn note(run_dir: &Path, step: u64, batches: &[Batch]) {
    let tokens: Vec<u32> = batches.iter().flat_map(|batch| batch.tokens.clone()).collect();
    let key = (run_dir.to_owned(), step);
    let before = SEEN.lock().unwrap().insert(key, tokens.clone());
    assert!(
        before.is_none_or(|before| before == tokens),
        "step {step} took others"
    );
}

fn seen(run_dir: &Path, step: u64) -> Vec<u32> {
    SEEN.lock().unwrap()[&(run_dir.to_owned(), step)].clone()
}

/// Eleven chats or pairs of which no two are alike, with blank lines between them.
fn distinct(method: &Value) -> String {
    let (colours, numbers) = (["red", "green", "blue"], ["one", "two", "three"]);
    let line = |index: usize| {
        let words = [index % 3, index / 3 % 3, index / 9].map(|place| colours[place]);
        let question = json!({"role": "user", "content": format!("say {}", words.join(" "))});
        let answer = |place: usize| json!({"role": "assistant", "content": numbers[(index + place) % 3]});
        let line = if method.is_object() {
            json!({"input": {"messages": [question]}, "preferred_output": [answer(0)],
                   "non_preferred_output": [answer(1)]})
        } else {
            json!({"messages": [question, answer(0)]})
        };
        format!("{line}\n{}", if index % 4 == 1 { " \n\n" } else { "" })
    };
    (0..11).map(line).collect()
}

fn told(run_dir: &Path, step: u64) -> StepExamples {
    let spec = prepare::read_spec(run_dir).unwrap();
    examples(&spec, run_dir, step).unwrap()
}

/// The tokens of the lines that an answer names, read from the file by hand.
fn tokens(run_dir: &Path, told: &StepExamples) -> (Vec<u32>, u64) {
    let spec: RunSpec = prepare::read_spec(run_dir).unwrap();
    let folder = run_dir.join("model");
    let tokenizer = ChatTokenizer::load(&folder, &read_config(&folder).unwrap()).unwrap();
    let file = fs::read_to_string(run_dir.join("data/train.jsonl")).unwrap();
    let lines: Vec<&str> = file.lines().collect();
    let (mut ids, mut targets) = (Vec::new(), 0);
    for told in &told.examples {
        let text = lines[told.example.line as usize - 1];
        let example = data::parse(text.as_bytes(), told.example.line, spec.method.method()).unwrap();
        let texts = data::tokenise(&example, spec.method.method(), &tokenizer, 32).unwrap();
        let count = |of: fn(&Tokens) -> usize| Some(texts.iter().map(of).sum::<usize>() as u64);
        assert_eq!(told.tokens, count(|tokens| tokens.ids.len()));
        assert_eq!(told.target_tokens, count(Tokens::targets));
        targets += told.target_tokens.unwrap();
        let question = &told.example.messages[0].content;
        assert!(text.contains(question.as_str()), "{text} {question}");
        assert_eq!(told.example.non_preferred.is_some(), spec.method.beta().is_some());
        ids.extend(texts.into_iter().flat_map(|tokens| tokens.ids));
    }
    (ids, targets)
}

/// Runs to the end, interrupted where `acts` say so, and compares every step.
fn compare(spec: &Value, acts: &[Act], steps: u64) {
    let dir = run_dir(spec);
    fs::write(dir.path().join("data/train.jsonl"), distinct(&spec["method"])).unwrap();
    for act in acts {
        go(dir.path(), act.clone());
    }
    let (code, events) = go(dir.path(), Act::Nothing);
    assert_eq!(code, exit_code::DONE, "{events:?}");
    let measured = metrics(&events);
    assert_eq!(measured.len() as u64, steps);
    let mut visited = BTreeMap::<u64, Vec<u64>>::new();
    for metrics in &measured {
        let told = told(dir.path(), metrics.step);
        assert_eq!((told.step, told.total_steps), (metrics.step, steps));
        let (ids, _) = tokens(dir.path(), &told);
        assert_eq!(ids, seen(dir.path(), metrics.step), "step {}", metrics.step);
        assert_eq!(ids.len() as u64, metrics.tokens);
        let lines = told.examples.iter().map(|told| told.example.line);
        visited.entry(told.epoch).or_default().extend(lines);
    }
    let orders: Vec<_> = visited.values().collect();
    assert!(
        orders.iter().all(|order| order.len() == 11) && orders[0] != orders[1],
        "{orders:?}"
    );
}

#[test]
fn the_examples_told_of_each_step_are_those_that_it_trained_on() {
    for (batch_size, accumulation, steps) in [(2, 2, 18), (4, 3, 9), (11, 1, 3), (30, 7, 3)] {
        for mut spec in [spec(), preference_spec()] {
            spec["epochs"] = json!(3);
            spec["batch_size"] = json!(batch_size);
            spec["gradient_accumulation"] = json!(accumulation);
            compare(&spec, &[], steps);
        }
    }
}

#[test]
fn they_are_the_same_for_a_run_that_was_paused_and_cut_off() {
    for spec in [spec(), preference_spec()] {
        let acts = [
            Act::Leave(3),
            Act::Break(7),
            Act::Send(9, vec![RunCommand::Pause]),
        ];
        compare(&spec, &acts, 12);
    }
}

#[test]
fn without_the_model_lines_are_told_without_tokens_and_a_step_beyond_the_run_is_refused() {
    let dir = run_dir(&spec());
    let with = told(dir.path(), 12);
    assert_eq!(
        (with.epoch, with.examples.len()),
        (2, 1),
        "the last of 11 by twos"
    );
    assert_eq!(with.examples[0].target_tokens, Some(4));
    fs::remove_dir_all(dir.path().join("model")).unwrap();
    let without = told(dir.path(), 12);
    assert_eq!(without.examples[0].example, with.examples[0].example);
    assert_eq!(without.examples[0].tokens, None);
    let spec = prepare::read_spec(dir.path()).unwrap();
    for step in [0, 13] {
        let error = examples(&spec, dir.path(), step).unwrap_err();
        assert!(error.to_string().contains("1 to 12"), "{error}");
    }
}
