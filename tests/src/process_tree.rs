//! Finding and ending processes by their id, and only those that a test started.

use rustix::process::{Pid, Signal, kill_process};
use std::{fs, os::unix::ffi::OsStrExt as _, path::Path};

/// Every process whose parent is `parent`, as the kernel tells it now.
#[must_use]
pub fn children(parent: u32) -> Vec<u32> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc can be read").flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process can end between the listing and this look.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        // The name in brackets may itself hold brackets and spaces; the state and the parent follow the last one.
        let parent_of = stat
            .rsplit(')')
            .next()
            .and_then(|rest| rest.split_whitespace().nth(1));
        if parent_of.and_then(|word| word.parse().ok()) == Some(parent) {
            children.push(id);
        }
    }
    children
}

/// The processes below `root`, nearest first, without itself.
#[must_use]
pub fn descendants(root: u32) -> Vec<u32> {
    let mut found = children(root);
    let mut next = 0;
    while next < found.len() {
        found.extend(children(found[next]));
        next += 1;
    }
    found
}

/// The trainer that a server has started, if one lives.
#[must_use]
pub fn trainer_of(server: u32) -> Option<u32> {
    child_of(server, b"train")
}

/// The process that a server has started to decode, if one lives.
#[must_use]
pub fn decoder_of(server: u32) -> Option<u32> {
    child_of(server, b"infer")
}

/// The child whose command line has this word.
fn child_of(server: u32, wanted: &[u8]) -> Option<u32> {
    children(server).into_iter().find(|child| {
        is_alive(*child)
            && fs::read(format!("/proc/{child}/cmdline"))
                .is_ok_and(|command| command.split(|byte| *byte == 0).any(|word| word == wanted))
    })
}

/// Sends a signal; a process that is gone already is what was wanted.
pub fn signal(process: u32, signal: Signal) {
    let process = i32::try_from(process)
        .ok()
        .and_then(Pid::from_raw)
        .expect("a process id");
    let _ = kill_process(process, signal);
}

/// Whether a process runs; one that has ended and whose parent hasn't taken note doesn't.
#[must_use]
pub fn is_alive(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = stat
        .rsplit(')')
        .next()
        .and_then(|rest| rest.split_whitespace().next());
    state.is_some_and(|state| !matches!(state, "Z" | "X"))
}

/// Every trainer of a run, whoever started it: each names the run's directory.
#[must_use]
pub fn trainers_in(run_dir: &Path) -> Vec<u32> {
    let run_dir = run_dir.as_os_str().as_bytes();
    let is_one = |process: &u32| {
        fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|command| {
            let mut words = command.split(|byte| *byte == 0);
            words.any(|word| word == b"train") && words.any(|word| word == run_dir)
        })
    };
    let entries = fs::read_dir("/proc").expect("/proc can be read").flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(is_one)
        .collect()
}
