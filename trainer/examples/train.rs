//! Trains a run directory: what `attune train RUN_DIR` does, without the rest of Attune.
//!
//!     cargo run --release -p trainer --example train -- RUN_DIR [--replay-after STEP]

use std::{path::Path, process::ExitCode};
use trainer::run::{RunOptions, main as train};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (run_dir, replay_after) = match words.as_slice() {
        [run_dir] => (run_dir, Some(0)),
        [run_dir, "--replay-after", step] => (run_dir, step.parse().ok()),
        _ => (&"", None),
    };
    match replay_after {
        Some(replay_after) => ExitCode::from(train(Path::new(run_dir), RunOptions { replay_after })),
        None => {
            eprintln!("usage: train RUN_DIR [--replay-after STEP]");
            ExitCode::from(shared::run::exit_code::REFUSED)
        }
    }
}
