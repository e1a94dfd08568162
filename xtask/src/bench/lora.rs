//! LoRA training beside `PyTorch` with PEFT: the same weights, the same start of the adapter, the same tokens and threads.
//!
//! Weights are stored as bf16 (a model of one's own: as it is); both read the same numbers and compute in f32. Ours keeps
//! them in 16 bits, PEFT in f32. Before anything is timed, and after, each loss of the one must be the other's. Each runs
//! in a process of its own, in turn. User time stands beside the clock's, because a busy machine stretches the latter.

use super::median;
use crate::{example, process, project, stage::stage, tools};
use anyhow::{Context, Result, bail, ensure};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

/// How far two losses of the same step may be apart.
const TOLERANCE: f64 = 1e-4;

struct Options {
    model: Option<PathBuf>,
    threads: u32,
    rounds: usize,
}

/// What one process tells.
struct Figures {
    losses: Vec<f64>,
    tokens_per_second: f64,
    /// Tokens in a second of one processor.
    tokens_per_user_second: f64,
    peak_bytes: f64,
    /// Of the matrix product's own rate; ours only.
    share: Option<f64>,
}

/// Measures, and prints the table.
///
/// # Errors
/// Something can't be built or installed, or the losses are not equal.
pub(super) fn bench(arguments: Vec<OsString>) -> Result<()> {
    let options = options(arguments)?;
    let python = tools::ensure_peft()?;
    let bench = stage("program", || {
        example::build("--package trainer --example bench")?;
        Ok(project::target().join("release/examples/bench"))
    })?;
    let folder = project::target().join("peers/lora-models");
    fs::create_dir_all(&folder).with_context(|| format!("can't create `{}`", folder.display()))?;
    println!(
        "{} threads, batches of 8 x 256 tokens, rank 16 on all projections, computed in f32; medians of {} rounds",
        options.threads, options.rounds
    );
    println!("model   what                         ours       PEFT     ratio");
    let models: Vec<(String, PathBuf)> = match &options.model {
        Some(model) => vec![("given".to_owned(), model.clone())],
        None => ["small", "135m"]
            .map(|name| (name.to_owned(), folder.join(name)))
            .to_vec(),
    };
    for (name, model) in models {
        if options.model.is_none() && !model.join("model.safetensors").exists() {
            let mut write = process::command(&bench)?;
            process::run(write.args(["--write", &name, "--model"]).arg(&model))?;
        }
        let adapter = folder.join(format!("{name}-adapter"));
        // Made by the first of ours, and anew for each call: a model of one's own may be another.
        if adapter.exists() {
            fs::remove_dir_all(&adapter).with_context(|| format!("can't remove `{}`", adapter.display()))?;
        }
        measure(&name, &model, &adapter, &bench, &python, &options)?;
    }
    Ok(())
}

fn measure(
    name: &str,
    model: &Path,
    adapter: &Path,
    bench: &Path,
    python: &Path,
    options: &Options,
) -> Result<()> {
    let script = project::root().join("trainer/reference/bench_peft.py");
    let go = |program: &Path, script: Option<&Path>, steps: &str| -> Result<Figures> {
        let mut command = process::command(program)?;
        command.args(script).arg("--model").arg(model);
        command.arg("--adapter").arg(adapter).args(["--steps", steps]);
        command.args(["--threads", &options.threads.to_string()]);
        figures(&process::capture(&mut command)?)
    };
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    agree(&go(bench, None, "2")?, &go(python, Some(&script), "2")?)?;
    let steps = if name == "small" { "8" } else { "3" };
    for _ in 0..options.rounds {
        ours.push(go(bench, None, steps)?);
        peers.push(go(python, Some(&script), steps)?);
        if let (Some(one), Some(other)) = (ours.last(), peers.last()) {
            agree(one, other)?;
        }
    }
    let row = |what: &str, digits: usize, figure: fn(&Figures) -> f64| {
        let of = |all: &[Figures]| median(all.iter().map(figure).collect());
        let (one, other) = (of(&ours), of(&peers));
        println!(
            "{name:7} {what:24} {one:9.digits$}  {other:9.digits$}  {:8.2}",
            one / other
        );
    };
    row("tokens/s", 0, |figures| figures.tokens_per_second);
    row("tokens per user second", 0, |figures| {
        figures.tokens_per_user_second
    });
    row("peak memory, MB", 0, |figures| figures.peak_bytes / 1e6);
    let share = median(ours.iter().filter_map(|figures| figures.share).collect());
    println!("{name:7} share of the matrix product's own rate {share:6.2}");
    Ok(())
}

/// That each step's loss is the same.
fn agree(ours: &Figures, peers: &Figures) -> Result<()> {
    ensure!(
        ours.losses.len() == peers.losses.len() && !ours.losses.is_empty(),
        "the two took different numbers of steps"
    );
    for (step, (one, other)) in ours.losses.iter().zip(&peers.losses).enumerate() {
        ensure!(
            (one - other).abs() <= TOLERANCE * other.abs(),
            "the losses of step {} differ: {one} and {other}",
            step + 1
        );
    }
    Ok(())
}

/// Reads the last line of what a program printed: `name=value` with blanks between.
fn figures(text: &str) -> Result<Figures> {
    let line = text.lines().last().unwrap_or("");
    let field = |name: &str| {
        line.split(' ')
            .filter_map(|field| field.split_once('='))
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    };
    let number = |name: &str| -> Result<f64> {
        let value = field(name).with_context(|| format!("no `{name}` in `{line}`"))?;
        value
            .parse()
            .with_context(|| format!("`{name}` is no number in `{line}`"))
    };
    let losses = field("losses").unwrap_or("").split(',').map(str::parse);
    Ok(Figures {
        losses: losses.collect::<Result<_, _>>().context("a loss is no number")?,
        tokens_per_second: number("tokens")? / number("step_seconds")?,
        tokens_per_user_second: number("tokens")? / number("user_seconds")?,
        peak_bytes: number("peak_bytes")?,
        share: field("share").map(str::parse).transpose()?,
    })
}

fn options(arguments: Vec<OsString>) -> Result<Options> {
    let mut options = Options {
        model: None,
        threads: 2,
        rounds: 3,
    };
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        use lexopt::ValueExt as _;
        match argument {
            lexopt::Arg::Long("model") => {
                options.model = Some(PathBuf::from(parser.value()?).canonicalize()?);
            }
            lexopt::Arg::Long("threads") => options.threads = parser.value()?.parse()?,
            lexopt::Arg::Long("rounds") => options.rounds = parser.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    if options.rounds == 0 || options.threads == 0 {
        bail!("`--rounds` and `--threads` are at least 1");
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_the_last_line() {
        let text =
            "a warning\nlosses=2.5,2.25 tokens=100 step_seconds=0.5 user_seconds=1 peak_bytes=7 share=0.8\n";
        let found = figures(text).unwrap();
        assert_eq!((found.losses, found.share), (vec![2.5, 2.25], Some(0.8)));
        assert!((found.tokens_per_second - 200.0).abs() < 1e-9 && found.peak_bytes > 6.0);
        assert!(figures("losses=1 tokens=1").is_err());
        assert!(figures("").is_err());
    }

    #[test]
    fn losses_that_differ_are_found() {
        let with = |loss: &str| {
            figures(&format!(
                "losses=1.0,{loss} tokens=1 step_seconds=1 user_seconds=1 peak_bytes=1"
            ))
            .unwrap()
        };
        assert!(agree(&with("2.0"), &with("2.0001")).is_ok());
        assert!(agree(&with("2.0"), &with("2.001")).is_err());
    }
}
