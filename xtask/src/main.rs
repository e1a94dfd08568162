//! `cargo xtask`: builds, runs and checks Attune, and installs what that needs.
//!
//! Architecture invariant: depends on none of our other crates, so that it compiles in seconds and can build a
//! workspace that is broken.

mod arguments;
mod bench;
mod browser_build;
mod dist;
#[cfg(test)]
mod documents;
mod example;
mod fuzz_api;
mod glue;
mod image;
mod module;
mod openapi;
mod pictures;
mod process;
mod project;
mod recipe;
mod run;
mod size;
mod stage;
mod static_host;
mod test;
mod tools;
mod torture;

use arguments::Command;
use std::process::ExitCode;

fn main() -> ExitCode {
    let command = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("error: {error}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    let outcome = match command {
        Command::Help => {
            println!("{}", arguments::USAGE);
            Ok(ExitCode::SUCCESS)
        }
        Command::Run(options) => run::run(&options),
        Command::Test => test::test(),
        Command::Pictures => pictures::pictures(),
        Command::Dist(options) => dist::dist(&options),
        Command::Image(options) => image::image(&options),
        Command::Size => size::size(),
        Command::Openapi { check } => openapi::openapi(check),
        Command::Bench { name, arguments } => bench::bench(&name, arguments),
        Command::Torture { arguments } => torture::torture(&arguments),
        Command::FuzzApi { arguments } => fuzz_api::fuzz_api(&arguments),
        Command::BaseModel { arguments } => recipe::base_model(&arguments),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
