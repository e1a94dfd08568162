//! Chromium's driver as a process, on a port that it chooses itself.

use crate::process_tree;
use rustix::process::Signal;
use std::{env, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// Far above what a start takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running driver. When dropped, it and every browser that it started are ended.
#[derive(Debug)]
pub(super) struct Driver {
    child: Child,
    /// Where it takes commands.
    pub(super) address: String,
}

impl Driver {
    pub(super) async fn start() -> Self {
        let program = env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned());
        let mut command = Command::new(&program);
        command
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| {
            panic!("can't start `{program}`: {error}; `cargo xtask test` installs Chromium and its driver")
        });
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let port = timeout(PATIENCE, async {
            while let Some(line) = lines.next_line().await.expect("output is text") {
                if let Some(port) = line.strip_prefix("ChromeDriver was started successfully on port ") {
                    return port.trim().trim_end_matches('.').parse::<u16>().expect("a port");
                }
            }
            panic!("`{program}` ended without a port");
        });
        let port = port.await.expect("the driver becomes ready");
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            child,
            address: format!("http://127.0.0.1:{port}"),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The browsers first: without their driver they would become nobody's.
        let Some(driver) = self.child.id() else { return };
        for browser in process_tree::descendants(driver) {
            process_tree::signal(browser, Signal::KILL);
        }
    }
}
