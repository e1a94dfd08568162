//! One binary, one line when it is ready, and good manners at the end.
#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use reqwest::Method;
use std::{fs, os::unix::fs::PermissionsExt, process::Stdio};
use tests::{
    api::Api,
    clients,
    server::{Server, Setup, binary},
};
use tokio::net::TcpListener;

#[tokio::test]
async fn the_binary_alone_serves_the_page_the_health_checks_and_the_metrics() {
    // Copied away from the build, where no other file of the project can help it.
    let setup = Setup::new();
    let alone = setup.scratch().join("attune");
    fs::copy(binary(), &alone).unwrap();
    let server = setup.running(&alone).start().await;
    let api = Api::signed_in(&server).await;

    let page = api.get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.body.as_str().unwrap().contains("<title>"), "{}", page.body);
    assert_eq!(
        api.page("/jobs/some-job").await.status,
        200,
        "a deep link gives the page"
    );
    assert_eq!(api.get("/healthz").await.status, 200);
    assert_eq!(api.get("/readyz").await.status, 200);
    assert!(
        api.get("/metrics")
            .await
            .body
            .as_str()
            .unwrap()
            .contains("# TYPE")
    );
    assert_eq!(
        api.get("/api/nothing").await.status,
        404,
        "but a mistyped call doesn't"
    );
}

#[tokio::test]
async fn sigterm_ends_it_with_code_0() {
    let server = Server::new().await;
    assert_eq!(server.terminate().await.code(), Some(0));
}

#[tokio::test]
async fn the_sign_in_address_signs_in_and_its_token_is_nobody_elses_to_read() {
    let server = Setup::new().without("ATTUNE_LOCAL_TOKEN").start().await;
    let file = server.setup.data_dir().join("local-token");
    let token = fs::read_to_string(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let url = server.sign_in_url().await;
    assert_eq!(url, format!("{}/?token={}", server.address, token.trim()));

    let api = Api::anonymous(&server);
    api.get("/api/session").await.problem(401);
    let body = serde_json::json!({"token": token.trim()});
    let session = api.post("/api/session", &body).await;
    assert!(session.status.is_success(), "{}", session.body);
    assert!(
        !server.log().contains(token.trim()),
        "the log keeps the token to itself"
    );
}

#[tokio::test]
async fn a_session_survives_a_restart_and_ends_at_sign_out() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let server = server.kill().await.start().await;
    assert_eq!(api.get("/api/session").await.status, 200);
    assert!(api.delete("/api/session").await.status.is_success());
    api.get("/api/session").await.problem(401);
    drop(server);
}

#[tokio::test]
async fn a_key_made_on_the_command_line_opens_v1_and_no_other_does() {
    let server = Server::new().await;
    let made = server.setup.run(&["key", "create", "--name", "notebook"]).await;
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let output = String::from_utf8(made.stdout).unwrap();
    let key = output.split_whitespace().last().unwrap();

    let api = Api::anonymous(&server);
    let models = |key: &str| api.send(api.request(Method::GET, "/v1/models").bearer_auth(key));
    assert_eq!(models(key).await.status, 200);
    let refused = models("sk-not-a-key").await;
    assert_eq!(refused.status, 401);
    assert!(refused.body["error"]["message"].is_string(), "{}", refused.body);
    assert!(!server.log().contains(key), "the log keeps the key to itself");
}

#[tokio::test]
async fn a_key_removed_on_the_command_line_is_refused_by_the_server_at_once() {
    let server = Server::new().await;
    let attune = async |words: &[&str]| -> (bool, String) {
        let output = server.setup.run(words).await;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        (output.status.success(), said.trim().to_owned())
    };
    let (_, lost) = attune(&["key", "create", "--name", "lost"]).await;
    let (_, kept) = attune(&["key", "create", "--name", "kept", "--owner", "somebody"]).await;
    let api = Api::anonymous(&server);
    let status = async |key: &str| {
        let request = api.request(Method::GET, "/v1/models").bearer_auth(key);
        api.send(request).await.status.as_u16()
    };
    assert_eq!((status(&lost).await, status(&kept).await), (200, 200));
    let (_, list) = attune(&["key", "list"]).await;
    assert!(!list.contains(&lost) && !list.contains(&kept), "{list}");
    assert!(list.contains("lost") && list.contains("somebody"), "{list}");

    let (done, said) = attune(&["key", "remove", "lost"]).await;
    assert!(
        done && said.contains("(lost): it is refused from now on"),
        "{said}"
    );
    assert_eq!((status(&lost).await, status(&kept).await), (401, 200));
    let (done, said) = attune(&["key", "remove", "lost"]).await;
    assert!(!done && said.contains("there is no key `lost`"), "{said}");
}

#[tokio::test]
async fn a_port_in_use_is_named_in_the_error() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let refusal = Setup::new().listening_on(address.to_string()).refusal().await;
    assert_eq!(refusal.status.code(), Some(1), "{}", refusal.stderr);
    assert!(
        refusal.stderr.contains(&format!("port {}", address.port())),
        "{}",
        refusal.stderr
    );
    assert!(refusal.stderr.contains("in use"), "{}", refusal.stderr);
}

#[tokio::test]
async fn an_address_for_everyone_wants_a_token_and_https() {
    let refusal = Setup::new()
        .without("ATTUNE_LOCAL_TOKEN")
        .listening_on("0.0.0.0:0")
        .refusal()
        .await;
    for setting in ["ATTUNE_LOCAL_TOKEN", "ATTUNE_PUBLIC_URL"] {
        assert!(refusal.stderr.contains(setting), "{}", refusal.stderr);
    }
}

#[tokio::test]
async fn a_bad_setting_is_named_with_its_source() {
    let refusal = Setup::new()
        .with("ATTUNE_UPSTREAM__KIND", "carrier-pigeon")
        .refusal()
        .await;
    assert!(
        refusal.stderr.contains("ATTUNE_UPSTREAM__KIND"),
        "{}",
        refusal.stderr
    );
    assert!(
        refusal.stderr.contains("`job-training-api`"),
        "it says what would be right: {}",
        refusal.stderr
    );
}

#[tokio::test]
async fn an_unknown_variable_is_a_warning_only() {
    let server = Setup::new()
        .with("ATTUNE_PORT_8080_TCP", "tcp://10.0.0.1:8080")
        .start()
        .await;
    assert!(server.log().contains("ATTUNE_PORT_8080_TCP"));
}

#[tokio::test]
async fn a_data_folder_of_a_newer_version_is_left_alone() {
    let server = Server::new().await;
    let setup = server.setup.clone();
    assert_eq!(server.terminate().await.code(), Some(0));
    pretend_newer(&setup.data_dir().join("attune.db")).await;
    let refusal = setup.refusal().await;
    assert!(refusal.stderr.contains("newer"), "{}", refusal.stderr);
}

/// Records a migration that this build can't know.
async fn pretend_newer(database: &std::path::Path) {
    let script = "import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as database:
    database.execute('''insert into _sqlx_migrations (version, description, success, checksum, execution_time)
        values (999999, 'from the future', 1, x'00', 0)''')";
    let mut python = tokio::process::Command::new(clients::python());
    let done = python
        .args(["-c", script])
        .arg(database)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
