//! The upstream's key never leaves: after the console has been through everything that a hosted API can do to it, the key
//! is looked for in every answer, the log, the data folder, the program and all that the browser keeps.

use serde_json::json;
use tests::{
    TOKEN,
    api::Api,
    browser::Browser,
    contract_server::{ContractServer, KEY, Mood, Said},
    recorder::Microphone,
    secrets::Hunt,
    server::Setup,
};

const METRICS_TOKEN: &str = "a-token-for-the-scraper-of-this-test";

#[tokio::test]
async fn after_every_journey_the_key_is_nowhere_to_be_found() {
    let upstream = ContractServer::start().await;
    let microphone = Microphone::new().await;
    let address = microphone.address();
    let server = Setup::new()
        .with("ATTUNE_UPSTREAM__KIND", "job-training-api")
        .with("ATTUNE_UPSTREAM__BASE_URL", &upstream.base_url)
        .with("ATTUNE_UPSTREAM__API_KEY", KEY)
        .with("ATTUNE_UPSTREAM__CACHE_MS", "0")
        .with("ATTUNE_PUBLIC_URL", &address)
        .with("ATTUNE_METRICS__TOKEN", METRICS_TOKEN)
        .with("ATTUNE_LOG__FILTER", "debug")
        .start()
        .await;
    let recorder = microphone.before(&server.address);
    upstream.add_job("there-before", "Completed");

    // As a person: sign in, create, be refused, delete, and see the API go down.
    let browser = Browser::start().await;
    browser.goto(&server.sign_in_url().await).await;
    browser.click("New job").await;
    browser.fill("Job name", "by-the-wizard").await;
    browser.choose("Base model", "QwQ 32B").await;
    browser.click("Next").await;
    browser.fill("Epochs", "5").await;
    browser.fill("Evaluation epochs", "2").await;
    browser.fill("Warm-up epochs", "1").await;
    browser.fill("Learning rate", "0.001").await;
    browser.click("Next").await;
    browser.at("/jobs/new/review").await;
    // An API that repeats the key in what it says, where the console would show it.
    upstream.set_mood(Mood::Refusing(json!({"name": format!("not with the key {KEY}")})));
    browser.click("Start fine-tuning").await;
    browser.at("/jobs/new/setup").await;
    browser
        .until("the refusal is shown without the key", async || {
            browser
                .description("Job name")
                .await
                .contains("with the key [hidden]")
        })
        .await;
    upstream.set_mood(Mood::Fair);
    browser.goto(&format!("{address}/jobs/new/review")).await;
    browser.click("Start fine-tuning").await;
    browser
        .until("the job is there", async || {
            upstream.names().contains(&"by-the-wizard".to_owned())
        })
        .await;
    browser.goto(&format!("{address}/jobs")).await;
    browser.click("Delete there-before").await;
    browser.click("Delete").await;
    browser.gone("button", "Delete there-before").await;

    // As a program: every route, in every mood.
    let api = Api::at(&address).sign_in(TOKEN).await;
    upstream.add_job(&format!("named-{KEY}"), "Running");
    for mood in [
        Mood::Fair,
        Mood::ReadOnly,
        Mood::Refusing(json!({(KEY): KEY, "name": KEY})),
        Mood::Forgetful,
        Mood::Says(Said::json(
            401,
            &json!({"error": format!("the key {KEY} is unknown")}),
        )),
        Mood::Says(Said::json(
            409,
            &json!({"error": KEY, "message": format!("ask for another than {KEY}")}),
        )),
        Mood::Says(Said::json(500, &json!({"error": KEY}))),
        Mood::Says(Said::typed(200, "text/html", format!("<html>{KEY}</html>"))),
        Mood::Says(Said::typed(
            200,
            "application/json",
            format!("{{\"jobs\": [{{\"{KEY}\""),
        )),
        Mood::Says(Said::status(302).with("location", &format!("http://127.0.0.1:9/?key={KEY}"))),
    ] {
        upstream.set_mood(mood);
        ask_everything(&api).await;
    }
    upstream.stop().await;
    ask_everything(&api).await;
    browser.goto(&format!("{address}/jobs")).await;
    browser.button("Retry").await;

    let hunt = Hunt::of(KEY);
    let tape = recorder.tape();
    assert!(
        String::from_utf8_lossy(&tape).contains("by-the-wizard"),
        "the recorder hears what the browser is told"
    );
    hunt.through("an answer", &tape);
    hunt.through_server(&server);
    hunt.through_browser(&browser).await;
    browser.quit().await;
}

/// Every route that a hosted API is behind, and those beside it.
async fn ask_everything(api: &Api) {
    let job = json!({"name": "by-a-program", "base_model": "Qwen/QwQ-32B", "epochs": 5, "evaluation_epochs": 1,
        "warmup_epochs": 1, "learning_rate": 0.001});
    for path in [
        "/",
        "/api/session",
        "/api/capabilities",
        "/api/jobs",
        "/api/jobs/job%2F1",
        "/api/jobs/no-such-job",
        "/api/jobs/job%2F1/stream",
        "/api/models",
        "/api/datasets",
        "/healthz",
        "/readyz",
        "/v1/models",
    ] {
        api.get(path).await;
    }
    let metrics = api
        .request(reqwest::Method::GET, "/metrics")
        .bearer_auth(METRICS_TOKEN);
    assert_eq!(api.send(metrics).await.status, 200);
    api.post("/api/jobs", &job).await;
    api.delete("/api/jobs/no-such-job").await;
}
