//! What the page tells of itself: found in `/metrics` where operator and user agree to it, and never sent where not.

use shared::{job::Job, status::JobStatus};
use tests::{
    api::Api,
    browser::Browser,
    server::{Server, Setup},
};

/// A figure of `/metrics`; nothing where it isn't there.
async fn figure(api: &Api, line: &str) -> Option<f64> {
    let answer = api.get("/metrics").await;
    let text = answer.body.as_str().unwrap_or_default();
    let value = text
        .lines()
        .find_map(|told| told.strip_prefix(line)?.strip_prefix(' '));
    value.and_then(|value| value.parse().ok())
}

/// How many reports the server has had.
async fn reports(api: &Api) -> f64 {
    let line = "attune_http_request_duration_seconds_count{method=\"POST\",route=\"/api/browser-reports\",status=\"204\"}";
    figure(api, line).await.unwrap_or(0.0)
}

async fn curves(api: &Api) -> Job {
    let job = api.create_job(&api.new_job("curves", 40, 2).await).await;
    let job = api.ended(&job.id).await;
    assert_eq!(job.status, JobStatus::Succeeded);
    job
}

/// Two errors that nobody catches. Of rejections in scripts that aren't the page's own browsers tell nobody, so the event itself is
/// sent.
async fn break_something(browser: &Browser) {
    let script = "setTimeout(() => { throw new Error('words of the user'); });
        const rejection = { promise: Promise.resolve(), reason: 'others' };
        dispatchEvent(new PromiseRejectionEvent('unhandledrejection', rejection));
        return 0";
    browser.script(script).await;
}

#[tokio::test]
async fn what_a_page_measures_and_what_breaks_in_it_is_found_in_the_counters() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let job = curves(&api).await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    // The chart's part is in the address: "Whole run" is a zoom out.
    browser
        .goto(&format!("{}/jobs/{}?from=2&to=4", server.address, job.id))
        .await;
    browser.control("slider", "Loss by step").await;
    browser.click("Whole run").await;
    browser.at(&format!("/jobs/{}", job.id)).await;
    browser.click("Settings").await;
    browser.shows("Page speed reports").await;
    browser.is_accessible("settings with page speed reports").await;
    browser.photograph_all("settings-browser-reports").await;
    break_something(&browser).await;
    let expected = [
        "attune_browser_duration_seconds_count{measure=\"app_drawn\"}",
        "attune_browser_duration_seconds_count{measure=\"first_contentful_paint\"}",
        "attune_browser_duration_seconds_count{measure=\"route_change\"}",
        "attune_browser_duration_seconds_count{measure=\"chart_draw\"}",
        "attune_browser_duration_seconds_count{measure=\"chart_redraw\"}",
        "attune_browser_errors_total{kind=\"script\"}",
        "attune_browser_errors_total{kind=\"rejection\"}",
    ];
    for line in expected {
        browser
            .until(line, async || {
                figure(&api, line).await.is_some_and(|value| value >= 1.0)
            })
            .await;
    }
    // The last paint is known when the page is left.
    browser.goto(&format!("{}/jobs", server.address)).await;
    let line = "attune_browser_duration_seconds_count{measure=\"largest_contentful_paint\"}";
    browser
        .until(line, async || {
            figure(&api, line).await.is_some_and(|value| value >= 1.0)
        })
        .await;
    let errors = "attune_browser_errors_total{kind=\"panic\"}";
    assert_eq!(figure(&api, errors).await, Some(0.0));
    let seconds = figure(&api, "attune_browser_duration_seconds_sum{measure=\"app_drawn\"}").await;
    assert!(seconds.is_some_and(|seconds| seconds > 0.0), "{seconds:?}");
    assert!(!server.log().contains("words of the user"));
}

#[tokio::test]
async fn whoever_switches_it_off_is_not_asked_again_in_this_browser() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.click("Settings").await;
    browser.shows("Page speed reports").await;
    browser
        .until("the page reports by itself", async || reports(&api).await > 0.0)
        .await;
    browser
        .script("document.querySelector('input[name=browser-reports][value=off]').click()")
        .await;
    let before = reports(&api).await;
    break_something(&browser).await;
    // A page that is left tells what it has, at once.
    for path in ["/jobs", "/settings"] {
        browser.goto(&format!("{}{path}", server.address)).await;
        browser.control("link", "Settings").await;
    }
    browser.shows("Page speed reports").await;
    assert_eq!(reports(&api).await.to_bits(), before.to_bits());
    let chosen = "return document.querySelector('input[name=browser-reports]:checked').value";
    assert_eq!(browser.script(chosen).await, "off");

    // Switched on again it goes on, with what happens from then on.
    browser
        .script("document.querySelector('input[name=browser-reports][value=on]').click()")
        .await;
    break_something(&browser).await;
    browser
        .until("it reports again", async || reports(&api).await > before)
        .await;
}

#[tokio::test]
async fn an_operator_who_wants_none_gets_none_and_a_browser_that_objects_sends_none() {
    let server = Setup::new().with("ATTUNE_BROWSER_METRICS", "false").start().await;
    let api = Api::signed_in(&server).await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.click("Settings").await;
    browser.shows("Session").await;
    assert!(!browser.text().await.contains("Page speed reports"));
    break_something(&browser).await;
    browser.goto(&format!("{}/jobs", server.address)).await;
    browser.control("link", "Settings").await;
    let asked = "attune_http_request_duration_seconds_count{method=\"POST\",route=\"/api/browser-reports\",status=\"403\"}";
    assert_eq!(figure(&api, asked).await, None, "nothing was even sent");
    assert_eq!(
        figure(&api, "attune_browser_errors_total{kind=\"script\"}").await,
        None
    );

    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    browser
        .before_each_page("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })")
        .await;
    browser.sign_in(&server).await;
    browser.click("Settings").await;
    browser
        .shows("your browser asks websites not to follow you")
        .await;
    break_something(&browser).await;
    browser.goto(&format!("{}/jobs", server.address)).await;
    browser.control("link", "Settings").await;
    assert_eq!(reports(&api).await.to_bits(), 0.0_f64.to_bits());
}
