//! From a fresh clone to a console in the browser.

use crate::{arguments::RunOptions, dist, process, project};
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};
use std::{
    env,
    io::{self, BufRead, BufReader, IsTerminal},
    path::Path,
    process::{Child, ExitCode, Stdio},
    thread,
};

/// How the line starts that the server prints when it is ready.
const READY: &str = "attune: listening on ";

/// Builds everything, starts the server, tells the sign-in address and stays until the server ends.
///
/// # Errors
/// Something can't be built, or the server can't be started.
pub(crate) fn run(options: &RunOptions) -> Result<ExitCode> {
    let server = dist::build()?;
    let mut serve = process::command(&server)?;
    serve.arg("serve");
    if let Some(listen) = options.listen {
        serve.args(["--listen", &listen.to_string()]);
    }
    // Registered before there is a child, so that no signal can leave one behind.
    let signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("can't listen for signals")?;
    let mut child = serve
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("can't start `{}`", server.display()))?;
    forward(signals, &child)?;
    let output = child.stdout.take().context("the server has no output")?;
    let mut ready = false;
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        if let Some(address) = line.strip_prefix(READY).filter(|_| !ready) {
            ready = true;
            welcome(&server, address.trim(), options)?;
        }
    }
    end(&mut child)
}

/// Hands the signals that end a program on to the server, which then checkpoints what runs.
fn forward(mut signals: Signals, child: &Child) -> Result<()> {
    let server = i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .context("the server has no process id")?;
    thread::spawn(move || {
        for signal in &mut signals {
            // The terminal sends its interrupt to the whole group, the server among them.
            if signal == SIGINT && io::stdin().is_terminal() {
                continue;
            }
            // The only failure is that the server has ended, which the main thread sees by itself.
            let _ = kill_process(server, Signal::TERM);
        }
    });
    Ok(())
}

/// Tells the sign-in address and opens it.
fn welcome(server: &Path, address: &str, options: &RunOptions) -> Result<()> {
    let mut url = process::command(server)?;
    url.arg("url");
    if let Some(listening) = address.strip_prefix("http://") {
        url.env("ATTUNE_LISTEN", listening);
    }
    let url = process::capture(&mut url)?;
    let url = url.trim();
    println!("\nopen {url}\n");
    let has_desktop = cfg!(target_os = "macos")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| env::var_os(name).is_some());
    if options.no_open || !has_desktop {
        return Ok(());
    }
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    if project::find(opener).is_none_or(|opener| open(&opener, url).is_err()) {
        println!("no browser could be opened: open the address yourself");
    }
    Ok(())
}

fn open(opener: &Path, url: &str) -> Result<()> {
    process::command(opener)?
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(())
}

fn end(child: &mut Child) -> Result<ExitCode> {
    let status = child.wait()?;
    match status.code() {
        Some(code) => Ok(ExitCode::from(u8::try_from(code).unwrap_or(1))),
        None => bail!("the server was killed ({status})"),
    }
}
