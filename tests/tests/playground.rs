//! The playground: models asked the same, side by side.

use shared::{job::NewJob, status::JobStatus};
use tests::{api::Api, browser::Browser, server::Server};

async fn words(browser: &Browser, column: usize) -> String {
    let script = format!(
        "return document.querySelectorAll('.answer')[{column}]?.querySelector('.answer-words')?.textContent ?? ''"
    );
    browser
        .script(&script)
        .await
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

async fn is_whole(browser: &Browser) -> bool {
    let script = "return [...document.querySelectorAll('.answer-foot')].every(foot => / tokens?\\/s/.test(foot.textContent))";
    browser.script(script).await == true
}

#[tokio::test]
async fn a_base_model_answers_beside_its_tuned_one_and_a_checkpoint() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let body = api.new_job("answers", 40, 3).await;
    let body = NewJob {
        validation_dataset: body.training_dataset.clone(),
        evaluation_epochs: 1,
        ..body
    };
    let job = api.create_job(&body).await;
    assert_eq!(api.ended(&job.id).await.status, JobStatus::Succeeded);
    let browser = Browser::start().await;
    browser.sign_in(&server).await;

    // From a checkpoint of the job's page, beside its base model, with the job's examples at hand.
    browser.goto(&format!("{}/jobs/{}", server.address, job.id)).await;
    browser.click("Try").await;
    browser.field("Prompt").await;
    let query = browser.script("return location.search").await;
    let query = query.as_str().unwrap_or_default().to_owned();
    assert!(
        query.contains("ckpt-step-") && query.contains("dataset="),
        "{query}"
    );
    browser
        .click_css(".prompt-list ul:last-of-type .prompt-pick")
        .await;
    browser.shows("The dataset's answer").await;
    browser.photograph_all("playground-asked").await;
    browser.click("Run").await;
    browser
        .until("both have answered", async || is_whole(&browser).await)
        .await;
    let (base, tuned) = (words(&browser, 0).await, words(&browser, 1).await);
    assert!(!base.is_empty() && !tuned.is_empty(), "“{base}” “{tuned}”");
    browser.photograph_all("playground").await;

    // At temperature 0 the same question has the same answer.
    browser.click("Run").await;
    browser
        .until("both have answered again", async || is_whole(&browser).await)
        .await;
    assert_eq!(
        (words(&browser, 0).await, words(&browser, 1).await),
        (base, tuned.clone())
    );

    // Without the first column the second keeps its answer; led to the bare page, it shows what that proposes.
    let dataset = browser.script("return location.search").await;
    browser.click_css(".answer:first-child .answer-head button").await;
    browser
        .until("one column is left", async || {
            browser
                .script("return document.querySelectorAll('.answer').length")
                .await
                == 1
        })
        .await;
    assert_eq!(words(&browser, 0).await, tuned);
    browser.click("Playground").await;
    browser
        .until("the page proposes two", async || {
            browser
                .script("return document.querySelectorAll('.answer').length")
                .await
                == 2
        })
        .await;
    let proposed = browser.script("return location.search").await;
    assert!(
        proposed != dataset && !proposed.to_string().contains("dataset"),
        "{proposed}"
    );

    // A typed prompt is pinned and outlives the page; a long answer is stopped.
    browser.fill("Prompt", "Tell me everything about invoices.").await;
    browser.click("Pin this prompt").await;
    browser.reload().await;
    browser.click("Tell me everything about invoices.").await;
    browser
        .holds("Prompt", "Tell me everything about invoices.")
        .await;
    browser.no_errors().await;
}

#[tokio::test]
async fn an_answer_that_nobody_waits_for_ends_and_a_model_that_is_gone_is_told() {
    let server = Server::new().await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser
        .goto(&format!("{}/playground?models=no-such-model", server.address))
        .await;
    browser.fill("Prompt", "Hello").await;
    browser.click("Run").await;
    browser.shows("Retry").await;
    browser.photograph("playground-failed").await;
    browser.errors().await;

    browser.goto(&format!("{}/playground", server.address)).await;
    browser.fill("Prompt", "Hello").await;
    browser.click("Run").await;
    browser
        .until("it has answered", async || is_whole(&browser).await)
        .await;
    browser.no_errors().await;
}
