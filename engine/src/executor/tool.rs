//! Programs of the trainer's that answer one question about a folder and end.

use super::child::{self, Limits, limit};
use std::{
    io,
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

/// Asks a program about a folder. It yields the processor as a trainer does, has a trainer's limit of memory, and sees the
/// end of its standard input when whoever asked is gone; dropping the future ends it.
///
/// # Errors
/// It could not be started, or took longer than `longest` and was ended.
pub(crate) async fn ask(
    command: &[String],
    folder: &Path,
    limits: Limits,
    longest: Duration,
) -> io::Result<Output> {
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| io::Error::other("no program for that is configured"))?;
    let mut child = child::command(program)
        .args(arguments)
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    limit(&child, limits)?;
    // Kept open until the end: waiting for the output would close it.
    let stdin = child.stdin.take();
    let output = tokio::time::timeout(longest, child.wait_with_output()).await;
    drop(stdin);
    output.map_err(|_| {
        io::Error::new(
            io::ErrorKind::TimedOut,
            "it took longer than it should and was ended",
        )
    })?
}
