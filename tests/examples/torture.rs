//! `cargo xtask torture`: jobs disturbed at random instants until there were so many kills; see `tests::torture`.
//!
//!     torture --kills N [--seed S] [--threads T] [--folder DIR]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement prints, and fails loudly"
)]

use std::{
    env,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};
use tests::torture::{Options, run};

#[tokio::main]
async fn main() -> ExitCode {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
    let mut options = Options {
        kills: 1_000,
        seed: now.as_secs(),
        threads: 2,
        folder: "target/torture".into(),
    };
    let mut words = env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().expect("each option has a value");
        match word.as_str() {
            "--kills" => options.kills = value.parse().expect("a number"),
            "--seed" => options.seed = value.parse().expect("a number"),
            "--threads" => options.threads = value.parse().expect("a number"),
            "--folder" => options.folder = value.into(),
            other => panic!("there is no option `{other}`"),
        }
    }
    let tally = run(&options).await;
    println!("\n{}", tally.table());
    if tally.mismatches().is_empty() {
        ExitCode::SUCCESS
    } else {
        println!("everything is left in `{}`", options.folder.display());
        ExitCode::FAILURE
    }
}
