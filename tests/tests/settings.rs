//! The settings page: keys that are made and removed; webhooks that are added, tried and removed; alerts that are kept, and what they are told by.
#![expect(clippy::expect_used, reason = "what helps a test may fail it")]

use axum::{Router, extract::State, http::StatusCode, routing::post};
use reqwest::Method;
use shared::{
    alert::{AlertAction, AlertCondition, AlertRules},
    webhook::{DeliveryList, WebhookList},
};
use tests::{
    api::Api,
    browser::Browser,
    server::{Server, Setup},
};
use tokio::{net::TcpListener, sync::mpsc};

/// A server of the user's that is told: where it is, and the bodies that it got.
async fn receiver() -> (String, mpsc::UnboundedReceiver<String>) {
    let (told, heard) = mpsc::unbounded_channel();
    let take = async |State(told): State<mpsc::UnboundedSender<String>>, body: String| {
        told.send(body).expect("the test listens");
        StatusCode::NO_CONTENT
    };
    let router = Router::new().route("/hook", post(take)).with_state(told);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, heard)
}

#[tokio::test]
async fn a_webhook_is_added_tried_and_removed_and_its_secret_is_shown_once() {
    let (url, mut heard) = receiver().await;
    let setup = Setup::new().with("ATTUNE_WEBHOOKS__PRIVATE_HOSTS", "127.0.0.1");
    let server = setup.start().await;
    let api = Api::signed_in(&server).await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.goto(&format!("{}/settings", server.address)).await;
    browser.shows("Nobody is told yet").await;
    browser.is_accessible("settings").await;

    // By keyboard: the form takes the focus, and what is wrong stands under the address.
    browser.click("Add a webhook").await;
    browser
        .until("the field has the focus", async || {
            browser.focus_name().await == "Address"
        })
        .await;
    browser.click("Add").await;
    browser.shows("Write the address that is to be called.").await;
    browser.fill("Address", "http://hooks.example/").await;
    browser.click("Add").await;
    browser.shows("The address must begin with https://").await;
    assert!(
        browser
            .description("Address")
            .await
            .contains("must begin with https://")
    );
    browser.photograph_all("settings-webhook-refused").await;
    // Chromium reports the refusal itself.
    assert_eq!(browser.errors().await.len(), 1);

    browser.fill("Address", &url).await;
    browser
        .control("checkbox", "Job cancelled")
        .await
        .click()
        .await
        .expect("a choice");
    browser.click("Add").await;
    browser.shows("It is shown this once").await;
    let secret = browser
        .find_css(".secret code")
        .await
        .text()
        .await
        .expect("a text");
    assert!(secret.starts_with("whsec_"), "{secret}");
    browser.photograph_all("settings-webhook-secret").await;
    browser.click("I have kept it").await;
    browser.gone("region", "Signing secret").await;
    browser.reload().await;
    browser.shows("Job completed · Job failed").await;
    assert!(!browser.text().await.contains(&secret), "it is nowhere any more");

    browser.shows("Nothing was sent yet.").await;
    browser.click(&format!("Send a test: {url}")).await;
    browser.shows("The address has taken the test.").await;
    let body = heard.recv().await.expect("it was called");
    assert!(
        body.contains("fine_tuning.job.succeeded") && body.contains("ftjob-test"),
        "{body}"
    );
    browser.shows("Delivered").await;
    browser.click(&format!("Log: {url}")).await;
    browser.shows("HTTP 204").await;
    browser.photograph_all("settings-webhook-log").await;
    let list: WebhookList = api.get("/api/webhooks").await.expect(200);
    let path = format!("/api/webhooks/{}/deliveries", list.webhooks[0].id);
    let deliveries: DeliveryList = api.get(&path).await.expect(200);
    assert_eq!(deliveries.deliveries.len(), 1);

    browser.click(&format!("Delete {url}")).await;
    browser.click("Cancel").await;
    browser.click(&format!("Delete {url}")).await;
    browser.click("Delete").await;
    browser.shows("Nobody is told yet").await;
    let list: WebhookList = api.get("/api/webhooks").await.expect(200);
    assert_eq!(list.webhooks, []);
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn a_key_is_made_shown_once_used_and_removed() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.goto(&format!("{}/settings", server.address)).await;
    browser.shows("No key yet").await;

    // By keyboard: the form takes the focus, and what is wrong stands under the name.
    browser.click("New key").await;
    browser
        .until("the field has the focus", async || {
            browser.focus_name().await == "Name of the key"
        })
        .await;
    browser.click("Create key").await;
    browser.shows("Write 1 to 100 characters.").await;
    browser.photograph_all("settings-key-refused").await;
    browser.fill("Name of the key", "notebook").await;
    browser.click("Create key").await;
    browser.shows("It is shown this once").await;
    browser.shows(&format!("{}/v1", server.address)).await;
    let code = browser.find_css(".secret code").await;
    let secret = code.text().await.expect("a text");
    assert!(secret.starts_with("sk-attune-"), "{secret}");
    browser.is_accessible("settings-key").await;
    browser.photograph_all("settings-key-secret").await;
    browser.click("I have kept it").await;
    browser.gone("region", "The new key").await;
    browser.shows("Not used yet").await;

    let models = async || {
        let request = api.request(Method::GET, "/v1/models").bearer_auth(&secret);
        api.send(request).await.status.as_u16()
    };
    assert_eq!(models().await, 200);
    browser.reload().await;
    browser.shows("Last used").await;
    assert!(!browser.text().await.contains(&secret), "it is nowhere any more");
    browser.photograph_all("settings-key").await;

    browser.click("Delete notebook").await;
    browser.click("Cancel").await;
    assert_eq!(models().await, 200, "nothing was confirmed");
    browser.click("Delete notebook").await;
    browser.click("Delete").await;
    browser.shows("notebook was deleted.").await;
    browser.shows("No key yet").await;
    assert_eq!(models().await, 401);
    browser.no_errors().await;
    browser.quit().await;
    assert!(!server.log().contains(&secret), "the log keeps the key to itself");
}

#[tokio::test]
async fn default_alerts_are_kept_and_a_new_job_begins_with_them() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.goto(&format!("{}/settings", server.address)).await;
    browser.shows("Alerts of new jobs").await;
    browser.choose("Loss diverges", "Notify and pause").await;
    browser.fill("Multiple of the running level", "1").await;
    browser.shows("More than 1.").await;
    browser.photograph_all("settings-alerts").await;
    browser.fill("Multiple of the running level", "3.5").await;
    browser.choose("Late", "Off").await;
    browser.click("Save").await;
    browser.shows("The alerts were saved.").await;
    browser.is_accessible("settings-alerts").await;
    browser.reload().await;
    browser.holds("Multiple of the running level", "3.5").await;

    let rules: AlertRules = api.get("/api/alerts").await.expect(200);
    let kept = rules
        .rules
        .iter()
        .find(|rule| rule.condition == AlertCondition::Divergence)
        .expect("it is watched for");
    assert_eq!(
        (kept.action, kept.parameters.factor),
        (AlertAction::Pause, Some(3.5))
    );
    assert!(
        rules
            .rules
            .iter()
            .all(|rule| rule.condition != AlertCondition::Late)
    );

    let body = api.new_job("watched", 24, 50).await;
    let job = api.create_job(&body).await;
    browser.goto(&format!("{}/jobs/{}", server.address, job.id)).await;
    let card = browser.section("Alerts").await;
    let text = card.text().await.expect("a text");
    assert!(
        text.contains("Loss diverges") && text.contains("Notify and pause"),
        "{text}"
    );

    // The end of the job is told, leads to it, and is read.
    api.post(&format!("/api/jobs/{}/cancel", job.id), &serde_json::json!({}))
        .await;
    api.ended(&job.id).await;
    browser.click("Notifications, 1 unread").await;
    browser.at("/notifications").await;
    browser.shows("watched").await;
    browser.photograph_all("notifications").await;
    browser.click("Mark watched as read").await;
    browser.action("Notifications").await;
    browser.gone("region", "Unread").await;
    browser.is_accessible("notifications").await;
    browser.no_errors().await;
    browser.quit().await;
}
