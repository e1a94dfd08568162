//! What is logged, for tests that must know it.

use std::io;
use tokio::sync::mpsc;
use tracing::subscriber::{DefaultGuard, set_default};

/// What is logged on this thread from its beginning to its end, whatever the level. A test's runtime has this one thread.
pub(crate) struct Log {
    lines: mpsc::UnboundedReceiver<String>,
    _guard: DefaultGuard,
}

struct Writer(mpsc::UnboundedSender<String>);

impl io::Write for Writer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // After the test's end nobody reads on.
        let _ = self.0.send(String::from_utf8_lossy(line).into_owned());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub(crate) fn begin() -> Self {
        let (sender, lines) = mpsc::unbounded_channel();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || Writer(sender.clone()))
            .finish();
        Self {
            lines,
            _guard: set_default(subscriber),
        }
    }

    /// Waits for a line with these words.
    pub(crate) async fn wait_for(&mut self, words: &str) {
        while !self.lines.recv().await.unwrap().contains(words) {}
    }

    /// All lines that nobody has waited for.
    pub(crate) fn rest(mut self) -> String {
        let mut rest = String::new();
        while let Ok(line) = self.lines.try_recv() {
            rest.push_str(&line);
        }
        rest
    }
}
