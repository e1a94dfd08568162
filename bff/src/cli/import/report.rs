//! What an import tells: how far it is on standard error, and what came of it on standard output.

use std::{
    error::Error,
    io::{IsTerminal as _, Write as _, stderr},
    sync::{Mutex, PoisonError},
};

/// Characters of a name that are shown, and of a reason.
const SHOWN: usize = 60;
const REASON: usize = 300;

/// A name from elsewhere as a terminal may have it: in one line, without controls.
pub(super) fn shown(text: &str) -> String {
    cut(text, SHOWN)
}

/// The same of a sentence that says why.
pub(super) fn reason(text: &str) -> String {
    cut(text, REASON)
}

fn cut(text: &str, most: usize) -> String {
    let printable = text.chars().filter(|character| !character.is_control());
    let mut line: String = printable.take(most).collect();
    if text.chars().count() > most {
        line.push('…');
    }
    line
}

/// The last cause of an error: those before it say the same more vaguely.
pub(super) fn innermost(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

/// A size with its unit.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        1_000_000_000.. => format!("{:.1} GB", bytes as f64 / 1e9),
        1_000_000.. => format!("{:.1} MB", bytes as f64 / 1e6),
        1_000.. => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{bytes} bytes"),
    }
}

/// A number of things by their name.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// One line that moves where somebody watches, plain lines where nobody does.
pub(super) struct Progress {
    live: bool,
    /// What stands before the line's end: which job it is.
    at: Mutex<String>,
}

impl Progress {
    pub(super) fn start() -> Self {
        Self {
            live: stderr().is_terminal(),
            at: Mutex::default(),
        }
    }

    /// Begins with something; it stays in front of what is told of it.
    pub(super) fn begins(&self, what: &str) {
        what.clone_into(&mut self.at.lock().unwrap_or_else(PoisonError::into_inner));
        if self.live {
            self.draw("");
        }
    }

    /// Tells how far that is.
    pub(super) fn tells(&self, how_far: &str) {
        if self.live {
            self.draw(how_far);
        }
    }

    /// It has to wait.
    pub(super) fn waits(&self, seconds: u64, why: &str) {
        let text = format!("{}; trying again in {seconds} s", shown(why));
        if self.live {
            self.draw(&text);
        } else {
            self.line(&text);
        }
    }

    /// Ends with what was begun.
    pub(super) fn ends(&self, how: &str) {
        if !self.live {
            let at = self.at.lock().unwrap_or_else(PoisonError::into_inner).clone();
            self.line(&format!("{at}: {how}"));
        }
    }

    fn draw(&self, rest: &str) {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = stderr().lock();
        // A closed standard error is no reason not to go on.
        let _ignored = write!(out, "\r{at}  {rest}\x1b[K").and_then(|()| out.flush());
    }

    #[expect(clippy::unused_self, reason = "told like the others")]
    fn line(&self, text: &str) {
        let _ignored = writeln!(stderr().lock(), "{text}");
    }

    /// The line goes.
    pub(super) fn end(&self) {
        if self.live {
            let mut out = stderr().lock();
            let _ignored = write!(out, "\r\x1b[K").and_then(|()| out.flush());
        }
    }
}

/// What came of the account's jobs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Taken, or those that would be.
    pub(super) taken: Vec<String>,
    pub(super) files: usize,
    pub(super) bytes: u64,
    pub(super) already: usize,
    pub(super) skipped: Vec<String>,
    pub(super) failed: Vec<String>,
    /// What there is to know of those that were taken.
    pub(super) notes: Vec<String>,
}

impl Tally {
    /// Something that was asked for wasn't done.
    pub(super) const fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    pub(super) fn print(&self, dry_run: bool) -> std::io::Result<()> {
        super::super::print(&self.text(dry_run))
    }

    fn text(&self, dry_run: bool) -> String {
        let (taken, would) = if dry_run {
            ("would take", "would be ")
        } else {
            ("taken", "")
        };
        let files = match self.files {
            0 => String::new(),
            files => format!(", {} ({})", counted(files, "file"), size(self.bytes)),
        };
        let mut lines = vec![format!("{taken}: {}{files}", counted(self.taken.len(), "job"))];
        // Those that were taken have been told as they were, or are seen in the console.
        if dry_run {
            lines.extend(self.taken.iter().map(|job| format!("  {job}")));
        }
        lines.push(format!("already here: {}", counted(self.already, "job")));
        for (what, list) in [("skipped", &self.skipped), ("failed", &self.failed)] {
            if !list.is_empty() {
                lines.push(format!("{would}{what}: {}", counted(list.len(), "job")));
                lines.extend(list.iter().map(|job| format!("  {job}")));
            }
        }
        if !self.notes.is_empty() {
            lines.push("to know:".to_owned());
            lines.extend(self.notes.iter().map(|note| format!("  {note}")));
        }
        if self.has_failed() {
            let again = if dry_run {
                ""
            } else {
                "; the next import tries again"
            };
            let jobs = counted(self.failed.len(), "job");
            lines.push(format!("{jobs} could not be taken{again}"));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_elsewhere_moves_no_cursor() {
        assert_eq!(shown("a\u{1b}[2Jb\r\n"), "a[2Jb");
        assert_eq!(shown(&"x".repeat(80)).chars().count(), SHOWN + 1);
        assert_eq!(reason(&"x".repeat(80)).len(), 80);
    }

    #[test]
    fn a_summary_says_what_was_taken_and_what_was_not() {
        let tally = Tally {
            taken: vec!["one".to_owned()],
            files: 2,
            bytes: 1_500,
            already: 3,
            skipped: vec!["two: it is `running` there".to_owned()],
            ..Tally::default()
        };
        assert_eq!(
            tally.text(false),
            "taken: 1 job, 2 files (1.5 kB)\nalready here: 3 jobs\nskipped: 1 job\n  two: it is `running` there"
        );
        assert!(
            tally
                .text(true)
                .starts_with("would take: 1 job, 2 files (1.5 kB)\n  one\n")
        );
        let tally = Tally {
            failed: vec!["one: why".to_owned(), "two: why".to_owned()],
            notes: vec!["three: a note".to_owned()],
            ..Tally::default()
        };
        assert_eq!(
            tally.text(false),
            "taken: 0 jobs\nalready here: 0 jobs\nfailed: 2 jobs\n  one: why\n  two: why\nto know:\n  three: a note\n\
             2 jobs could not be taken; the next import tries again"
        );
        assert!(tally.text(true).ends_with("2 jobs could not be taken"));
    }
}
