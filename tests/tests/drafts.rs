//! The draft of the wizard in a real browser: kept on every way out and back, shared by tabs without a fight, begun from
//! a job that is there already.

use serde_json::json;
use shared::job::JobList;
use tests::{TOKEN, api::Api, browser::Browser, hosted::hosted};
use thirtyfour::Key;

#[tokio::test]
async fn steps_tell_how_they_stand_and_every_way_between_them_keeps_what_was_typed() {
    let (_upstream, server) = hosted().await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    let steps = async || {
        let list = browser.control("list", "Steps").await;
        let script = "return [...arguments[0].children].map(step => step.textContent.replace(/\\s+/g, ' ').trim()
            + (step.getAttribute('aria-current') ? ' (here)' : '') + (step.querySelector('a') ? ' (link)' : ''))
            .join(' | ')";
        let answer = browser.script_on(script, &list).await;
        answer.as_str().unwrap_or_default().to_owned()
    };

    // Too early: the first unfinished step, with the way back in the history as it was.
    browser.goto(&format!("{}/jobs/new/review", server.address)).await;
    browser.at("/jobs/new/setup").await;
    browser.field("Job name").await;
    assert_eq!(steps().await, "1 · Setup (here) | 2 · Configure | 3 · Review");
    browser.fill("Job name", "x-").await;
    browser.press(Key::Enter).await;
    browser
        .until("the step needs a change", async || {
            steps().await.starts_with("1 · Setupneeds a change (here)")
        })
        .await;
    browser.photograph_all("wizard-step-faulty").await;

    browser.fill_hosted_setup("kept-all-the-way").await;
    browser.click("Next").await;
    browser.at("/jobs/new/configure").await;
    browser.field("Epochs").await;
    assert_eq!(
        steps().await,
        "1 · Setupdone (link) | 2 · Configure (here) | 3 · Review"
    );
    browser.fill("Epochs", "6").await;
    browser.click("Increase epochs").await;
    browser.holds("Epochs", "7").await;
    for _ in 0..9 {
        browser.click("Decrease epochs").await;
    }
    browser.holds("Epochs", "1").await;
    browser
        .field("Epochs")
        .await
        .send_keys(Key::Up)
        .await
        .expect("a key");
    browser.holds("Epochs", "2").await;
    browser.click("0.0005").await;
    browser.holds("Learning rate", "0.0005").await;
    browser.fill("Evaluation epochs", "2").await;
    browser.fill("Warm-up epochs", "1").await;
    browser.click("Next").await;
    browser
        .until("the sum is told under both", async || {
            let evaluation = browser.description("Evaluation epochs").await;
            let warmup = browser.description("Warm-up epochs").await;
            [evaluation, warmup]
                .iter()
                .all(|words| words.contains("together are 3") && words.contains("at most the 2"))
        })
        .await;
    assert_eq!(browser.focus_name().await, "Evaluation epochs");
    browser.photograph_all("wizard-epochs-sum").await;
    browser.fill("Epochs", "5").await;
    browser.click("Next").await;
    browser.at("/jobs/new/review").await;
    browser.button("Start fine-tuning").await;
    assert_eq!(
        steps().await,
        "1 · Setupdone (link) | 2 · Configuredone (link) | 3 · Review (here)"
    );

    // The browser's own buttons, a reload, our Back, and a step's link.
    browser.back().await;
    browser.at("/jobs/new/configure").await;
    browser.holds("Epochs", "5").await;
    browser.back().await;
    browser.at("/jobs/new/setup").await;
    browser.holds("Job name", "kept-all-the-way").await;
    browser.forward().await;
    browser.at("/jobs/new/configure").await;
    browser.reload().await;
    browser.holds("Warm-up epochs", "1").await;
    browser.forward().await;
    browser.at("/jobs/new/review").await;
    browser.click("Back").await;
    browser.at("/jobs/new/configure").await;
    browser.click("Back").await;
    browser.at("/jobs/new/setup").await;
    browser.field("Job name").await;
    let words = steps().await;
    assert!(
        words.ends_with("2 · Configuredone (link) | 3 · Review (link)"),
        "{words}"
    );

    // Leaving is safe, and there is a way back.
    browser.follow("/").await;
    browser.follow("/jobs").await;
    browser.shows("Your draft “kept-all-the-way” is kept.").await;
    browser.photograph_all("jobs-draft-waits").await;
    browser.click("Continue the draft").await;
    browser.at("/jobs/new/review").await;
    browser.shows("kept-all-the-way").await;
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn only_what_can_be_seen_takes_the_focus_and_everything_that_takes_it_has_a_name() {
    let (_upstream, server) = hosted().await;
    let browser = Browser::start().await;
    browser.fill_hosted(&server, "focus").await;
    for path in ["setup", "configure", "review"] {
        browser.goto(&format!("{}/jobs/new/{path}", server.address)).await;
        browser.control("list", "Steps").await;
        let mut names = Vec::new();
        loop {
            browser.press(Key::Tab).await;
            let focused = browser.focused().await;
            let seen = "const box = arguments[0].getBoundingClientRect();
                return arguments[0] === document.body || arguments[0].checkVisibility() && box.width > 0";
            assert_eq!(browser.script_on(seen, &focused).await, true, "{names:?}");
            let is_body =
                "return arguments[0] === document.body || arguments[0] === document.documentElement";
            if browser.script_on(is_body, &focused).await == true || names.len() > 60 {
                break;
            }
            names.push(browser.focus_name().await);
        }
        assert!(names.len() > 5 && names.len() < 60, "{path}: {names:?}");
        assert!(names.iter().all(|name| !name.is_empty()), "{path}: {names:?}");
    }
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn two_tabs_with_one_draft_do_not_fight() {
    let (upstream, server) = hosted().await;
    let browser = Browser::start().await;
    browser.fill_hosted(&server, "shared-draft").await;
    browser.new_tab().await;
    browser.goto(&format!("{}/jobs/new/setup", server.address)).await;
    browser.holds("Job name", "shared-draft").await;

    // What one tab types stands in the other, which says where it came from, and goes on from there.
    browser.fill("Job name", "from-tab-two").await;
    browser.tab(0).await;
    browser.at("/jobs/new/review").await;
    browser.shows("from-tab-two").await;
    browser.shows("Brought up to date with your other tab.").await;
    browser.photograph_all("wizard-other-tab").await;
    browser.click("Back").await;
    browser.fill("Learning rate", "0.002").await;
    assert!(!browser.text().await.contains("your other tab"));
    browser.tab(1).await;
    browser.click("Next").await;
    browser.holds("Learning rate", "0.002").await;
    browser.holds("Epochs", "5").await;

    // One tab starts it. The other says so, and what is typed there is the beginning of another job.
    browser.tab(0).await;
    browser.click("Next").await;
    browser.click("Start fine-tuning").await;
    browser.job_page().await;
    browser.tab(1).await;
    browser.shows("This draft was already started").await;
    browser.photograph_all("wizard-used-up").await;
    browser.fill("Epochs", "9").await;
    browser
        .until("it is a draft of its own", async || {
            !browser.text().await.contains("already started")
        })
        .await;
    browser.reload().await;
    browser.holds("Epochs", "9").await;
    browser.click("Back").await;
    browser.fill("Job name", "second-job").await;
    browser.click("Next").await;
    browser.click("Next").await;
    browser.click("Start fine-tuning").await;
    browser.job_page().await;
    assert_eq!(upstream.names(), ["second-job", "from-tab-two"]);
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn a_job_is_duplicated_and_an_unfinished_draft_is_asked_about() {
    let (upstream, server) = hosted().await;
    upstream.add_job("broke-down", "Failed");
    let list: JobList = Api::signed_in(&server).await.get("/api/jobs").await.expect(200);
    let path = format!("/jobs/{}", list.jobs[0].id.as_str().replace('/', "%2F"));
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.goto(&format!("{}{path}", server.address)).await;
    browser.click("Duplicate").await;
    browser.at("/jobs/new/setup").await;
    browser.holds("Job name", "broke-down-copy").await;
    browser.holds("Base model", "Qwen/QwQ-32B").await;
    browser.fill("Job name", "worth-keeping").await;

    // A second duplicate would lose what was typed: it is asked, and no means no.
    browser.goto(&format!("{}{path}", server.address)).await;
    browser.click("Duplicate").await;
    browser.button("Replace the draft").await;
    browser.photograph_all("duplicate-asks").await;
    browser.click("Keep the draft").await;
    browser.gone("button", "Replace the draft").await;
    browser.follow("/jobs").await;
    browser.shows("Your draft “worth-keeping” is kept.").await;
    browser.back().await;
    browser.click("Duplicate").await;
    browser.click("Replace the draft").await;
    browser.at("/jobs/new/setup").await;
    browser.holds("Job name", "broke-down-copy").await;
    browser.click("Next").await;
    browser.holds("Epochs", "5").await;
    browser.holds("Learning rate", "0.001").await;
    browser.click("Next").await;
    browser.click("Start fine-tuning").await;
    browser.job_page().await;
    assert_eq!(upstream.names(), ["broke-down-copy", "broke-down"]);
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn a_session_that_ends_before_the_submit_costs_nothing_that_was_typed() {
    let (upstream, server) = hosted().await;
    let browser = Browser::start().await;
    browser.fill_hosted(&server, "outlives-its-session").await;
    browser.no_errors().await;
    browser.forget_cookies().await;
    browser.click("Start fine-tuning").await;
    browser.fill("Sign-in token", TOKEN).await;
    browser.press(Key::Enter).await;
    browser.at("/jobs/new/review").await;
    browser.click("Start fine-tuning").await;
    browser.job_page().await;
    assert_eq!(upstream.names(), ["outlives-its-session"]);
    browser.errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn a_draft_whose_job_exists_with_other_values_can_become_another_one() {
    let (upstream, server) = hosted().await;
    let browser = Browser::start().await;
    browser.fill_hosted(&server, "second-thoughts").await;
    // It was sent before with another rate, and the answer never reached the page.
    let id = browser
        .script("return JSON.parse(localStorage['attune.draft']).id")
        .await;
    let api = Api::signed_in(&server).await;
    let body = json!({"name": "second-thoughts", "base_model": "Qwen/QwQ-32B", "epochs": 5, "evaluation_epochs": 2,
        "warmup_epochs": 1, "learning_rate": 0.5});
    let request = api.request(reqwest::Method::POST, "/api/jobs").json(&body);
    let request = request.header("idempotency-key", id.as_str().expect("an id"));
    assert_eq!(api.send(request).await.status, 201);

    browser.click("Start fine-tuning").await;
    browser.shows("This draft was already started").await;
    browser.photograph_all("wizard-already-started").await;
    browser.click("Make it another job").await;
    browser.gone("button", "Make it another job").await;
    browser.click("Start fine-tuning").await;
    browser.job_page().await;
    assert_eq!(upstream.names(), ["second-thoughts", "second-thoughts"]);
    browser.errors().await;
    browser.quit().await;
}
