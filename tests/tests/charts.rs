//! Charts and the comparison, worked as people work them: zoomed, moved, read, saved, linked.

use serde_json::Value;
use shared::{job::NewJob, status::JobStatus};
use tests::{api::Api, browser::Browser, server::Server};

/// Drags over the chart from one share of its width to another.
async fn drag(browser: &Browser, from: f64, to: f64, shift: bool) {
    let script = format!(
        "const place = document.querySelector('.line-chart-overlay'), box = place.getBoundingClientRect();
         const event = (kind, at) => place.dispatchEvent(new PointerEvent(kind, {{bubbles: true, pointerType: 'mouse', pointerId: 1,
             button: 0, shiftKey: {shift}, clientX: box.left + 46 + at * (box.width - 60), clientY: box.top + 90}}));
         // Each is drawn before the next comes, as with a hand.
         const drawn = () => new Promise((done) => setTimeout(done));
         place.setPointerCapture = () => {{}};
         return (async () => {{
             event('pointerdown', {from}); await drawn(); event('pointermove', {to}); await drawn(); event('pointerup', {to});
         }})();"
    );
    browser.script(&script).await;
}

async fn query(browser: &Browser) -> String {
    browser.script_text("return location.search").await
}

/// A number of the address.
async fn parameter(browser: &Browser, name: &str) -> Option<f64> {
    let query = query(browser).await;
    let pair = query
        .trim_start_matches('?')
        .split('&')
        .find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    pair.and_then(|value| value.parse().ok())
}

async fn ended_job(api: &Api, body: &NewJob) -> shared::job::Job {
    let job = api.create_job(body).await;
    let job = api.ended(&job.id).await;
    assert_eq!(job.status, JobStatus::Succeeded);
    job
}

#[tokio::test]
async fn a_chart_zooms_moves_saves_and_its_link_shows_the_same() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let body = api.new_job("curves", 40, 6).await;
    let body = NewJob {
        validation_dataset: body.training_dataset.clone(),
        evaluation_epochs: 3,
        ..body
    };
    let job = ended_job(&api, &body).await;
    let steps = job.progress.as_ref().expect("it trained").total_steps;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.follow(&format!("/jobs/{}", job.id)).await;
    let chart = browser.control("slider", "Loss by step").await;
    assert_eq!(
        query(&browser).await,
        "",
        "an untouched chart says nothing in the address"
    );

    drag(&browser, 0.25, 0.75, false).await;
    browser
        .until("the address holds the part", async || {
            parameter(&browser, "from").await.is_some()
        })
        .await;
    let (from, to) = (
        parameter(&browser, "from").await.unwrap(),
        parameter(&browser, "to").await.unwrap(),
    );
    assert!(
        from > 1.0 && to < steps as f64 && to > from,
        "{from} to {to} of {steps}"
    );
    browser.photograph_all("chart-zoomed").await;

    // Moved with Shift, the part is as long as before.
    drag(&browser, 0.3, 0.5, true).await;
    browser
        .until("the part moves", async || {
            parameter(&browser, "from").await.is_some_and(|now| now < from)
        })
        .await;
    let moved = (
        parameter(&browser, "from").await.unwrap(),
        parameter(&browser, "to").await.unwrap(),
    );
    assert!(((moved.1 - moved.0) - (to - from)).abs() < 0.02, "{moved:?}");

    browser.click("Validation loss").await;
    let log = browser.control("checkbox", "Log axis").await;
    log.click().await.expect("it can be clicked");
    browser
        .until("the address says so", async || {
            query(&browser).await.contains("log=1")
        })
        .await;
    let shared_link = query(&browser).await;
    assert!(shared_link.contains("hide=valid_loss"), "{shared_link}");
    browser.reload().await;
    let pressed = browser
        .control("button", "Validation loss")
        .await
        .attr("aria-pressed")
        .await;
    assert_eq!(pressed.expect("an attribute").as_deref(), Some("false"));
    assert_eq!(query(&browser).await, shared_link);

    // The keyboard reads and goes back to the whole.
    let chart_again = browser.control("slider", "Loss by step").await;
    drop(chart);
    browser.script_on("arguments[0].focus()", &chart_again).await;
    for key in ["Home", "ArrowRight"] {
        let press = format!(
            "arguments[0].dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}', bubbles: true}}))"
        );
        browser.script_on(&press, &chart_again).await;
    }
    let read = chart_again
        .attr("aria-valuetext")
        .await
        .expect("an attribute")
        .unwrap_or_default();
    assert!(read.starts_with("step ") && read.contains("Train loss"), "{read}");
    browser.click("Whole run").await;
    browser
        .until("all is shown", async || !query(&browser).await.contains("from="))
        .await;

    browser.click_css(".chart-tools .menu summary").await;
    browser.click("What is shown (CSV)").await;
    let table = String::from_utf8(browser.downloaded(".csv").await).expect("text");
    assert!(table.starts_with("step,at_step,Train loss\n1,1,"), "{table}");
    assert_eq!(table.lines().count() as u64, steps + 1);
    browser.click("What is shown (JSON)").await;
    let json: Value = serde_json::from_slice(&browser.downloaded(".json").await).expect("JSON");
    assert_eq!(
        json["lines"][0]["steps"]
            .as_array()
            .map(|steps| steps.len() as u64),
        Some(steps)
    );
    browser.click("Picture (PNG)").await;
    let picture = browser.downloaded(".png").await;
    assert!(
        picture.starts_with(b"\x89PNG") && picture.len() > 5_000,
        "{} bytes",
        picture.len()
    );

    // Each measure can be the large chart, over epochs too.
    browser.script("[...document.querySelectorAll('button.mini')].find(mini => mini.textContent.startsWith('Gradient norm')).click()").await;
    browser.control("slider", "Gradient norm by step").await;
    browser
        .script("document.querySelector('input[name=axis][value=epoch]').click()")
        .await;
    browser
        .until("the axis counts epochs", async || {
            query(&browser).await.contains("x=epoch")
        })
        .await;
    browser
        .script("document.querySelector('input[name=axis][value=time]').click()")
        .await;
    browser.shows("Time since the first step, pauses included").await;
    browser
        .until("the axis counts time", async || {
            query(&browser).await.contains("x=time")
        })
        .await;
    let chart = browser.control("slider", "Gradient norm by step").await;
    let end = chart
        .attr("aria-valuemax")
        .await
        .expect("an attribute")
        .unwrap_or_default();
    let end: f64 = end.parse().expect("a number");
    assert!(end > 1.0, "{end} ms of training");
    browser.script_on("arguments[0].focus()", &chart).await;
    let press = "arguments[0].dispatchEvent(new KeyboardEvent('keydown', {key: 'End', bubbles: true}))";
    browser.script_on(press, &chart).await;
    browser
        .until("the last point is read where training ended", async || {
            let now = chart
                .attr("aria-valuenow")
                .await
                .ok()
                .flatten()
                .unwrap_or_default();
            now.parse::<f64>().is_ok_and(|now| (now - end).abs() < 1.0)
        })
        .await;
    let read = chart
        .attr("aria-valuetext")
        .await
        .expect("an attribute")
        .unwrap_or_default();
    assert!(
        read.starts_with("after ") && read.contains("Gradient norm"),
        "{read}"
    );
    drag(&browser, 0.25, 0.75, false).await;
    browser
        .until("a part of the time is shown", async || {
            parameter(&browser, "to")
                .await
                .is_some_and(|to| to > 1.0 && to < end)
        })
        .await;
    browser.is_accessible("a chart over time").await;
    browser.photograph_all("chart-over-time").await;
    browser.no_errors().await;
}

#[tokio::test]
async fn jobs_are_compared_by_what_differs_and_the_link_shows_the_same() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let body = api.new_job("calm", 40, 3).await;
    let calm = ended_job(&api, &body).await;
    let hot = ended_job(
        &api,
        &NewJob {
            name: "hot".into(),
            learning_rate: 0.02,
            ..body.clone()
        },
    )
    .await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.follow("/jobs").await;
    for name in ["Select calm", "Select hot"] {
        let select = browser.control("checkbox", name).await;
        select.click().await.expect("it can be clicked");
    }
    browser.click("Compare").await;
    browser.shows("What differs").await;
    let table = browser.section("What differs").await.text().await.expect("text");
    assert!(
        table.contains("Learning rate") && table.contains("0.02"),
        "{table}"
    );
    assert!(
        !table.contains("Batch size"),
        "what is the same is left out: {table}"
    );
    browser.photograph_all("compare").await;
    browser
        .script("document.querySelector('input[name=axis][value=time]').click()")
        .await;
    browser.shows("Time since the first step, pauses included").await;
    browser
        .until("both have their time", async || {
            let ends = "return document.querySelectorAll('.line-chart-base .line-raw').length";
            browser.script(ends).await == 2
        })
        .await;

    browser.click("Make baseline").await;
    browser
        .until("the baseline is in the address", async || {
            query(&browser).await.contains("baseline=")
        })
        .await;
    let link = query(&browser).await;
    assert!(
        link.contains(calm.id.as_str()) && link.contains(hot.id.as_str()),
        "{link}"
    );
    let other = Browser::start().await;
    other.sign_in(&server).await;
    other.goto(&format!("{}/compare{link}", server.address)).await;
    other.shows("What differs").await;
    let same = other.section("What differs").await.text().await.expect("text");
    assert_eq!(
        same,
        browser.section("What differs").await.text().await.expect("text")
    );

    browser.click("Remove hot").await;
    browser
        .until("it is gone", async || {
            !query(&browser).await.contains(hot.id.as_str())
        })
        .await;
    browser.click_css(".choose summary").await;
    browser.fill("Search jobs", "ho").await;
    browser.click("hot Completed").await;
    browser
        .until("it is back", async || {
            query(&browser).await.contains(hot.id.as_str())
        })
        .await;

    // A job that isn't there is told, and can be left out.
    browser
        .goto(&format!("{}/compare?jobs={},ftjob-gone", server.address, calm.id))
        .await;
    browser.shows("ftjob-gone").await;
    browser.click("Leave it out").await;
    browser
        .until("it is out", async || !query(&browser).await.contains("gone"))
        .await;
    browser.goto(&format!("{}/compare", server.address)).await;
    browser.shows("Nothing to compare yet").await;
    browser.photograph_all("compare-empty").await;
}

#[tokio::test]
async fn events_are_searched_and_filtered_by_level() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let job = ended_job(&api, &api.new_job("told", 40, 2).await).await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.follow(&format!("/jobs/{}", job.id)).await;
    browser.shows("Fine-tuning job started").await;
    browser.fill("Search events", "VALIDATED").await;
    browser
        .until("only what fits is shown", async || {
            let shown = browser.section("Events").await.text().await.unwrap_or_default();
            shown.contains("Files validated") && !shown.contains("Fine-tuning job started")
        })
        .await;
    browser.fill("Search events", "").await;
    browser.choose("Level", "Errors").await;
    browser.shows("No event fits.").await;
    browser.no_errors().await;
}
