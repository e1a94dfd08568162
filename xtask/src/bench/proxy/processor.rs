//! Which core a process may use, and how much time it has spent on it.

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_setaffinity};
use std::{fs, process::Command};

/// Binds this process's threads to one core: the calling one, and those that it starts.
pub(super) fn bind_this(core: usize) -> Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).with_context(|| format!("can't bind to core {core}"))
}

/// A command that runs on one core.
pub(super) fn on_core(core: usize, command: &Command) -> Result<Command> {
    let mut bound = crate::process::command("taskset")?;
    bound.args(["-c", &core.to_string()]).arg(command.get_program());
    bound.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bound.env(name, value),
            None => bound.env_remove(name),
        };
    }
    Ok(bound)
}

/// Seconds of processor time that a process and its children have spent, all their threads together.
pub(super) fn seconds(process: u32) -> Result<f64> {
    let mut total = 0.0;
    for process in family(process) {
        let tasks = fs::read_dir(format!("/proc/{process}/task")).context("the process has ended")?;
        for task in tasks.flatten() {
            // A thread may end between the two readings.
            let Ok(text) = fs::read_to_string(task.path().join("schedstat")) else {
                continue;
            };
            let nanoseconds: f64 = text.split_whitespace().next().unwrap_or("0").parse()?;
            total += nanoseconds / 1e9;
        }
    }
    Ok(total)
}

fn family(process: u32) -> Vec<u32> {
    let mut family = vec![process];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        let path = format!("/proc/{parent}/task/{parent}/children");
        let children = fs::read_to_string(path).unwrap_or_default();
        family.extend(
            children
                .split_whitespace()
                .filter_map(|child| child.parse::<u32>().ok()),
        );
        next += 1;
    }
    family
}
