//! The console in front of a hosted Job Training API, in a real browser: what that API can do, and nothing that it
//! lacks; its refusals where they belong; and a way on from every failure.

use serde_json::json;
use tests::{
    browser::{Browser, Look, Theme, Width},
    contract_server::{Mood, Said, malformed_lists},
    hosted::{hosted, hosted_with},
};

#[tokio::test]
async fn the_console_asks_and_shows_only_what_this_api_has() {
    let (upstream, server) = hosted().await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.photograph_all("hosted-dashboard-empty").await;
    assert!(
        !browser.has("link", "Datasets").await,
        "there are no datasets here"
    );
    browser.click("New job").await;
    browser.at("/jobs/new/setup").await;
    browser.field("Base model").await;
    browser.photograph_all("hosted-setup").await;
    for absent in ["Training dataset", "Validation dataset"] {
        assert!(!browser.has("combobox", absent).await, "{absent}");
    }
    assert!(
        !browser.text().await.contains("dataset"),
        "{}",
        browser.text().await
    );

    // Enter in the first step is Next at most: it never makes a job.
    browser.fill("Job name", "made-here").await;
    browser.press(thirtyfour::Key::Enter).await;
    browser
        .until("the missing model has the focus", async || {
            browser.focus_name().await == "Base model"
        })
        .await;
    browser.fill_hosted_setup("made-here").await;
    browser.field("Job name").await.click().await.expect("a field");
    browser.press(thirtyfour::Key::Enter).await;
    browser.at("/jobs/new/configure").await;
    for (label, value) in [
        ("Epochs", "5"),
        ("Evaluation epochs", "2"),
        ("Warm-up epochs", "1"),
    ] {
        browser.fill(label, value).await;
    }
    browser.fill("Learning rate", "1e-4").await;
    let meaning = browser.description("Learning rate").await;
    assert!(meaning.contains("= 0.0001"), "{meaning}");
    browser.photograph_all("hosted-configure").await;
    for absent in ["Batch size", "LoRA rank", "Seed"] {
        assert!(!browser.text().await.contains(absent), "{absent}");
    }
    // Twice in a row, as an impatient person does.
    browser.press(thirtyfour::Key::Enter).await;
    browser.press(thirtyfour::Key::Enter).await;
    browser.at("/jobs/new/review").await;
    browser.button("Start fine-tuning").await;
    browser.photograph_all("hosted-review").await;
    assert!(upstream.bodies().is_empty(), "nothing was sent by Enter");
    browser.click("Start fine-tuning").await;
    browser.job_page().await;
    browser.shows("made-here").await;
    assert_eq!(
        upstream.bodies(),
        [
            json!({"name": "made-here", "baseModel": "Qwen/QwQ-32B", "epochs": 5, "evaluationEpochs": 2,
            "warmupEpochs": 1, "learningRate": 0.0001})
        ]
    );
    for absent in ["Training metrics", "Checkpoints", "Events"] {
        assert!(!browser.has("region", absent).await, "{absent}");
    }
    for absent in ["Cancel job", "Pause", "Resume", "Retry", "Download adapter"] {
        assert!(!browser.has("button", absent).await, "{absent}");
    }
    browser.photograph_all("hosted-job").await;

    // Deleting asks first, on a phone too, where status and button are in sight.
    browser.follow("/jobs").await;
    browser
        .look(Look {
            width: Width::Phone,
            theme: Theme::Light,
        })
        .await;
    let button = browser.button("Delete made-here").await;
    let within = "const box = arguments[0].getBoundingClientRect();
        return box.left >= 0 && box.right <= innerWidth && box.width > 0";
    assert_eq!(browser.script_on(within, &button).await, true);
    browser.shows("Running").await;
    browser.click("Delete made-here").await;
    browser.click("Cancel").await;
    browser.gone("button", "Cancel").await;
    assert_eq!(upstream.names(), ["made-here"], "nothing is deleted by one click");
    browser.click("Delete made-here").await;
    browser.click("Delete").await;
    browser.gone("button", "Delete made-here").await;
    assert!(upstream.names().is_empty());
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn refusals_of_two_steps_come_home_one_after_the_other() {
    let (upstream, server) = hosted().await;
    let browser = Browser::start().await;
    browser.fill_hosted(&server, "taken").await;
    browser.no_errors().await;
    upstream.set_mood(Mood::Refusing(
        json!({"name": "Name is taken", "learningRate": "Too low for this model"}),
    ));
    browser.click("Start fine-tuning").await;
    browser.at("/jobs/new/setup").await;
    browser
        .until("the name has the focus", async || {
            browser.focus_name().await == "Job name"
        })
        .await;
    assert!(browser.description("Job name").await.contains("Name is taken"));
    let steps = browser.control("list", "Steps").await.text().await.expect("text");
    assert_eq!(steps.matches("needs a change").count(), 2, "{steps}");
    browser.photograph_all("hosted-refused").await;

    // What was refused survives neither its change nor more than it must.
    browser.fill("Job name", "free-name").await;
    assert!(!browser.description("Job name").await.contains("taken"));
    browser.press(thirtyfour::Key::Enter).await;
    browser.at("/jobs/new/configure").await;
    browser
        .until("the rate has the focus", async || {
            browser.focus_name().await == "Learning rate"
        })
        .await;
    assert!(
        browser
            .description("Learning rate")
            .await
            .contains("Too low for this model")
    );
    browser.photograph_all("hosted-refused-second").await;
    upstream.set_mood(Mood::Fair);
    browser.fill("Learning rate", "0.002").await;
    browser.press(thirtyfour::Key::Enter).await;
    browser.at("/jobs/new/review").await;
    browser.click("Start fine-tuning").await;
    browser.job_page().await;
    assert_eq!(upstream.names(), ["free-name"]);
    // The one refusal is the only thing that the browser's own log has to tell.
    assert_eq!(browser.errors().await.len(), 1);
    browser.quit().await;
}

#[tokio::test]
async fn every_other_refusal_has_its_own_words_keeps_the_draft_and_leads_on() {
    let (upstream, server) = hosted_with(&[
        ("ATTUNE_UPSTREAM__CACHE_MS", "0"),
        ("ATTUNE_UPSTREAM__TIMEOUT_MS", "1500"),
    ])
    .await;
    let browser = Browser::start().await;
    browser.fill_hosted(&server, "kept").await;
    let page = || Said::typed(200, "text/html", "<h1>Sign in</h1>");
    for (name, mood, title, words) in [
        (
            "403",
            Mood::ReadOnly,
            "The server's key may not create jobs",
            "Insufficient permissions to create jobs",
        ),
        (
            "401",
            Mood::SaysOfWrites(Said::status(401)),
            "The upstream refuses the server's key",
            "operator",
        ),
        (
            "500",
            Mood::SaysOfWrites(Said::status(500)),
            "The upstream has trouble",
            "never makes a second job",
        ),
        (
            "html",
            Mood::SaysOfWrites(page()),
            "The upstream's answer makes no sense",
            "text/html",
        ),
        (
            "504",
            Mood::Slow,
            "The upstream is too slow",
            "never makes a second job",
        ),
    ] {
        upstream.set_mood(mood);
        browser.click("Start fine-tuning").await;
        browser.shows(title).await;
        let text = browser.text().await;
        assert!(
            text.contains(words) && text.contains("Your draft is kept."),
            "{name}: {text}"
        );
        browser.photograph_all(&format!("hosted-submit-{name}")).await;
        browser.button("Try again").await;
    }
    upstream.set_mood(Mood::Fair);
    let stopped = upstream.stop().await;
    browser.click("Try again").await;
    browser.shows("The upstream can't be reached").await;
    let upstream = stopped.start().await;

    browser.set_offline(true).await;
    browser.click("Try again").await;
    browser.shows("You are offline").await;
    browser.photograph_all("hosted-submit-offline").await;
    browser.set_offline(false).await;

    let server = server.kill().await;
    browser.click("Try again").await;
    browser.shows("The server can't be reached").await;
    let server = server.start().await;

    // Ten jobs are there: it says so, leads to the list where some can be deleted, and back to the kept draft.
    assert!(upstream.names().is_empty());
    upstream.fill();
    browser.click("Try again").await;
    browser.shows("The workspace is full").await;
    browser.shows("maximum limit of 10 jobs").await;
    browser.photograph_all("hosted-submit-full").await;
    browser.click("Choose jobs to delete").await;
    browser.at("/jobs").await;
    browser.click("Delete job-3").await;
    browser.click("Delete").await;
    browser.gone("button", "Delete job-3").await;
    browser.photograph_all("hosted-jobs").await;
    browser.click("Continue the draft").await;
    browser.at("/jobs/new/review").await;
    browser.click("Start fine-tuning").await;
    browser.job_page().await;
    assert_eq!(upstream.names().len(), 10);
    assert_eq!(upstream.names()[0], "kept");
    browser.errors().await;
    drop(server);
    browser.quit().await;
}

#[tokio::test]
async fn a_job_whose_creation_was_answered_with_a_failure_is_found() {
    let (upstream, server) = hosted().await;
    let browser = Browser::start().await;
    browser.fill_hosted(&server, "lost-answer").await;
    upstream.set_mood(Mood::Forgetful);
    browser.click("Start fine-tuning").await;
    browser.job_page().await;
    browser.shows("lost-answer").await;
    assert_eq!(upstream.names(), ["lost-answer"]);
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn an_upstream_that_makes_no_sense_is_told_each_time_and_recovered_from() {
    let (upstream, server) = hosted().await;
    upstream.add_job("still-there", "Completed");
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.follow("/jobs").await;
    browser.button("Delete still-there").await;
    let kinds = malformed_lists();
    assert!(kinds.len() >= 10);
    for (name, said, told) in kinds {
        upstream.set_mood(Mood::Says(said));
        browser.reload().await;
        browser.shows("The upstream's answer makes no sense").await;
        let text = browser.text().await;
        assert!(text.contains(told), "{name}: {text}");
        assert!(!text.contains("<!doctype"), "{name}: {text}");
        upstream.set_mood(Mood::Fair);
        browser.click("Retry").await;
        browser.button("Delete still-there").await;
    }
    // The same on the job's own page.
    browser.click("still-there").await;
    browser.job_page().await;
    upstream.set_mood(Mood::Says(Said::json(
        200,
        &json!({"id": "job/1", "name": "still-there"}),
    )));
    browser.reload().await;
    browser.shows("`baseModel`").await;
    browser.photograph_all("hosted-malformed").await;
    upstream.set_mood(Mood::Fair);
    browser.click("Retry").await;
    browser.shows("Completed").await;
    browser.errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn an_upstream_that_is_down_or_slow_leaves_no_page_blank_and_is_back_by_itself() {
    let (upstream, server) = hosted_with(&[
        ("ATTUNE_UPSTREAM__CACHE_MS", "0"),
        ("ATTUNE_UPSTREAM__TIMEOUT_MS", "1500"),
    ])
    .await;
    upstream.add_job("still-there", "Running");
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.follow("/jobs").await;
    browser.button("Delete still-there").await;
    browser.no_errors().await;

    // It goes while somebody looks on: what is known stays, with a note, which goes when it is back.
    let stopped = upstream.stop().await;
    browser.shows("may be out of date").await;
    browser.button("Delete still-there").await;
    browser.photograph_all("hosted-outdated").await;
    let upstream = stopped.start().await;
    browser
        .until("the note is gone", async || {
            !browser.text().await.contains("may be out of date")
        })
        .await;

    // It is gone before somebody comes.
    let stopped = upstream.stop().await;
    browser.reload().await;
    browser.shows("The upstream can't be reached").await;
    browser.button("Retry").await;
    browser.photograph_all("hosted-down").await;
    let upstream = stopped.start().await;
    browser.button("Delete still-there").await;

    // It is slow: a skeleton of the page, then what is the matter.
    upstream.set_mood(Mood::Slow);
    browser.reload().await;
    browser
        .until("the page shows that it loads", async || {
            browser
                .script("return document.querySelectorAll('.skeleton-line, .skeleton').length")
                .await
                != 0
        })
        .await;
    assert!(browser.has("navigation", "Main").await && browser.has("heading", "Jobs").await);
    browser.shows("The upstream is too slow").await;
    browser.photograph_all("hosted-slow").await;
    upstream.set_mood(Mood::Fair);
    browser.button("Delete still-there").await;
    browser.errors().await;
    browser.quit().await;
}
