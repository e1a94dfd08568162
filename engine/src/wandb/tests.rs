use super::*;
use shared::run::Rewards;
use std::{fmt::Write as _, path::PathBuf};

fn run() -> Run {
    Run {
        id: "0123456789ab".to_owned(),
        wandb: Wandb {
            project: "my project".to_owned(),
            name: None,
            entity: Some("my team".to_owned()),
            tags: vec!["first".to_owned(), "größer".to_owned()],
        },
        name: "ftjob-0123456789abcdef".to_owned(),
        started_at: Timestamp::from_unix_ms(1_795_838_306_804),
        config: vec![("n_epochs", 3.into()), ("lora", serde_json::json!({"rank": 8}))],
    }
}

fn step(step: u64) -> StepMetrics {
    let valid = step == 3;
    let rewards = Rewards {
        chosen: 0.5,
        rejected: -0.25,
        margin: 0.75,
        accuracy: 1.0,
    };
    StepMetrics {
        step,
        total_steps: 3,
        epoch: step as f64 / 3.0,
        // The second is no number.
        train_loss: if step == 2 { f64::NAN } else { 2.0 / step as f64 },
        train_token_accuracy: 0.5,
        learning_rate: 0.00002,
        gradient_norm: f64::INFINITY,
        tokens: 128,
        trained_tokens: None,
        valid_loss: valid.then_some(1.25),
        valid_token_accuracy: valid.then_some(0.625),
        rewards: valid.then_some(rewards),
        valid_rewards: None,
    }
}

fn written() -> Vec<u8> {
    let mut writer = RunWriter::begin(Vec::new(), &run()).unwrap();
    for number in 1..=3 {
        let recorded_at = Timestamp::from_unix_ms(1_795_838_306_804 + 1500 * number as i64);
        writer.step(recorded_at, &step(number)).unwrap();
    }
    writer.end(Timestamp::from_unix_ms(1_795_838_316_804), 0).unwrap()
}

fn records(file: &[u8]) -> Vec<Record> {
    let records = log::tests::read(file);
    records
        .iter()
        .map(|record| Record::decode(record.as_slice()).unwrap())
        .collect()
}

/// What a file tells of each step, by name.
pub(crate) fn history(file: &[u8]) -> Vec<BTreeMap<String, String>> {
    let kinds = records(file).into_iter().filter_map(|record| record.kind);
    let histories = kinds.filter_map(|kind| match kind {
        Kind::History(history) => Some(history.item),
        _ => None,
    });
    histories
        .map(|items| {
            items
                .into_iter()
                .map(|item| (item.nested_key.concat(), item.value_json))
                .collect()
        })
        .collect()
}

/// How a file says that the run ended.
pub(crate) fn exit_code(file: &[u8]) -> i32 {
    match records(file).pop().and_then(|record| record.kind) {
        Some(Kind::Exit(exit)) => exit.exit_code,
        other => panic!("it ends with {other:?}"),
    }
}

/// Items as `name=value`, in order.
fn told(items: &[Item]) -> String {
    items.iter().fold(String::new(), |mut text, item| {
        write!(text, "{}={} ", item.nested_key.join("."), item.value_json).unwrap();
        text
    })
}

#[test]
fn a_run_tells_what_it_is_each_step_once_and_its_end() {
    let records = records(&written());
    assert_eq!(
        records.iter().map(|record| record.num).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5, 6, 7]
    );
    let kinds: Vec<Kind> = records.into_iter().filter_map(|record| record.kind).collect();
    let [
        Kind::Header(header),
        Kind::Run(run),
        Kind::History(first),
        Kind::History(second),
        Kind::History(third),
        Kind::Summary(summary),
        Kind::Exit(exit),
    ] = kinds.as_slice()
    else {
        panic!("{kinds:?}");
    };
    assert!(
        header
            .version_info
            .as_ref()
            .unwrap()
            .producer
            .starts_with("attune-")
    );
    assert_eq!(
        (run.run_id.as_str(), run.project.as_str(), run.entity.as_str()),
        ("0123456789ab", "my project", "my team")
    );
    assert_eq!(
        (run.display_name.as_str(), run.tags.as_slice()),
        (
            "ftjob-0123456789abcdef",
            ["first".to_owned(), "größer".to_owned()].as_slice()
        )
    );
    assert_eq!(
        run.start_time.unwrap(),
        record::Time {
            seconds: 1_795_838_306,
            nanos: 804_000_000
        }
    );
    let config: Vec<_> = run
        .config
        .as_ref()
        .unwrap()
        .update
        .iter()
        .map(|item| (item.key.as_str(), item.value_json.as_str()))
        .collect();
    assert_eq!(config, [("n_epochs", "3"), ("lora", r#"{"rank":8}"#)]);
    assert_eq!(
        told(&first.item),
        "_step=1 _timestamp=1795838308.304 _runtime=1.500 tokens=128 epoch=0.3333333333333333 train_loss=2 \
         train_mean_token_accuracy=0.5 learning_rate=0.00002 "
    );
    assert_eq!(second.step.unwrap().num, 2);
    assert!(
        !told(&second.item).contains("train_loss"),
        "{}",
        told(&second.item)
    );
    assert!(
        told(&third.item).ends_with(
            "valid_loss=1.25 valid_mean_token_accuracy=0.625 reward_chosen=0.5 reward_rejected=-0.25 reward_margin=0.75 \
             reward_accuracy=1 "
        ),
        "{}",
        told(&third.item)
    );
    let summary = told(&summary.update);
    assert!(
        summary.contains("_step=3 ") && summary.contains("train_loss=0.6666666666666666 "),
        "{summary}"
    );
    assert_eq!((exit.exit_code, exit.runtime), (0, 10));
}

#[test]
fn a_run_lies_where_the_client_looks_for_it() {
    assert_eq!(run().folder(), "offline-run-20261128_035826-0123456789ab");
    assert_eq!(run().file(), "run-0123456789ab.wandb");
}

/// What the client itself has read (`tests/clients/wandb_run.py`). The version of this crate is left out of the comparison.
#[test]
fn the_file_is_the_one_that_the_client_has_read() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/wandb/golden.wandb");
    let written = written();
    if std::env::var_os("ATTUNE_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, &written).unwrap();
    }
    let unversioned = |file: &[u8]| records(file).split_off(1);
    assert_eq!(unversioned(&std::fs::read(&path).unwrap()), unversioned(&written));
}
