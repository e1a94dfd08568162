//! The decoding process: starting it, speaking with it, and noticing its end.

use super::InferenceConfig;
use crate::executor::child::{command, limit};
use shared::inference::{InferCommand, InferEvent, InferRequest};
use std::{
    collections::HashMap,
    fs::File,
    io,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{ChildStdin, ChildStdout},
    sync::mpsc,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long it may take to leave once its input has ended.
const FAREWELL: Duration = Duration::from_secs(10);

/// Who listens for what concerns a request. Nothing once the child has ended.
type Routes = Arc<Mutex<Option<HashMap<u64, mpsc::UnboundedSender<InferEvent>>>>>;

/// A decoding process. Dropping it ends its input, at which it leaves.
#[derive(Debug)]
pub(super) struct Child {
    process: Option<u32>,
    lines: mpsc::UnboundedSender<InferCommand>,
    routes: Routes,
    kill: CancellationToken,
    /// Tells that nobody asks it any more.
    _dismissed: DropGuard,
}

impl Child {
    /// Starts one; what it says besides goes into `log`. Must be called within a tokio runtime.
    pub(super) fn start(config: &InferenceConfig, log: &Path) -> io::Result<Self> {
        let (program, arguments) = config
            .command
            .split_first()
            .ok_or_else(|| io::Error::other("no program that decodes is configured"))?;
        let mut child = command(program)
            .args(arguments)
            .arg("--threads")
            .arg(threads(config.threads).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        limit(&child, config.limits)?;
        let routes: Routes = Arc::new(Mutex::new(Some(HashMap::new())));
        let (lines, commands) = mpsc::unbounded_channel();
        let process = child.id();
        if let Some(stdin) = child.stdin.take() {
            tokio::spawn(write(stdin, commands));
        }
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(read(stdout, Arc::clone(&routes)));
        }
        let kill = CancellationToken::new();
        let dismissed = CancellationToken::new();
        tokio::spawn(mind(child, dismissed.clone(), kill.clone()));
        Ok(Self {
            process,
            lines,
            routes,
            kill,
            _dismissed: dismissed.drop_guard(),
        })
    }

    /// Whether it can still be asked.
    pub(super) fn is_alive(&self) -> bool {
        lock(&self.routes).is_some()
    }

    /// Its process, for what the system tells about it.
    pub(super) const fn process(&self) -> Option<u32> {
        self.process
    }

    /// Asks; the answer can be given up by dropping it.
    pub(super) fn ask(self: &Arc<Self>, request: InferRequest) -> Asked {
        let (sender, events) = mpsc::unbounded_channel();
        let id = request.id;
        if let Some(routes) = lock(&self.routes).as_mut() {
            routes.insert(id, sender);
        }
        // Where the child is gone nobody listens, and the events end at once.
        let _gone = self.lines.send(InferCommand::Complete(Box::new(request)));
        Asked {
            child: Arc::clone(self),
            id,
            events,
            ended: false,
        }
    }

    /// Ends it without being asked: it stands still. From now on it isn't alive, though the system may take its time.
    pub(super) fn kill(&self) {
        *lock(&self.routes) = None;
        self.kill.cancel();
    }
}

/// A request that the child has.
pub(super) struct Asked {
    child: Arc<Child>,
    id: u64,
    events: mpsc::UnboundedReceiver<InferEvent>,
    ended: bool,
}

impl Asked {
    /// What comes next; nothing where the child has died.
    pub(super) async fn next(&mut self) -> Option<InferEvent> {
        let event = self.events.recv().await;
        self.ended |= event.as_ref().is_none_or(InferEvent::is_last);
        event
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(routes) = lock(&self.child.routes).as_mut() {
            routes.remove(&self.id);
        }
        if !self.ended {
            let _gone = self.child.lines.send(InferCommand::Cancel { id: self.id });
        }
    }
}

fn lock(routes: &Routes) -> MutexGuard<'_, Option<HashMap<u64, mpsc::UnboundedSender<InferEvent>>>> {
    routes.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many threads it gets: training shall have cores of its own.
fn threads(configured: u32) -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
    if configured > 0 {
        configured
    } else {
        cores.div_ceil(2)
    }
}

async fn write(mut stdin: ChildStdin, mut commands: mpsc::UnboundedReceiver<InferCommand>) {
    while let Some(command) = commands.recv().await {
        let Ok(mut line) = serde_json::to_vec(&command) else {
            continue;
        };
        line.push(b'\n');
        if stdin.write_all(&line).await.is_err() {
            // It is gone, which its output tells.
            return;
        }
    }
}

async fn read(stdout: ChildStdout, routes: Routes) {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(event) = serde_json::from_str::<InferEvent>(&line) else {
            tracing::warn!("the decoding process said something that isn't an event");
            continue;
        };
        if let Some(route) = lock(&routes).as_ref().and_then(|routes| routes.get(&event.id())) {
            // Whoever asked may have gone in this moment.
            let _gone = route.send(event);
        }
    }
    *lock(&routes) = None;
}

/// Waits for its end, and helps where it doesn't come.
async fn mind(mut child: tokio::process::Child, dismissed: CancellationToken, kill: CancellationToken) {
    let overdue = async {
        dismissed.cancelled().await;
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        status = child.wait() => {
            match status {
                Ok(status) if status.success() => tracing::debug!("the decoding process has left"),
                Ok(status) => tracing::warn!(%status, "the decoding process died"),
                Err(error) => tracing::warn!(%error, "the decoding process could not be waited for"),
            }
            return;
        }
        () = kill.cancelled() => {}
        () = overdue => {}
    }
    if let Err(error) = child.kill().await {
        tracing::warn!(%error, "the decoding process could not be killed");
    }
}
