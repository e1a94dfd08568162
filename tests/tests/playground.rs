//! The playground: models asked the same, side by side.

use shared::{job::NewJob, status::JobStatus};
use tests::{api::Api, browser::Browser, server::Server};
use thirtyfour::Key;

async fn words(browser: &Browser, column: usize) -> String {
    let script = format!(
        "return document.querySelectorAll('.answer')[{column}]?.querySelector('.answer-words')?.textContent ?? ''"
    );
    browser.script_text(&script).await
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

    // Every token tells how likely it was, to the pointer and to the keyboard.
    let switch = browser.control("switch", "Show probabilities").await;
    switch.click().await.expect("it can be clicked");
    let same = "const answer = document.querySelectorAll('.answer')[1];
        const tokens = [...answer.querySelector('.tokens')?.children ?? []].map(token => token.textContent);
        return tokens.length > 0 && tokens.join('') === answer.querySelector('.answer-words').textContent";
    browser
        .until("the tokens are the answer", async || {
            browser.script(same).await == true
        })
        .await;
    let told = "return document.querySelector('.answer:last-child .token-told').textContent";
    browser
        .script("document.querySelector('.answer:last-child .tokens').focus()")
        .await;
    browser
        .until("the first token is told", async || {
            let told = browser.script(told).await;
            told.as_str().is_some_and(|told| told.contains(" %"))
        })
        .await;
    let list = browser
        .script("return document.querySelector('.answer:last-child .tokens').getAttribute('aria-activedescendant')")
        .await;
    browser.press(Key::Right).await;
    browser
        .until("the next is told", async || {
            let active = "return document.querySelector('.answer:last-child .tokens').getAttribute('aria-activedescendant')";
            browser.script(active).await != list
        })
        .await;
    let shares = "return [...document.querySelector('.answer:last-child .token-instead').querySelectorAll('.number')].map(share => parseFloat(share.textContent))";
    let shares = browser.script(shares).await;
    let shares: Vec<f64> = shares
        .as_array()
        .expect("numbers")
        .iter()
        .filter_map(serde_json::Value::as_f64)
        .collect();
    assert!(
        shares.len() == 5
            && shares.is_sorted_by(|one, other| one >= other)
            && shares.iter().sum::<f64>() < 100.5,
        "{shares:?}"
    );
    browser.photograph_all("playground-probabilities").await;
    switch.click().await.expect("it can be clicked");

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
