//! What is told to somebody who isn't looking at the page: the tab's title and picture, the browser's notifications, and
//! an alert that pauses its job.

use serde_json::json;
use shared::{alert::AlertRules, job::Job, status::JobStatus};
use std::time::Duration;
use tests::{api::Api, browser::Browser, server::Server};

/// What two busy cores may take for a part of these jobs.
const PATIENCE: Duration = Duration::from_secs(120);

const TITLE: &str = "return document.title";
const PICTURE: &str = "return document.querySelector('link[rel=icon]').href";

/// The percentage that a tab's title begins with.
async fn percent(browser: &Browser) -> Option<u32> {
    let title = browser.script(TITLE).await;
    title.as_str()?.split_once(" % · ")?.0.parse().ok()
}

#[tokio::test]
async fn a_tab_tells_how_far_its_job_is_until_it_ends() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    let plain = browser.script(PICTURE).await;
    let job = api.create_job(&api.new_job("in-a-tab", 96, 40).await).await;
    browser.goto(&format!("{}/jobs/{}", server.address, job.id)).await;
    browser
        .until_within(PATIENCE, "the title tells a first percentage", async || {
            percent(&browser).await >= Some(1)
        })
        .await;
    let first = percent(&browser).await;
    let title = browser.script(TITLE).await;
    assert!(
        title.as_str().is_some_and(|title| title.contains("in-a-tab")),
        "{title}"
    );
    browser
        .until_within(
            PATIENCE,
            "the title goes on, and the picture with it",
            async || {
                let picture = browser.script(PICTURE).await;
                let picture = picture.as_str().unwrap_or_default().to_owned();
                match percent(&browser).await {
                    now @ Some(percent) if now > first => {
                        picture.starts_with("data:image/svg+xml,")
                            && picture.contains(&format!("{percent} 100"))
                    }
                    _ => false,
                }
            },
        )
        .await;
    api.post(&format!("/api/jobs/{}/cancel", job.id), &json!({}))
        .await;
    browser.shows("Cancelled").await;
    browser
        .until("title and picture are plain again", async || {
            percent(&browser).await.is_none() && browser.script(PICTURE).await == plain
        })
        .await;
    browser.no_errors().await;
}

/// A browser that is asked whether notifications may be shown, is told yes, and notes what it would show.
const NOTES: &str = "
    window.told = [];
    window.Notification = class {
        static permission = sessionStorage.allowed ?? 'default';
        static async requestPermission() { return (sessionStorage.allowed = this.permission = 'granted'); }
        constructor(title, options) { window.told.push({title, ...options, note: this}); }
    };";

#[tokio::test]
async fn the_browser_tells_on_request_that_a_job_has_ended_and_leads_to_it() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let browser = Browser::start().await;
    browser.before_each_page(NOTES).await;
    browser.sign_in(&server).await;
    let job = api.create_job(&api.new_job("unasked", 24, 1).await).await;
    api.ended(&job.id).await;
    browser.action("Notifications, 1 unread").await;
    let count = "return window.told.length";
    assert_eq!(
        browser.script(count).await,
        0,
        "nobody has asked for it, and nothing is asked of anybody"
    );

    browser.goto(&format!("{}/settings", server.address)).await;
    browser
        .click_css("label:has(input[name=announcements][value=on])")
        .await;
    browser
        .until("it was allowed", async || {
            browser.script("return sessionStorage.allowed").await == "granted"
        })
        .await;
    browser.goto(&server.address).await;
    let job = api.create_job(&api.new_job("wanted", 24, 1).await).await;
    api.ended(&job.id).await;
    browser
        .until_within(PATIENCE, "it is told", async || browser.script(count).await == 1)
        .await;
    let told = browser
        .script("return [window.told[0].title, window.told[0].body]")
        .await;
    assert_eq!(told[0], "Completed");
    assert!(
        told[1].as_str().is_some_and(|body| body.starts_with("wanted\n")),
        "{told}"
    );
    browser.script("window.told[0].note.onclick()").await;
    browser.at(&format!("/jobs/{}", job.id)).await;
    browser.no_errors().await;
}

#[tokio::test]
async fn an_alert_pauses_its_job_and_says_why() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    // Ten steps without a hundredfold progress come soon, whatever is trained.
    let rule =
        json!({"condition": "plateau", "parameters": {"count": 10, "factor": 0.99}, "action": "pause"});
    let rules: AlertRules = api
        .put("/api/alerts", &json!({"rules": [rule]}))
        .await
        .expect(200);
    assert_eq!(rules.rules.len(), 1);
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    let job = api.create_job(&api.new_job("watched", 96, 50).await).await;
    browser.goto(&format!("{}/jobs/{}", server.address, job.id)).await;
    browser
        .until_within(PATIENCE, "the alert has paused it", async || {
            browser.text().await.contains("Paused · step")
        })
        .await;
    let events = browser.section("Events").await;
    let events = events.text().await.expect("the log's text");
    assert!(
        events.contains("Alert: the training loss has fallen by less than 99 %"),
        "the log says why: {events}"
    );
    browser.photograph_all("job-paused-by-alert").await;
    browser.click("Notifications, 1 unread").await;
    browser.at("/notifications").await;
    browser.shows("watched").await;
    browser.is_accessible("notifications-alert").await;

    // What was told once doesn't stop it again.
    browser.goto(&format!("{}/jobs/{}", server.address, job.id)).await;
    browser.click("Resume").await;
    let paused_at = api
        .job(&job.id)
        .await
        .progress
        .map_or(0, |progress| progress.step);
    browser
        .until_within(PATIENCE, "it goes on well past the alert", async || {
            let job: Job = api.job(&job.id).await;
            job.progress
                .is_some_and(|progress| progress.step > paused_at + 20)
        })
        .await;
    let cancelled: Job = api
        .post(&format!("/api/jobs/{}/cancel", job.id), &json!({}))
        .await
        .expect(200);
    assert!(matches!(
        cancelled.status,
        JobStatus::Cancelled | JobStatus::Running
    ));
    browser.no_errors().await;
}
