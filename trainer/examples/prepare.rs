//! Prepares a model's folder by hand, as the hidden command of the binary does:
//! `cargo run --release -p trainer --example prepare FOLDER`.

use std::{path::PathBuf, process::ExitCode};

fn main() -> anyhow::Result<ExitCode> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    match trainer::prepare_model(&folder) {
        Ok(facts) => {
            println!("{facts:#?}");
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("{}: {error}", error.code());
            Ok(ExitCode::FAILURE)
        }
    }
}
