//! Trainers as child processes.

use super::{Control, Executor, Exit, Launch, Trainer};
use rustix::process::{Pid, getpriority_process, setpriority_process};
use shared::run::RunEvent;
use std::{
    ffi::OsStr,
    fs::OpenOptions,
    io,
    os::unix::process::ExitStatusExt as _,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::{mpsc, oneshot},
    time::Instant,
};

/// The niceness of what yields to everybody.
const LEAST_URGENT: i32 = 19;

/// Event lines that wait to be recorded; beyond that the trainer waits.
const WAITING_EVENTS: usize = 256;

/// How often a trainer's memory is looked at while it trains.
const MEMORY_INTERVAL: Duration = Duration::from_secs(1);

/// A command that starts a child, to which no secret of this process's environment goes.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if may_be_secret(&name) {
            command.env_remove(name);
        }
    }
    command
}

/// Our own settings, which hold keys and tokens and of which a child reads none, and the Hub's token.
fn may_be_secret(name: &OsStr) -> bool {
    name == "HF_TOKEN" || name.as_encoded_bytes().starts_with(b"ATTUNE_")
}

/// What a trainer may take of the machine, besides its number of threads.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Bytes that it may allocate; it dies of the first allocation beyond. The pages of files that it maps don't count.
    /// Linux alone has such a limit.
    pub memory_bytes: Option<u64>,
    /// By how much more than this process it yields the processor to others, from 0 to 19.
    pub niceness: u8,
}

/// Starts a command with the run directory and `--replay-after N` behind it.
#[derive(Debug, Clone)]
pub struct ChildExecutor {
    command: Vec<String>,
    limits: Limits,
}

impl ChildExecutor {
    /// The command line, for example `["/usr/bin/attune", "train"]`.
    #[must_use]
    pub fn new(command: Vec<String>) -> Self {
        Self {
            command,
            limits: Limits::default(),
        }
    }

    /// With limits for each trainer.
    #[must_use]
    pub const fn within(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

impl Executor for ChildExecutor {
    fn spawn(&self, launch: &Launch) -> io::Result<Trainer> {
        let (program, arguments) = self
            .command
            .split_first()
            .ok_or_else(|| io::Error::other("the trainer's command line is empty"))?;
        let log = OpenOptions::new().create(true).append(true).open(&launch.log)?;
        let mut child = command(program)
            .args(arguments)
            .arg(&launch.run_dir)
            .arg("--replay-after")
            .arg(launch.replay_after.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            // A group of its own: Ctrl-C at the terminal is for the server, which then asks the trainer to save.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        // Where that fails the child is dropped, and by that killed: without its limits it isn't to run.
        limit(&child, self.limits)?;
        let (event_sender, events) = mpsc::channel(WAITING_EVENTS);
        let (control, control_receiver) = mpsc::unbounded_channel();
        let (exit_sender, exit) = oneshot::channel();
        let stdin = child.stdin.take();
        let peak_memory = Arc::new(AtomicU64::new(0));
        if let Some(stdout) = child.stdout.take() {
            let memory = Memory {
                process: child.id(),
                peak: Arc::clone(&peak_memory),
                read_at: None,
            };
            tokio::spawn(read_events(stdout, event_sender, memory));
        }
        tokio::spawn(mind(child, stdin, control_receiver, exit_sender));
        Ok(Trainer {
            events,
            control,
            peak_memory,
            exit,
        })
    }
}

/// Sets a process's limits. It has read nothing by now: what it allocates comes after.
pub(crate) fn limit(child: &Child, limits: Limits) -> io::Result<()> {
    let Some(process) = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw)
    else {
        return Ok(());
    };
    if let Some(bytes) = limits.memory_bytes {
        limit_memory(process, bytes)?;
    }
    if limits.niceness > 0 {
        // Only ever more: to yield less than this process does takes a right that it may not have.
        let niceness = (getpriority_process(None)? + i32::from(limits.niceness)).min(LEAST_URGENT);
        if let Err(error) = setpriority_process(Some(process), niceness) {
            tracing::warn!(%error, "the trainer could not be made to yield the processor");
        }
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn limit_memory(process: Pid, bytes: u64) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, prlimit};

    let hardest = getrlimit(Resource::Data).maximum;
    let bytes = hardest.map_or(bytes, |hardest| hardest.min(bytes));
    let most = Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    prlimit(Some(process), Resource::Data, most)?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn limit_memory(_process: Pid, _bytes: u64) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "a trainer's memory can be limited on Linux alone: unset `engine.memory_bytes`",
    ))
}

/// What is known of a trainer's memory.
struct Memory {
    process: Option<u32>,
    peak: Arc<AtomicU64>,
    read_at: Option<Instant>,
}

impl Memory {
    /// Looks before an event is passed on: at each that is rare, because it may be the last, and now and then.
    fn look(&mut self, event: &RunEvent) {
        let is_rare = !matches!(event, RunEvent::Metrics(_) | RunEvent::Heartbeat { .. });
        if !is_rare && self.read_at.is_some_and(|at| at.elapsed() < MEMORY_INTERVAL) {
            return;
        }
        self.read_at = Some(Instant::now());
        if let Some(bytes) = self.process.and_then(peak_memory) {
            self.peak.fetch_max(bytes, Ordering::Relaxed);
        }
    }
}

/// The largest resident memory of a process so far, in bytes; nothing where the system doesn't tell, or it has ended.
fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// Passes event lines on; a line that is none goes to the log.
async fn read_events(stdout: ChildStdout, events: mpsc::Sender<RunEvent>, mut memory: Memory) {
    let mut lines = BufReader::new(stdout).lines();
    loop {
        match lines.next_line().await {
            Ok(Some(line)) => match serde_json::from_str::<RunEvent>(&line) {
                Ok(event) => {
                    memory.look(&event);
                    if events.send(event).await.is_err() {
                        return;
                    }
                }
                Err(error) => tracing::warn!(%error, line, "the trainer said something that isn't an event"),
            },
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "the trainer's output could not be read");
                return;
            }
        }
    }
}

/// Passes commands on until the trainer has ended.
async fn mind(
    mut child: Child,
    mut stdin: Option<ChildStdin>,
    mut control: mpsc::UnboundedReceiver<Control>,
    exit: oneshot::Sender<Exit>,
) {
    let mut listening = true;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            order = control.recv(), if listening => match order {
                Some(Control::Command(command)) => {
                    if let Some(pipe) = stdin.as_mut() {
                        let line = format!("{}\n", command.as_str());
                        // A trainer that is about to leave doesn't listen any more.
                        let _ = pipe.write_all(line.as_bytes()).await;
                    }
                }
                Some(Control::Kill) => {
                    if let Err(error) = child.start_kill() {
                        tracing::warn!(%error, "the trainer could not be killed");
                    }
                }
                None => {
                    stdin = None;
                    listening = false;
                }
            },
        }
    };
    let how = match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Code(code),
            (None, Some(signal)) => Exit::Signal(signal),
            (None, None) => Exit::Unknown,
        },
        Err(_) => Exit::Unknown,
    };
    // Whoever supervised it may have gone.
    let _ = exit.send(how);
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::run::{RunCommand, Stage};
    use std::path::Path;

    /// A trainer written in shell: says what it was given, then obeys.
    fn script(folder: &Path, body: &str) -> ChildExecutor {
        let path = folder.join("trainer.sh");
        std::fs::write(&path, body).unwrap();
        ChildExecutor::new(vec!["/bin/sh".to_owned(), path.display().to_string()])
    }

    fn launch(folder: &Path) -> Launch {
        Launch {
            run_dir: folder.join("run"),
            replay_after: 7,
            log: folder.join("log"),
        }
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        for name in [
            "ATTUNE_LOCAL_TOKEN",
            "ATTUNE_UPSTREAM__API_KEY",
            "ATTUNE_METRICS__TOKEN",
            "HF_TOKEN",
        ] {
            assert!(may_be_secret(OsStr::new(name)), "{name}");
        }
        for name in ["PATH", "HOME", "RAYON_NUM_THREADS", "HF_HOME"] {
            assert!(!may_be_secret(OsStr::new(name)), "{name}");
        }
    }

    #[tokio::test]
    async fn no_child_inherits_a_secret() {
        const SECRET: &str = "ATTUNE_TEST_SECRET";
        if std::env::var_os(SECRET).is_some() {
            let told = command("env").output().await.unwrap().stdout;
            let told = String::from_utf8(told).unwrap();
            assert!(told.contains("PATH=") && !told.contains(SECRET), "{told}");
            return;
        }
        // The environment of this process is everybody's, so the secret goes into that of another like it.
        let again = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "executor::child::tests::no_child_inherits_a_secret"])
            .env(SECRET, "1")
            .output()
            .await
            .unwrap();
        assert!(
            again.status.success(),
            "{}",
            String::from_utf8_lossy(&again.stdout)
        );
    }

    #[tokio::test]
    async fn a_child_is_told_its_run_heard_and_commanded() {
        let folder = tempfile::tempdir().unwrap();
        let body = r#"
            echo "called with $*" >&2
            echo '{"type":"stage","step":0,"stage":"training"}'
            echo 'not an event'
            read word
            echo "told $word" >&2
            echo '{"type":"paused","step":3}'
            exit 10
        "#;
        let launch = launch(folder.path());
        let mut trainer = script(folder.path(), body).spawn(&launch).unwrap();
        let first = trainer.events.recv().await.unwrap();
        assert_eq!(
            first,
            RunEvent::Stage {
                step: 0,
                stage: Stage::Training,
                total_steps: None
            }
        );
        if cfg!(target_os = "linux") {
            assert!(trainer.peak_memory.load(Ordering::Relaxed) > 100_000);
        }
        trainer.control.send(Control::Command(RunCommand::Pause)).unwrap();
        assert_eq!(trainer.events.recv().await, Some(RunEvent::Paused { step: 3 }));
        assert_eq!(trainer.events.recv().await, None);
        assert_eq!(trainer.exit.await.unwrap(), Exit::Code(10));
        let log = std::fs::read_to_string(launch.log).unwrap();
        let run = launch.run_dir.display();
        assert_eq!(log, format!("called with {run} --replay-after 7\ntold pause\n"));
    }

    #[tokio::test]
    async fn a_child_that_is_let_go_sees_the_end_of_its_input() {
        let folder = tempfile::tempdir().unwrap();
        let body = "while read word; do :; done; exit 10";
        let trainer = script(folder.path(), body).spawn(&launch(folder.path())).unwrap();
        drop(trainer.control);
        assert_eq!(trainer.exit.await.unwrap(), Exit::Code(10));
    }

    #[tokio::test]
    async fn a_killed_child_tells_its_signal() {
        let folder = tempfile::tempdir().unwrap();
        let trainer = script(folder.path(), "read word")
            .spawn(&launch(folder.path()))
            .unwrap();
        trainer.control.send(Control::Kill).unwrap();
        assert_eq!(trainer.exit.await.unwrap(), Exit::Signal(9));
    }

    #[tokio::test]
    async fn a_child_has_its_limits() {
        let folder = tempfile::tempdir().unwrap();
        let launch = launch(folder.path());
        // Waits for a word, so that its limits are set before it tells them.
        let body = "read word; ulimit -d >&2; cut -d ' ' -f 19 /proc/self/stat >&2";
        let limits = Limits {
            memory_bytes: Some(1 << 30),
            niceness: 7,
        };
        let trainer = script(folder.path(), body).within(limits).spawn(&launch).unwrap();
        trainer.control.send(Control::Command(RunCommand::Stop)).unwrap();
        assert_eq!(trainer.exit.await.unwrap(), Exit::Code(0));
        let log = std::fs::read_to_string(launch.log).unwrap();
        let niceness = getpriority_process(None).unwrap() + 7;
        assert_eq!(log, format!("1048576\n{}\n", niceness.min(LEAST_URGENT)));
    }
}
