//! What a trainer's end means: its exit, its last words and its log, judged together.

use super::attempt::End;
use crate::executor::Exit;
use shared::{
    attempt::FailureCause,
    job::JobFailure,
    run::{RunEvent, exit_code},
};
use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
};

/// Lines of a dead trainer's log that are kept, and bytes of the log that are looked at for them.
const LOG_LINES: usize = 200;
const LOG_BYTES: u64 = 128 * 1024;

/// Lines of it that fit into a message.
const LAST_WORDS: usize = 3;

/// A trainer that ended unexpectedly.
#[derive(Debug, Clone)]
pub(crate) struct Death {
    /// In words that fit behind "it ended unexpectedly".
    pub(crate) how: String,
    pub(crate) cause: FailureCause,
}

/// What is known besides exit and last words.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Circumstances {
    /// The service goes down and has asked the trainer to leave.
    pub(crate) stopping: bool,
    /// Somebody has asked for a pause.
    pub(crate) pausing: bool,
    /// The supervisor has killed it because it told nothing for so many seconds.
    pub(crate) silent_for: Option<u64>,
    /// The kernel has ended processes for want of memory since it was started.
    pub(crate) out_of_memory: bool,
}

/// What a trainer's exit and its last words mean together.
pub(crate) fn judge(exit: Exit, last_words: Option<RunEvent>, around: Circumstances, log: &Path) -> End {
    const DONE: i32 = exit_code::DONE as i32;
    const PAUSED: i32 = exit_code::PAUSED as i32;
    const REFUSED: i32 = exit_code::REFUSED as i32;
    const DIVERGED: i32 = exit_code::DIVERGED as i32;
    const STORAGE: i32 = exit_code::STORAGE as i32;
    const LOCKED: i32 = exit_code::LOCKED as i32;
    match (exit, last_words) {
        (
            Exit::Code(DONE),
            Some(RunEvent::Done {
                trained_tokens,
                complete,
                ..
            }),
        ) => End::Done {
            trained_tokens,
            complete,
        },
        (Exit::Code(PAUSED), Some(RunEvent::Paused { step })) if around.pausing => End::Paused { step },
        (
            Exit::Code(REFUSED | DIVERGED | STORAGE),
            Some(RunEvent::Failed {
                code, message, line, ..
            }),
        ) => End::Failed(Box::new(failure(&code, message, line))),
        (Exit::Code(code @ (REFUSED | DIVERGED | STORAGE)), _) => {
            let (name, cause) = match code {
                REFUSED => ("run_refused", FailureCause::Unusable),
                DIVERGED => ("diverged", FailureCause::Diverged),
                _ => ("storage", FailureCause::Storage),
            };
            let said = last_words_of(log).unwrap_or_else(|| "it left no message".to_owned());
            let failure = JobFailure::new(name, format!("the trainer gave up: {said}"));
            End::Failed(Box::new(failure.because(cause)))
        }
        _ if around.stopping => End::Stopped,
        (Exit::Code(LOCKED), _) => End::Locked,
        (exit, _) => End::Died(death(exit, around, log)),
    }
}

/// A failure that the trainer told itself, with the line where it is a file's.
fn failure(code: &str, message: String, line: Option<u64>) -> JobFailure {
    let cause = match code {
        "invalid_training_file" | "invalid_validation_file" => FailureCause::BadData,
        "nan_loss" => FailureCause::Diverged,
        "not_enough_memory" => FailureCause::OutOfMemory,
        "disk_full" => FailureCause::DiskFull,
        "storage" => FailureCause::Storage,
        "threads" => FailureCause::Bug,
        _ => FailureCause::Unusable,
    };
    let failure = JobFailure::new(code, message).because(cause);
    match code.strip_prefix("invalid_") {
        Some(param) if param.ends_with("_file") => failure.of(param).at_line(line),
        Some(param @ "model") => failure.of(param),
        _ => failure,
    }
}

fn death(exit: Exit, around: Circumstances, log: &Path) -> Death {
    let said = last_words_of(log);
    // Rust's allocator says so before it aborts.
    let failed_to_allocate = said
        .as_ref()
        .is_some_and(|said| said.contains("memory allocation of"));
    let (how, cause) = match exit {
        _ if around.silent_for.is_some() => (
            format!(
                "it told nothing for {} s and was ended",
                around.silent_for.unwrap_or(0)
            ),
            FailureCause::Unresponsive,
        ),
        Exit::Signal(9) if around.out_of_memory => (
            "the machine ran out of memory and ended it".to_owned(),
            FailureCause::OutOfMemory,
        ),
        Exit::Signal(_) if failed_to_allocate => {
            ("it ran out of memory".to_owned(), FailureCause::OutOfMemory)
        }
        Exit::Signal(9) => ("it was killed (signal 9)".to_owned(), FailureCause::Signal),
        // Illegal instruction, abort, bus error, arithmetic, segmentation: its own doing.
        Exit::Signal(signal @ (4 | 6 | 7 | 8 | 11)) => {
            (format!("it crashed (signal {signal})"), FailureCause::Bug)
        }
        Exit::Signal(signal) => (format!("it was ended by signal {signal}"), FailureCause::Signal),
        Exit::Code(code) if code == i32::from(exit_code::BUG) => {
            ("it met a bug (exit code 101)".to_owned(), FailureCause::Bug)
        }
        Exit::Code(code) if code == i32::from(exit_code::PAUSED) => {
            ("it saved and left unasked".to_owned(), FailureCause::Signal)
        }
        Exit::Code(code) => (format!("it ended with exit code {code}"), FailureCause::Bug),
        Exit::Unknown => ("nobody knows how it ended".to_owned(), FailureCause::Signal),
    };
    let how = match said {
        Some(said) => format!("{how}; it last said: {said}"),
        None => how,
    };
    Death { how, cause }
}

/// How many processes the kernel has ended for want of memory since it started; nothing where it doesn't tell.
pub(crate) fn memory_kills() -> Option<u64> {
    let counters = std::fs::read_to_string("/proc/vmstat").ok()?;
    let line = counters.lines().find_map(|line| line.strip_prefix("oom_kill "))?;
    line.trim().parse().ok()
}

/// The last lines of a log, for whoever looks into it.
pub(crate) fn log_tail(log: &Path) -> Option<String> {
    last_lines(log, LOG_LINES).map(|lines| lines.join("\n"))
}

/// The last lines of a log, short enough for a message.
fn last_words_of(log: &Path) -> Option<String> {
    last_lines(log, LAST_WORDS).map(|lines| {
        let said = lines.join(" / ");
        // One endless line is no message.
        said.chars().take(600).collect()
    })
}

fn last_lines(log: &Path, count: usize) -> Option<Vec<String>> {
    let mut file = File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    let start = length.saturating_sub(LOG_BYTES);
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut tail = Vec::new();
    file.take(LOG_BYTES).read_to_end(&mut tail).ok()?;
    let tail = String::from_utf8_lossy(&tail);
    let mut lines: Vec<_> = tail
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect();
    if start > 0 && lines.len() > 1 {
        // Its beginning is cut off.
        lines.remove(0);
    }
    let last = lines.get(lines.len().saturating_sub(count)..)?;
    (!last.is_empty()).then(|| last.iter().map(|line| (*line).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge_exit(exit: Exit, around: Circumstances) -> End {
        judge(exit, None, around, Path::new("/nowhere"))
    }

    #[test]
    fn a_failure_keeps_the_trainers_own_code_and_names_the_file_at_fault_and_its_line() {
        let said = r#"{"type": "failed", "step": 0, "code": "invalid_training_file", "message": "line 5: no", "line": 3}"#;
        // As trainers said it before they told the line by itself.
        let before =
            r#"{"type": "failed", "step": 0, "code": "invalid_validation_file", "message": "line 5: no"}"#;
        // No file's, so there is no line of one.
        let other = r#"{"type": "failed", "step": 0, "code": "invalid_model", "message": "no", "line": 3}"#;
        for (said, param, cause, line) in [
            (said, "training_file", FailureCause::BadData, Some(3)),
            (before, "validation_file", FailureCause::BadData, None),
            (other, "model", FailureCause::Unusable, None),
        ] {
            let said: RunEvent = serde_json::from_str(said).unwrap();
            let around = Circumstances::default();
            let End::Failed(failure) = judge(Exit::Code(2), Some(said), around, Path::new("/nowhere")) else {
                panic!("not a failure")
            };
            assert_eq!(failure.code, format!("invalid_{param}"));
            assert_eq!(
                (failure.param.as_deref(), failure.cause, failure.line),
                (Some(param), Some(cause), line)
            );
        }
    }

    #[test]
    fn an_exit_without_done_is_a_death_with_the_last_words_of_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        std::fs::write(&log, "one\ntwo\nthree\n\nfour\n").unwrap();
        let End::Died(death) = judge(Exit::Code(0), None, Circumstances::default(), &log) else {
            panic!("not a death")
        };
        assert!(
            death.how.ends_with("it last said: two / three / four"),
            "{death:?}"
        );
        let long: String = (0..300).map(|line| format!("line {line}\n")).collect();
        std::fs::write(&log, long).unwrap();
        let tail = log_tail(&log).unwrap();
        assert_eq!(tail.lines().count(), 200);
        assert!(
            tail.starts_with("line 100\n") && tail.ends_with("line 299"),
            "{tail}"
        );
    }

    #[test]
    fn leaving_when_the_service_goes_down_is_no_death_and_leaving_when_asked_to_pause_is_a_pause() {
        let stopping = Circumstances {
            stopping: true,
            ..Circumstances::default()
        };
        assert!(matches!(judge_exit(Exit::Code(10), stopping), End::Stopped));
        assert!(matches!(
            judge_exit(Exit::Code(10), Circumstances::default()),
            End::Died(_)
        ));
        let pausing = Circumstances {
            pausing: true,
            ..Circumstances::default()
        };
        let said = Some(RunEvent::Paused { step: 7 });
        let ended = judge(Exit::Code(10), said, pausing, Path::new("/nowhere"));
        assert!(matches!(ended, End::Paused { step: 7 }));
    }

    #[test]
    fn every_kind_of_death_has_its_cause() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        std::fs::write(&log, "memory allocation of 900000000 bytes failed\n").unwrap();
        let out_of_memory = Circumstances {
            out_of_memory: true,
            ..Circumstances::default()
        };
        let silent = Circumstances {
            silent_for: Some(600),
            ..Circumstances::default()
        };
        let plain = Circumstances::default();
        for (exit, around, log, expected) in [
            (
                Exit::Signal(9),
                plain,
                Path::new("/nowhere"),
                FailureCause::Signal,
            ),
            (
                Exit::Signal(9),
                out_of_memory,
                Path::new("/nowhere"),
                FailureCause::OutOfMemory,
            ),
            (Exit::Signal(6), plain, &log, FailureCause::OutOfMemory),
            (Exit::Signal(6), plain, Path::new("/nowhere"), FailureCause::Bug),
            (
                Exit::Signal(9),
                silent,
                Path::new("/nowhere"),
                FailureCause::Unresponsive,
            ),
            (Exit::Code(101), plain, Path::new("/nowhere"), FailureCause::Bug),
            (
                Exit::Signal(15),
                out_of_memory,
                Path::new("/nowhere"),
                FailureCause::Signal,
            ),
        ] {
            let End::Died(death) = judge(exit, None, around, log) else {
                panic!("{exit:?} is a death")
            };
            assert_eq!(death.cause, expected, "{exit:?}: {}", death.how);
        }
    }
}
