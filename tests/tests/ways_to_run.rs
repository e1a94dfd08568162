//! The ways to run the console besides one program at one address: the page on a static host with the server beside
//! it, trunk's development server in front of it, and the container image.
//!
//! The last two need what a test run doesn't build; they are run by hand, as docs/DEPLOY.md says.

use serde_json::json;
use shared::status::JobStatus;
use std::{env, process::Stdio, time::Duration};
use tests::{
    TOKEN,
    api::Api,
    browser::Browser,
    examples,
    server::{Server, Setup},
    static_host::{self, Lot, PATH},
};
use tokio::{net::TcpListener, process::Command};

const METRICS_TOKEN: &str = "a-token-for-the-scraper-of-this-test";

/// Waits for what a script answers to become so; the script runs in the page.
async fn script_says(browser: &Browser, what: &str, script: &str) {
    browser
        .until(what, async || browser.script(script).await == true)
        .await;
}

#[tokio::test]
async fn the_page_on_a_static_host_below_a_path_works_with_a_server_beside_it() {
    let lot = Lot::new().await;
    let app = format!("http://app.attune.localhost:{}", lot.port());
    let server = Setup::new()
        .with("ATTUNE_PUBLIC_URL", format!("{app}{PATH}/"))
        .with("ATTUNE_METRICS__TOKEN", METRICS_TOKEN)
        .start()
        .await;
    let port = server.address.rsplit(':').next().expect("a port");
    let api_url = format!("http://api.attune.localhost:{port}");
    let host = lot.serve(&api_url);
    let api = Api::signed_in(&server).await;

    // The printed address leads to the static host, and signs in across the two origins.
    let browser = Browser::start().await;
    let sign_in = server.sign_in_url().await;
    assert!(sign_in.starts_with(&format!("{app}{PATH}/?token=")), "{sign_in}");
    browser.goto(&sign_in).await;
    browser.at(&format!("{PATH}/")).await;
    browser.shows("No jobs yet").await;
    browser.no_errors().await;

    // A deep link, an upload, and a job that is followed while it runs.
    browser.goto(&format!("{app}{PATH}/datasets")).await;
    let file = server.setup.scratch().join("tickets.jsonl");
    std::fs::write(&file, examples::chats(24)).expect("a file");
    browser.choose_file(&file).await;
    browser.shows("tickets").await;
    browser.shows("Ready").await;
    browser.follow(&format!("{PATH}/jobs")).await;
    browser.at(&format!("{PATH}/jobs")).await;
    let job = api.create_job(&api.new_job("beside", 64, 6).await).await;
    browser.goto(&format!("{app}{PATH}/jobs/{}", job.id)).await;
    browser.shows("Completed").await;
    assert_eq!(api.job(&job.id).await.status, JobStatus::Succeeded);
    browser.click("Download adapter").await;
    let zip = browser.downloaded(".zip").await;
    assert!(zip.starts_with(b"PK"), "{} bytes", zip.len());
    browser.reload().await;
    browser.shows("Completed").await;
    browser.no_errors().await;

    // Preflights are remembered: the list is asked for again and again, its preflight is not.
    browser.goto(&format!("{app}{PATH}/jobs")).await;
    browser.shows("beside").await;
    let asked = async |method: &str| requests(&api, method, "/api/jobs").await;
    let (reads, preflights) = (asked("GET").await, asked("OPTIONS").await);
    let again = "window.reads ??= [0];
        window.reads.push(1);
        fetch(arguments0 + '/api/jobs', {headers: {'x-attune': '1'}, credentials: 'include'})
            .then(answer => { window.reads[0] += answer.status === 200 });
        return window.reads[0] >= 10";
    let again = again.replace("arguments0", &format!("'{api_url}'"));
    script_says(&browser, "the list was read ten times more", &again).await;
    assert!(asked("GET").await >= reads + 10);
    assert!(
        asked("OPTIONS").await <= preflights + 1,
        "one preflight serves for ten reads"
    );

    // A sibling that isn't listed, and another site: neither reads nor changes anything, and nobody is signed out.
    for other in ["evil.attune.localhost", "evil.localhost"] {
        browser
            .goto(&format!("http://{other}:{}{PATH}/icon.svg", host.port))
            .await;
        browser.errors().await;
        let attack = format!(
            "window.outcome = [];
            const attempt = (path, init) => fetch('{api_url}' + path, {{credentials: 'include', ...init}})
                .then(answer => answer.type === 'opaque' ? 'opaque' : 'read', () => 'refused')
                .then(outcome => window.outcome.push(outcome));
            attempt('/api/jobs', {{headers: {{'x-attune': '1'}}}});
            attempt('/api/session', {{method: 'DELETE', headers: {{'x-attune': '1'}}}});
            attempt('/api/jobs', {{}});
            return true"
        );
        browser.script(&attack).await;
        script_says(
            &browser,
            "all attempts are refused",
            "return window.outcome.join() === 'refused,refused,refused'",
        )
        .await;
    }
    browser.errors().await;
    browser.goto(&format!("{app}{PATH}/")).await;
    browser.shows("beside").await;
    browser.no_errors().await;
    browser.quit().await;
}

/// How many requests the server has counted.
async fn requests(api: &Api, method: &str, route: &str) -> u64 {
    let asking = api
        .request(reqwest::Method::GET, "/metrics")
        .bearer_auth(METRICS_TOKEN);
    let answer = api.send(asking).await;
    let labels =
        format!("attune_http_request_duration_seconds_count{{method=\"{method}\",route=\"{route}\",");
    let text = answer.body.as_str().unwrap_or_default();
    text.lines()
        .filter(|line| line.starts_with(&labels))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum()
}

#[tokio::test]
async fn a_static_host_sends_the_headers_that_the_server_sends_with_its_own_page() {
    let server = Server::new().await;
    let own = Api::anonymous(&server).page("/").await.headers;
    let api_url = "http://api.attune.localhost:8080";
    let configured = static_host::headers(&static_host::folder().join("nginx.conf"), api_url);
    // Two pages differ in the script that names their files, and in where their server is.
    let bare = |policy: &str| {
        let words = policy.split(' ').filter(|word| !word.starts_with("'sha256-"));
        words
            .collect::<Vec<_>>()
            .join(" ")
            .replace(&format!(" {api_url}"), "")
    };
    let mut compared = 0;
    for (name, value) in configured {
        let value = value.to_str().expect("text");
        let own = own
            .get(&name)
            .and_then(|own| own.to_str().ok())
            .unwrap_or_default();
        if name == "content-security-policy" {
            assert_eq!(bare(value), bare(own));
            assert!(
                value.contains(&format!("connect-src 'self' {api_url};")),
                "{value}"
            );
        } else {
            assert_eq!(value, own, "{name}");
        }
        compared += 1;
    }
    assert_eq!(compared, 7);
}

#[tokio::test]
#[ignore = "trunk builds the page anew, which takes minutes; docs/DEPLOY.md says how to run it"]
async fn trunk_serve_hands_calls_and_streams_on() {
    let port = {
        let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        free.local_addr().expect("an address").port()
    };
    let page = format!("http://127.0.0.1:{port}");
    let server = Setup::new().with("ATTUNE_PUBLIC_URL", &page).start().await;
    // The configuration of the repository, with this server in the place of the one on 8080.
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let configuration = std::fs::read_to_string(root.join("Trunk.toml")).expect("Trunk.toml");
    assert!(
        configuration.contains("http://127.0.0.1:8080/"),
        "{configuration}"
    );
    let configuration = configuration.replace("http://127.0.0.1:8080", &server.address);
    let file = root.join(format!("Trunk-{port}.toml"));
    std::fs::write(&file, configuration).expect("a file");
    let mut trunk = Command::new("trunk");
    trunk
        .current_dir(&root)
        .env_remove("NO_COLOR")
        .arg("--config")
        .arg(&file)
        .args([
            "serve",
            "--release",
            "--no-autoreload",
            "true",
            "--port",
            &port.to_string(),
        ])
        .arg("--dist")
        .arg(server.setup.scratch().join("dist"))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let trunk = trunk
        .spawn()
        .expect("trunk starts; `cargo xtask test` installs it");

    let browser = Browser::start().await;
    browser
        .until_within(Duration::from_secs(900), "trunk serves the page", async || {
            let up = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok();
            up && server.setup.scratch().join("dist/index.html").is_file()
        })
        .await;
    std::fs::remove_file(&file).expect("the file is there");
    browser.goto(&server.sign_in_url().await).await;
    browser.at("/").await;
    browser.shows("No jobs yet").await;
    let api = Api::at(&page).sign_in(TOKEN).await;
    let job = api.create_job(&api.new_job("through-trunk", 64, 6).await).await;
    let seen_running = api.stream(&job.id, None).await.next().await;
    assert!(seen_running.is_some(), "the stream passes");
    browser.goto(&format!("{page}/jobs/{}", job.id)).await;
    browser.shows("Completed").await;
    assert!(browser.points().await > 0);
    browser.click("Download adapter").await;
    assert!(browser.downloaded(".zip").await.starts_with(b"PK"));
    browser.no_errors().await;
    browser.quit().await;
    drop(trunk);
}

/// Drives whatever listens at `ATTUNE_TEST_ADDRESS` with the token of the tests: an image that is running, for example.
#[tokio::test]
#[ignore = "needs a server that somebody else has started; docs/DEPLOY.md says how to run it"]
async fn a_server_that_runs_elsewhere_trains_and_gives_the_adapter() {
    let address = env::var("ATTUNE_TEST_ADDRESS").expect("`ATTUNE_TEST_ADDRESS` names the server");
    let api = Api::at(&address).sign_in(TOKEN).await;
    let job = api.create_job(&api.new_job("in-the-image", 64, 6).await).await;
    let job = api.ended(&job.id).await;
    assert_eq!(job.status, JobStatus::Succeeded, "{:?}", job.failure);
    let artifact = job.artifact.expect("an artifact");
    let link = api
        .post(&format!("/api/artifacts/{artifact}/download"), &json!({}))
        .await;
    assert_eq!(link.status, 201, "{}", link.body);
    let file = api.get(link.body["url"].as_str().expect("a link")).await;
    assert_eq!(file.status, 200);
    assert_eq!(api.get("/readyz").await.status, 200);
}
