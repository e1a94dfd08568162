//! The wizard in a real browser: what is typed is kept, what is wrong is told where it is, and the mouse isn't needed.

use shared::{id::JobId, job::JobList, status::JobStatus};
use tests::{api::Api, browser::Browser, server::Server};
use thirtyfour::Key;

#[tokio::test]
async fn a_draft_survives_a_reload_a_closed_tab_and_a_crash_of_the_server() {
    let server = Server::new().await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.click("New job").await;
    browser.fill_setup("a-draft").await;
    browser.click("Next").await;
    browser.at("/jobs/new/configure").await;
    browser.fill("Epochs", "7").await;
    browser.fill("Learning rate", "0.0007").await;

    browser.reload().await;
    browser.at("/jobs/new/configure").await;
    browser.holds("Epochs", "7").await;

    // The tab is closed; another one goes on.
    browser.new_tab().await;
    browser.tab(0).await;
    browser.close_tab().await;
    browser
        .goto(&format!("{}/jobs/new/configure", server.address))
        .await;
    browser.holds("Epochs", "7").await;
    browser.holds("Learning rate", "0.0007").await;
    browser.no_errors().await;

    // The server dies while somebody types, and comes back.
    let setup = server.kill().await;
    browser.fill("Warm-up epochs", "2").await;
    let server = setup.start().await;
    browser.errors().await;
    browser.reload().await;
    browser.holds("Warm-up epochs", "2").await;
    browser.click("Back").await;
    browser.at("/jobs/new/setup").await;
    browser.holds("Job name", "a-draft").await;
    browser
        .until("the dataset is still chosen", async || {
            !browser.value("Training dataset").await.is_empty()
        })
        .await;

    browser.click("Start over").await;
    browser.holds("Job name", "").await;
    browser.reload().await;
    browser.holds("Job name", "").await;
    browser.no_errors().await;
    browser.quit().await;
    drop(server);
}

#[tokio::test]
async fn errors_stand_under_their_fields_and_the_first_takes_the_focus() {
    let server = Server::new().await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;

    // A step that isn't reached yet leads to the first that is missing.
    browser.goto(&format!("{}/jobs/new/review", server.address)).await;
    browser.at("/jobs/new/setup").await;

    browser.choose_first("Base model").await;
    browser.click("Next").await;
    browser
        .until("the name has the focus", async || {
            browser.focus_name().await == "Job name"
        })
        .await;
    assert!(browser.description("Job name").await.len() > 10);
    assert_eq!(
        browser
            .field("Job name")
            .await
            .attr("aria-invalid")
            .await
            .expect("a field")
            .as_deref(),
        Some("true")
    );
    assert!(browser.description("Training dataset").await.contains("required"));
    browser.photograph_all("wizard-errors").await;

    browser.fill("Job name", "ends-in-a-dash-").await;
    browser.click("Next").await;
    browser
        .until("the dash is told", async || {
            browser.description("Job name").await.contains("dash")
        })
        .await;
    browser.at("/jobs/new/setup").await;

    // Enter in a field is Next, never a job.
    browser.fill_setup("good-name").await;
    browser
        .field("Job name")
        .await
        .send_keys(Key::Enter)
        .await
        .expect("a key");
    browser.at("/jobs/new/configure").await;
    browser.fill("Epochs", "3").await;
    browser.fill("Evaluation epochs", "2").await;
    browser.fill("Warm-up epochs", "2").await;
    browser.click("Next").await;
    browser
        .until("the sum is told under both", async || {
            let evaluation = browser.description("Evaluation epochs").await;
            let warmup = browser.description("Warm-up epochs").await;
            evaluation.contains('4') && warmup.contains('4')
        })
        .await;
    assert_eq!(browser.focus_name().await, "Evaluation epochs");
    browser.fill("Warm-up epochs", "1").await;
    browser.fill("Learning rate", "7").await;
    browser.click("Next").await;
    browser
        .until("the rate is told", async || {
            browser.focus_name().await == "Learning rate"
        })
        .await;
    browser.at("/jobs/new/configure").await;

    let jobs: JobList = Api::signed_in(&server).await.get("/api/jobs").await.expect(200);
    assert_eq!(jobs.summary.total, 0);
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn a_second_tab_that_comes_later_leads_to_the_same_job() {
    let server = Server::new().await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.fill_wizard(&server, "only-one").await;
    browser.new_tab().await;
    browser.goto(&format!("{}/jobs/new/review", server.address)).await;
    browser.button("Start fine-tuning").await;

    browser.tab(0).await;
    let id = browser.start_job().await;
    browser.tab(1).await;
    browser.photograph("wizard-used-up").await;
    // The other tab either knows by now and offers the job, or starts it again and gets the first one.
    let offers = ["Open the job", "Start fine-tuning"];
    let mut offered = "";
    browser
        .until("the second tab can go on", async || {
            for offer in offers {
                if browser.has("button", offer).await || browser.has("link", offer).await {
                    offered = offer;
                }
            }
            !offered.is_empty()
        })
        .await;
    browser.click(offered).await;
    assert_eq!(browser.job_page().await, id);

    let api = Api::signed_in(&server).await;
    let jobs: JobList = api.get("/api/jobs").await.expect(200);
    assert_eq!(jobs.summary.total, 1);

    // Cancelling asks first, and "no" means no.
    browser.click("Cancel job").await;
    browser.click("Keep training").await;
    browser.gone("button", "Keep training").await;
    assert!(!api.job(&JobId::new(&id)).await.status.is_terminal());
    browser.click("Cancel job").await;
    browser.click("Yes, cancel job").await;
    browser.shows("Cancelled").await;
    assert_eq!(api.ended(&JobId::new(&id)).await.status, JobStatus::Cancelled);
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn the_keyboard_alone_starts_a_job_and_cancels_it() {
    let server = Server::new().await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.goto(&format!("{}/jobs/new/setup", server.address)).await;
    browser.field("Job name").await;
    browser.tab_to("Job name").await;
    browser.type_text("by-keyboard").await;
    browser.tab_to("Base model").await;
    if browser.value("Base model").await.is_empty() {
        browser.press(Key::Down).await;
    }
    browser.tab_to("Use the example dataset").await;
    browser.press(Key::Enter).await;
    browser
        .until("a dataset is chosen", async || {
            !browser.value("Training dataset").await.is_empty()
        })
        .await;
    browser.tab_to("Next").await;
    browser.press(Key::Enter).await;
    browser.at("/jobs/new/configure").await;
    browser.field("Epochs").await;
    browser.tab_to("Next").await;
    browser.press(Key::Enter).await;
    browser.at("/jobs/new/review").await;
    browser.button("Start fine-tuning").await;
    browser.tab_to("Start fine-tuning").await;
    browser.press(Key::Enter).await;
    let id = JobId::new(browser.job_page().await);

    browser.button("Cancel job").await;
    browser.tab_to("Cancel job").await;
    browser.press(Key::Enter).await;
    browser.button("Yes, cancel job").await;
    // Escape leaves everything as it was, and gives the focus back.
    browser.press(Key::Escape).await;
    browser.gone("button", "Yes, cancel job").await;
    browser
        .until("the focus is back", async || {
            browser.focus_name().await == "Cancel job"
        })
        .await;
    browser.press(Key::Enter).await;
    browser.button("Yes, cancel job").await;
    browser.tab_to("Yes, cancel job").await;
    browser.press(Key::Enter).await;
    browser.shows("Cancelled").await;
    assert_eq!(
        Api::signed_in(&server).await.ended(&id).await.status,
        JobStatus::Cancelled
    );
    browser.no_errors().await;
    browser.quit().await;
}
