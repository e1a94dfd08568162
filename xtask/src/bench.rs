//! `cargo xtask bench NAME`: figures measured in one run on this machine, beside their goals, or beside a peer's with the
//! ratio last.

mod chart;
mod list;
mod lora;
mod page;
mod proxy;

use crate::example;
use anyhow::{Result, bail};
use std::{ffi::OsString, path::PathBuf, process::ExitCode};

/// Runs one benchmark.
///
/// # Errors
/// There is none of that name, a peer can't be installed, the answers to compare are not equal, or a goal is missed.
pub(crate) fn bench(name: &str, arguments: Vec<OsString>) -> Result<ExitCode> {
    if !matches!(name, "lora" | "decode") && !arguments.is_empty() {
        bail!("`bench {name}` takes no arguments");
    }
    match name {
        "decode" => example::run("--package trainer --example bench_decode", arguments, None)?,
        "chart" => chart::bench()?,
        "list" => list::bench()?,
        "lora" => lora::bench(arguments)?,
        "page" => page::bench()?,
        "proxy" => proxy::bench()?,
        "checkpoints" => program("trainer", "bench_checkpoints", None)?,
        "queue" => program("engine --features testing", "bench_queue", None)?,
        "streams" => program("tests", "bench_streams", Some(example::server()?))?,
        _ => bail!("there is no benchmark `{name}`; `cargo xtask help` names them"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Measures with an example of one of our packages.
fn program(package: &str, example: &str, server: Option<PathBuf>) -> Result<()> {
    example::run(
        &format!("--package {package} --example {example}"),
        [""; 0],
        server,
    )
}

/// The middle one; of an even number, the lower of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values
        .get(values.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_in_whatever_order() {
        assert!((median(vec![5.0, 1.0, 3.0]) - 3.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()).is_nan());
    }
}
