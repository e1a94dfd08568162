//! Every view in a real browser: both widths, both themes, its empty face and its full one; links that show what
//! their sender saw; and a console that stays silent.

use shared::{job::NewJob, status::JobStatus};
use tests::{
    api::Api,
    browser::{Browser, Look, Theme, Width},
    examples,
    server::Server,
};

#[tokio::test]
async fn every_view_fits_both_widths_and_both_themes() {
    let server = Server::new().await;
    let browser = Browser::start().await;
    let open = async |path: &str| browser.goto(&format!("{}{path}", server.address)).await;

    open("/").await;
    browser.field("Sign-in token").await;
    browser.photograph_all("sign-in").await;
    browser.errors().await;
    browser.sign_in(&server).await;
    for (name, path, words) in [
        ("jobs-empty", "/jobs", "No jobs yet"),
        ("datasets-empty", "/datasets", "No datasets yet"),
        ("settings", "/settings", "Theme"),
        ("not-found", "/no-such-page", "There is nothing here"),
    ] {
        open(path).await;
        browser.shows(words).await;
        browser.photograph_all(name).await;
    }
    browser.no_errors().await;

    let api = Api::signed_in(&server).await;
    let body = api.new_job("short-and-good", 40, 3).await;
    let good = api.create_job(&body).await;
    assert_eq!(api.ended(&good.id).await.status, JobStatus::Succeeded);
    let endless = NewJob {
        name: "long-run".into(),
        epochs: 50,
        batch_size: Some(1),
        ..body.clone()
    };
    let running = api.create_job(&endless).await;
    let cancelled = api
        .create_job(&NewJob {
            name: "not-wanted".into(),
            ..body.clone()
        })
        .await;
    assert!(
        api.post(
            &format!("/api/jobs/{}/cancel", cancelled.id),
            &serde_json::json!({})
        )
        .await
        .status
        .is_success()
    );
    let broken = api
        .upload(
            "three-broken-lines",
            examples::chats(12) + "{\n[]\n{\"messages\":[]}\n",
        )
        .await;

    for (name, path, words) in [
        ("dashboard", "/".to_owned(), "long-run"),
        ("jobs", "/jobs".to_owned(), "not-wanted"),
        ("job-short", format!("/jobs/{}", good.id), "Completed"),
        ("job-cancelled", format!("/jobs/{}", cancelled.id), "Cancelled"),
        ("job-running", format!("/jobs/{}", running.id), "Running"),
        ("datasets", "/datasets".to_owned(), "three-broken-lines"),
        ("dataset-broken", format!("/datasets/{}", broken.id), "Findings"),
        (
            "dataset-good",
            format!("/datasets/{}", body.training_dataset.expect("it has one")),
            "Preview",
        ),
        ("models", "/models".to_owned(), "short-and-good"),
    ] {
        open(&path).await;
        browser.shows(words).await;
        browser.photograph_all(name).await;
    }
    open(&format!("/datasets/{}", broken.id)).await;
    let findings = browser.section("Findings").await.text().await.expect("text");
    assert!(
        ["13", "14", "15"].iter().all(|line| findings.contains(line)),
        "{findings}"
    );
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn what_a_list_shows_stands_in_its_address() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let body = api.new_job("alpha", 12, 1).await;
    for name in ["alpha", "beta", "gamma"] {
        let job = api
            .create_job(&NewJob {
                name: name.into(),
                ..body.clone()
            })
            .await;
        api.ended(&job.id).await;
    }
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.follow("/jobs").await;
    browser.at("/jobs").await;
    browser.fill("Search jobs", "bet").await;
    browser.gone("button", "Delete alpha").await;
    browser.button("Delete beta").await;
    browser
        .until("the search is in the address", async || {
            browser.path().await.contains("q=bet")
        })
        .await;

    // The same address shows the same list to whoever opens it.
    let link = browser.path().await;
    browser.new_tab().await;
    browser.goto(&format!("{}{link}", server.address)).await;
    browser.holds("Search jobs", "bet").await;
    browser.button("Delete beta").await;
    browser.gone("button", "Delete alpha").await;
    browser.close_tab().await;

    // Into a job, back to the same list, and forward again.
    browser.click("beta").await;
    browser.job_page().await;
    let job = browser.path().await;
    browser.back().await;
    browser.at(&link).await;
    browser.holds("Search jobs", "bet").await;
    browser.forward().await;
    browser.at(&job).await;
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn the_theme_follows_the_system_until_somebody_chooses() {
    let server = Server::new().await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    let background = async || {
        browser
            .script("return getComputedStyle(document.body).backgroundColor")
            .await
    };
    let light = background().await;
    browser
        .look(Look {
            width: Width::Wide,
            theme: Theme::Dark,
        })
        .await;
    browser
        .until("dark as the system", async || background().await != light)
        .await;
    let dark = background().await;

    browser.goto(&format!("{}/settings", server.address)).await;
    browser.field("Light").await.click().await.expect("a choice");
    browser
        .until("light as chosen", async || background().await == light)
        .await;
    browser.reload().await;
    browser
        .until("light as chosen before", async || background().await == light)
        .await;
    browser.field("System").await.click().await.expect("a choice");
    browser
        .until("dark as the system again", async || background().await == dark)
        .await;
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn a_dataset_is_uploaded_read_and_shown() {
    let server = Server::new().await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    let file = server.setup.scratch().join("tickets.jsonl");
    std::fs::write(&file, examples::chats(30)).expect("a file");
    browser.follow("/datasets").await;
    browser.choose_file(&file).await;
    browser.shows("tickets").await;
    browser.shows("Ready").await;
    browser.no_errors().await;

    let broken = server.setup.scratch().join("broken.jsonl");
    std::fs::write(&broken, examples::chats(12) + "not json\n").expect("a file");
    browser.follow("/datasets").await;
    browser.choose_file(&broken).await;
    browser.shows("Unusable").await;
    browser.no_errors().await;
    browser.quit().await;
}
