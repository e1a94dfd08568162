//! A whole file, line by line, in bounded memory: findings are capped but counted, and of an example only the hash
//! of its text is remembered.

use super::{Example, Finding, LineFormat, MAX_LINE_BYTES, MIN_EXAMPLES, Severity, parse_line};
use crate::{dataset::DatasetReport, run::Method};
use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

/// How many findings a report tells.
const MAX_FINDINGS: usize = 1_000;

/// How many hashes are remembered; duplicates of what comes after so many different examples go unnoticed.
const MAX_HASHES: usize = 4_000_000;

/// Reads a file's lines one at a time.
#[derive(Debug, Default)]
pub struct FileCheck {
    report: DatasetReport,
    line: u64,
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
    /// Lines by format, and the first line of each.
    formats: Vec<(LineFormat, u64, u64)>,
    seen: HashSet<u64>,
}

impl FileCheck {
    /// Before the first line.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next line, without its newline. Blank lines are skipped but counted for line numbers.
    pub fn push_line(&mut self, bytes: &[u8]) {
        self.read_line(bytes);
    }

    /// As [`Self::push_line`], and gives the example that the line was, for previews.
    pub fn read_line(&mut self, bytes: &[u8]) -> Option<Example> {
        self.line += 1;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        self.report.lines += 1;
        match self.parse(bytes) {
            Ok((example, format, warnings)) => {
                warnings.into_iter().for_each(|warning| self.tell(warning));
                self.count(&example, format);
                Some(example)
            }
            Err(finding) => {
                self.tell(finding);
                None
            }
        }
    }

    /// After the last line.
    #[must_use]
    pub fn finish(mut self) -> DatasetReport {
        let mut of_file = Vec::new();
        if self.report.lines == 0 {
            let advice = "choose a JSONL file with one example a line";
            of_file.push(Finding::error(0, "empty_file", "the file is empty", advice));
        } else if self.report.examples < MIN_EXAMPLES {
            let message = match self.report.examples {
                1 => format!("the file has 1 usable example, but at least {MIN_EXAMPLES} are needed"),
                count => {
                    format!("the file has {count} usable examples, but at least {MIN_EXAMPLES} are needed")
                }
            };
            let advice = "add examples, or mend the lines that are told below";
            of_file.push(Finding::error(0, "too_few_examples", message, advice));
        }
        if let [(_, _, _), (_, _, line), ..] = self.formats.as_slice() {
            let message = format!("the file mixes formats: line {line} is the first in another one");
            let advice = "that works, but check that no line is there by mistake";
            of_file.push(Finding::warning(0, "mixed_formats", message, advice));
        }
        self.report.format = self
            .formats
            .iter()
            .rev()
            .max_by_key(|(_, lines, _)| *lines)
            .map(|(format, _, _)| *format);
        for finding in &of_file {
            match finding.severity {
                Severity::Error => self.report.errors += 1,
                Severity::Warning => self.report.warnings += 1,
            }
        }
        // Errors first when not all fit: a warning must not hide what makes the file unusable.
        let mut findings = of_file;
        let room = MAX_FINDINGS.saturating_sub(findings.len());
        self.errors.truncate(room);
        self.warnings.truncate(room - self.errors.len());
        // Both are in the order of their lines.
        let mut warnings = self.warnings.drain(..).peekable();
        for error in self.errors.drain(..) {
            while let Some(warning) = warnings.next_if(|warning| warning.line < error.line) {
                findings.push(warning);
            }
            findings.push(error);
        }
        findings.extend(warnings);
        self.report.findings = findings;
        self.report
    }

    fn parse(&self, bytes: &[u8]) -> Result<(Example, LineFormat, Vec<Finding>), Finding> {
        let line = self.line;
        if bytes.len() > MAX_LINE_BYTES {
            let message = format!(
                "the line has {} bytes, more than the {MAX_LINE_BYTES} that are read",
                bytes.len()
            );
            return Err(Finding::error(
                line,
                "line_too_long",
                message,
                "split the example into shorter ones",
            ));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let message = format!(
                "the line is not valid UTF-8, from byte {} on",
                error.valid_up_to() + 1
            );
            Finding::error(
                line,
                "invalid_utf8",
                message,
                "save the file with the encoding UTF-8",
            )
        })?;
        let parsed = parse_line(line, text)?;
        if let Some((first, _, at)) = self.formats.first()
            && first.method() != parsed.format.method()
        {
            let (this, that) = match parsed.format.method() {
                Method::Dpo => ("a preference pair", "a chat"),
                Method::Supervised => ("a chat", "a preference pair"),
            };
            let message = format!("the line is {this}, but line {at} is {that}");
            let advice = "put chats and preference pairs into files of their own: each is for another method";
            return Err(Finding::error(line, "mixed_methods", message, advice));
        }
        Ok((parsed.example, parsed.format, parsed.warnings))
    }

    fn count(&mut self, example: &Example, format: LineFormat) {
        self.report.examples += 1;
        self.report.messages +=
            (example.messages.len() + usize::from(example.non_preferred.is_some())) as u64;
        match self.formats.iter_mut().find(|(known, _, _)| *known == format) {
            Some((_, lines, _)) => *lines += 1,
            None => self.formats.push((format, 1, self.line)),
        }
        let hash = hash(example);
        if self.seen.contains(&hash) {
            self.report.duplicates += 1;
            let message = "the example repeats an earlier line";
            let advice = "remove it, unless it should count more than once";
            self.tell(Finding::warning(self.line, "duplicate", message, advice));
        } else if self.seen.len() < MAX_HASHES {
            self.seen.insert(hash);
        }
    }

    fn tell(&mut self, finding: Finding) {
        let (kept, count) = match finding.severity {
            Severity::Error => (&mut self.errors, &mut self.report.errors),
            Severity::Warning => (&mut self.warnings, &mut self.report.warnings),
        };
        *count += 1;
        if kept.len() < MAX_FINDINGS {
            kept.push(finding);
        }
    }
}

/// A hash of what an example says; 64 bits make a false duplicate unlikely (one in 10⁷ files of 10⁶ lines).
fn hash(example: &Example) -> u64 {
    let mut hasher = DefaultHasher::new();
    for message in example.messages.iter().chain(&example.non_preferred) {
        (message.role, &message.content, message.trained).hash(&mut hasher);
        message
            .tool_calls
            .as_ref()
            .map(ToString::to_string)
            .hash(&mut hasher);
    }
    example.tools.as_ref().map(ToString::to_string).hash(&mut hasher);
    hasher.finish()
}
