//! The binary as a process: starting, refusing to start, logging, stopping.
#![expect(clippy::expect_used, reason = "a helper of a test fails the test")]

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const KEY: &str = "key-that-nobody-may-see";

/// `attune` with nothing of this process's own settings.
fn attune(data_dir: &Path, upstream: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ATTUNE_") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(data_dir)
        .env("ATTUNE_DATA_DIR", data_dir)
        .env("ATTUNE_UPSTREAM__KIND", "job-training-api")
        .env("ATTUNE_UPSTREAM__BASE_URL", upstream)
        .env("ATTUNE_UPSTREAM__API_KEY", KEY)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A server that has said that it listens.
struct Server {
    child: Child,
    address: String,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .spawn()
            .expect("starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("standard output"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        let address = line
            .trim()
            .strip_prefix("attune: listening on ")
            .expect("the line")
            .to_owned();
        Self {
            child,
            address,
            stdout,
        }
    }

    /// Asks it to stop; returns its exit code, the rest of its standard output, and its log.
    fn stop(mut self) -> (Option<i32>, String, String) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("is told to stop");
        let (mut rest, mut log) = (String::new(), String::new());
        self.stdout.read_to_string(&mut rest).expect("text");
        self.child
            .stderr
            .take()
            .expect("standard error")
            .read_to_string(&mut log)
            .expect("text");
        let status = self.child.wait().expect("ends");
        (status.code(), rest, log)
    }
}

fn client() -> reqwest::Client {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .build()
        .expect("a client")
}

fn refused(output: &Output) -> String {
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr.clone()).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_token_nor_cookie_nor_query_nor_key_is_logged() {
    let upstream = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(500).set_body_string("broken-1234"))
        .mount(&upstream)
        .await;
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(
        attune(folder.path(), &upstream.uri())
            .env("ATTUNE_LOCAL_TOKEN", TOKEN)
            .env("ATTUNE_LOG__FILTER", "trace"),
    );
    let client = client();
    let at = |path: &str| format!("{}{path}", server.address);
    let sign_in = |token: &'static str| {
        client
            .post(at("/api/session"))
            .header("x-attune", "1")
            .json(&serde_json::json!({ "token": token }))
            .send()
    };
    let signed_in = sign_in(TOKEN).await.expect("answers");
    assert_eq!(signed_in.status(), 200);
    let cookie = signed_in.headers()["set-cookie"]
        .to_str()
        .expect("text")
        .split(';')
        .next()
        .expect("a cookie")
        .to_owned();
    sign_in("wrong-guess-1234").await.expect("answers");
    for path in [
        "/?token=query-token-1234",
        "/downloads/download-token-1234",
        "/api/uploads/upload-token-1234",
        "/api/jobs?q=query-text-1234",
    ] {
        let request = client
            .get(at(path))
            .header("x-attune", "1")
            .header("cookie", &cookie);
        request
            .send()
            .await
            .expect("answers")
            .bytes()
            .await
            .expect("a body");
    }
    drop(client);
    let (code, rest, log) = tokio::task::spawn_blocking(|| server.stop())
        .await
        .expect("stops");
    assert_eq!((code, rest.as_str()), (Some(0), ""));
    assert!(
        log.contains("signed in") && log.contains("/api/uploads/{token}"),
        "the log is there: {log}"
    );
    let value = cookie.split_once('=').expect("a cookie").1;
    for secret in [TOKEN, value, "1234-", "-1234", KEY] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}

#[test]
fn a_port_in_use_is_told_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = taken.local_addr().expect("an address").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let output = attune(folder.path(), "http://127.0.0.1:9")
        .args(["serve", "--listen", &address])
        .output();
    let said = refused(&output.expect("runs"));
    assert!(said.contains("is in use") && said.contains("--listen"), "{said}");
}

#[test]
fn a_bad_setting_ends_the_start_with_its_name_and_source() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = attune(folder.path(), "ftp://nowhere")
        .arg("serve")
        .output()
        .expect("runs");
    let said = refused(&output);
    assert!(
        said.starts_with(
            "attune: setting `upstream.base_url` (from environment variable `ATTUNE_UPSTREAM__BASE_URL`)"
        ),
        "{said}"
    );
    assert!(!said.contains(KEY), "{said}");
}

#[test]
fn the_sign_in_address_holds_the_token_of_the_data_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = attune(folder.path(), "http://127.0.0.1:9")
        .args(["url", "--listen", "127.0.0.1:8123"])
        .output();
    let printed = String::from_utf8(output.expect("runs").stdout).expect("text");
    let token = std::fs::read_to_string(folder.path().join("local-token")).expect("the token");
    assert_eq!(printed, format!("http://127.0.0.1:8123/?token={token}\n"));
}

#[test]
fn doctor_tells_an_upstream_that_is_not_there_and_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = attune(folder.path(), "http://127.0.0.1:9/api")
        .arg("doctor")
        .output()
        .expect("runs");
    let said = String::from_utf8(output.stdout).expect("text");
    assert!(!output.status.success());
    assert!(
        said.contains("bad   upstream: `http://127.0.0.1:9/api`: the upstream can't be reached"),
        "{said}"
    );
    assert!(said.contains("good  data folder"), "{said}");
}

#[cfg(feature = "embedded")]
#[tokio::test(flavor = "multi_thread")]
async fn a_session_survives_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let start =
        || Server::start(attune(folder.path(), "http://127.0.0.1:9").env("ATTUNE_LOCAL_TOKEN", TOKEN));
    let server = start();
    let client = client();
    let body = serde_json::json!({ "token": TOKEN });
    let asking = client
        .post(format!("{}/api/session", server.address))
        .header("x-attune", "1")
        .json(&body);
    let signed_in = asking.send().await.expect("answers");
    let cookie = signed_in.headers()["set-cookie"]
        .to_str()
        .expect("text")
        .split(';')
        .next()
        .expect("a cookie")
        .to_owned();
    assert_eq!(
        tokio::task::spawn_blocking(|| server.stop())
            .await
            .expect("stops")
            .0,
        Some(0)
    );
    let server = start();
    let asking = client
        .get(format!("{}/api/session", server.address))
        .header("x-attune", "1")
        .header("cookie", &cookie);
    assert_eq!(asking.send().await.expect("answers").status(), 200);
    assert_eq!(
        tokio::task::spawn_blocking(|| server.stop())
            .await
            .expect("stops")
            .0,
        Some(0)
    );
}
