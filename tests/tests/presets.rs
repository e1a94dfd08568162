//! The wizard's second step in a real browser: presets, what is proposed, and the estimate beside it.

use tests::{api::Api, browser::Browser, server::Server};

/// The preset whose button is pressed.
async fn pressed(browser: &Browser) -> String {
    let script = "return [...document.querySelectorAll('[aria-labelledby=presets] [aria-pressed=true]')]
        .map(chip => chip.textContent).join()";
    browser.script_text(script).await
}

/// What the estimate says of one thing, once it is told and up to date.
async fn estimated(browser: &Browser, label: &str) -> String {
    let script = format!(
        "const card = document.querySelector('section[aria-label=\"What it takes\"]');
         if (!card || card.querySelector('[aria-busy]')) return '';
         const row = [...card.querySelectorAll('dl > div')].find(row => row.querySelector('dt').textContent === '{label}');
         return row ? row.querySelector('dd').textContent : ''"
    );
    browser.script_text(&script).await
}

#[tokio::test]
async fn a_preset_sets_the_values_and_the_estimate_follows() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let proposed = api.base_model().await.defaults;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.goto(&format!("{}/jobs/new/setup", server.address)).await;
    browser.fill_setup("by-a-preset").await;
    browser.click("Next").await;
    browser.at("/jobs/new/configure").await;
    browser.holds("Epochs", &proposed.epochs.to_string()).await;
    assert_eq!(pressed(&browser).await, "Balanced");
    browser
        .until("what it takes is told", async || {
            !estimated(&browser, "Steps").await.is_empty()
        })
        .await;
    let balanced = estimated(&browser, "Steps").await;

    browser.click("Aggressive").await;
    let more = (proposed.epochs * 5).div_ceil(3);
    browser.holds("Epochs", &more.to_string()).await;
    assert_eq!(pressed(&browser).await, "Aggressive");
    browser
        .until("the estimate follows", async || {
            let steps = estimated(&browser, "Steps").await;
            !steps.is_empty() && steps != balanced
        })
        .await;
    browser.reload().await;
    browser
        .until("it is still chosen", async || {
            pressed(&browser).await == "Aggressive"
        })
        .await;

    // What is typed is nobody's preset, until it is one's values again.
    browser.fill("Epochs", "9").await;
    browser.shows("My own").await;
    assert_eq!(pressed(&browser).await, "");
    browser.is_accessible("wizard with presets").await;
    browser.photograph_all("wizard-own-values").await;
    browser.fill("Epochs", &more.to_string()).await;
    browser
        .until("the values are the preset's", async || {
            pressed(&browser).await == "Aggressive"
        })
        .await;
    // What can't be read isn't asked for, and the last answer stands meanwhile, set back.
    browser.fill("Epochs", "").await;
    browser
        .until("it is set back", async || {
            let script = "return document.querySelector('section[aria-label=\"What it takes\"] [aria-busy] dd') !== null";
            browser.script(script).await == true
        })
        .await;

    browser.tab_to("Conservative").await;
    browser.press(thirtyfour::Key::Enter).await;
    browser.holds("Epochs", &proposed.epochs.to_string()).await;
    browser.click("Next").await;
    browser.at("/jobs/new/review").await;
    let id = shared::id::JobId::new(browser.start_job().await);
    let job = api.job(&id).await;
    assert_eq!(job.epochs, Some(proposed.epochs));
    let chosen = job.hyperparameters.expect("what was chosen");
    assert_eq!(chosen.batch_size, Some(proposed.batch_size.div_ceil(2)));
    assert_eq!(
        chosen.lora.map(|lora| lora.rank),
        Some(proposed.lora.rank.div_ceil(2))
    );
    let rate = job.learning_rate.expect("a rate");
    assert!((rate / proposed.learning_rate - 0.5).abs() < 1e-9, "{rate}");
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn no_evaluation_is_proposed_where_nothing_can_be_evaluated() {
    let server = Server::new().await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.goto(&format!("{}/jobs/new/setup", server.address)).await;
    browser.fill_setup("no-validation").await;
    browser.choose("Validation dataset", "None").await;
    browser.click("Next").await;
    browser.at("/jobs/new/configure").await;
    browser.holds("Evaluation epochs", "0").await;
    assert_eq!(
        pressed(&browser).await,
        "Balanced",
        "that is what is proposed then"
    );
    assert!(
        browser
            .description("Evaluation epochs")
            .await
            .contains("nothing to test on")
    );
    browser.click("Back").await;
    browser.click("Use the example dataset").await;
    browser
        .until("there is a validation dataset", async || {
            !browser.value("Validation dataset").await.is_empty()
        })
        .await;
    browser.click("Next").await;
    browser
        .until("evaluation is proposed again", async || {
            browser.value("Evaluation epochs").await != "0"
        })
        .await;
    // What somebody typed stays.
    browser.fill("Evaluation epochs", "1").await;
    browser.click("Back").await;
    browser.choose("Validation dataset", "None").await;
    browser.click("Next").await;
    browser.holds("Evaluation epochs", "1").await;
    browser.no_errors().await;
    browser.quit().await;
}
