//! The real `attune serve`, on a free port and a folder of its own.

use crate::{TOKEN, process_tree};
use rustix::process::Signal;
use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// How the line starts that tells that the server is ready.
const READY: &str = "attune: listening on ";
/// Far above what a start takes, for a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a server is started with. A second start of the same setup is a restart.
#[derive(Debug, Clone)]
pub struct Setup {
    folder: PathBuf,
    /// Takes the folder away with the last of its users, where it is scratch.
    _scratch: Option<Arc<TempDir>>,
    environment: Vec<(String, String)>,
    listen: String,
    program: PathBuf,
}

impl Default for Setup {
    fn default() -> Self {
        let scratch = TempDir::new().expect("a scratch folder");
        let setup = Self::in_folder(scratch.path());
        Self {
            _scratch: Some(Arc::new(scratch)),
            ..setup
        }
    }
}

impl Setup {
    /// A fresh data folder, the embedded engine, any free port.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same in a folder that stays.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        fs::create_dir_all(folder).expect("a folder");
        Self {
            folder: folder.to_owned(),
            _scratch: None,
            environment: vec![("ATTUNE_LOCAL_TOKEN".into(), TOKEN.into())],
            listen: "127.0.0.1:0".into(),
            program: binary(),
        }
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Leaves an environment variable out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self
    }

    /// Listens on this address instead of a free one.
    #[must_use]
    pub fn listening_on(mut self, listen: impl Into<String>) -> Self {
        self.listen = listen.into();
        self
    }

    /// Runs this file instead of the one under test.
    #[must_use]
    pub fn running(mut self, program: &Path) -> Self {
        program.clone_into(&mut self.program);
        self
    }

    /// The data folder.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Scratch space beside the data folder.
    #[must_use]
    pub fn scratch(&self) -> &Path {
        &self.folder
    }

    /// Runs `attune` with these words and nobody else's settings.
    #[must_use]
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in env::vars().filter(|(name, _)| name.starts_with("ATTUNE_")) {
            command.env_remove(name);
        }
        command.args(words).arg("--data-dir").arg(self.data_dir());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Runs a command that ends by itself.
    pub async fn run(&self, words: &[&str]) -> Output {
        timeout(PATIENCE, self.command(words).output())
            .await
            .expect("the command ends")
            .expect("the command starts")
    }

    /// Starts the server and waits until it is ready.
    pub async fn start(&self) -> Server {
        match self.try_start().await {
            Ok(server) => server,
            Err(refusal) => panic!("the server ended with {}\n{}", refusal.status, refusal.stderr),
        }
    }

    /// Starts the server where it should refuse to start.
    pub async fn refusal(&self) -> Refusal {
        self.try_start().await.expect_err("the server refuses to start")
    }

    async fn try_start(&self) -> Result<Server, Refusal> {
        let log = self.folder.join("server.log");
        let stderr = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("a log file");
        let before = fs::metadata(&log).expect("a log file").len();
        let mut command = self.command(&["serve", "--listen", &self.listen]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let address = timeout(PATIENCE, async {
            while let Some(line) = lines.next_line().await.expect("output is text") {
                if let Some(address) = line.strip_prefix(READY) {
                    return Some(address.trim().trim_end_matches('/').to_owned());
                }
            }
            None
        });
        let Some(address) = address.await.expect("the server becomes ready or ends") else {
            let status = child.wait().await.expect("the server ends");
            let text = fs::read(&log).expect("a log file");
            let stderr =
                String::from_utf8_lossy(&text[usize::try_from(before).expect("a short log")..]).into_owned();
            return Err(Refusal { status, stderr });
        };
        // A full pipe would block the server.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let setup = self.clone().listening_on(address.trim_start_matches("http://"));
        Ok(Server {
            child,
            address,
            setup,
            log,
        })
    }
}

/// A server that didn't start.
#[derive(Debug)]
pub struct Refusal {
    /// How it ended.
    pub status: ExitStatus,
    /// What it said.
    pub stderr: String,
}

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub address: String,
    /// Starts the same server again, on the same port.
    pub setup: Setup,
    log: PathBuf,
}

impl Server {
    /// A fresh server with the embedded engine.
    pub async fn new() -> Self {
        Setup::new().start().await
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// The trainer that it has started, if one lives.
    #[must_use]
    pub fn trainer(&self) -> Option<u32> {
        process_tree::trainer_of(self.id())
    }

    /// `kill -9`, and back when it is dead. Its trainer is left to notice by itself.
    pub async fn kill(mut self) -> Setup {
        self.child.kill().await.expect("it can be killed");
        self.setup.clone()
    }

    /// SIGTERM, and its exit status.
    pub async fn terminate(mut self) -> ExitStatus {
        process_tree::signal(self.id(), Signal::TERM);
        timeout(PATIENCE, self.child.wait())
            .await
            .expect("it ends on SIGTERM")
            .expect("it can be waited for")
    }

    /// What it wrote to its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("a log file")
    }

    /// The address that signs the local user in, as `attune url` prints it.
    pub async fn sign_in_url(&self) -> String {
        let listen = self.address.trim_start_matches("http://");
        let output = self
            .setup
            .clone()
            .with("ATTUNE_LISTEN", listen)
            .run(&["url"])
            .await;
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout)
            .expect("an address is text")
            .trim()
            .to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<_> = log.lines().collect();
            eprintln!(
                "the end of the server's log:\n{}",
                lines[lines.len().saturating_sub(60)..].join("\n")
            );
        }
    }
}

/// The binary under test: `ATTUNE_TEST_BINARY`, else the one of this build.
#[must_use]
pub fn binary() -> PathBuf {
    if let Some(binary) = env::var_os("ATTUNE_TEST_BINARY") {
        return binary.into();
    }
    let test = env::current_exe().expect("a test is a file");
    let binary = test
        .parent()
        .and_then(Path::parent)
        .expect("tests lie in `deps`")
        .join("attune");
    assert!(
        binary.is_file(),
        "`{}` is missing: run `cargo build -p bff` first",
        binary.display()
    );
    binary
}
