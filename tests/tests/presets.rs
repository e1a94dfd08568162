//! The wizard's second step in a real browser: presets, what is proposed, and the estimate beside it.

use serde_json::json;
use tests::{api::Api, browser::Browser, openai_console::account, openai_server::Habits, server::Server};

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

#[tokio::test]
async fn what_nobody_touched_follows_the_epochs_that_are_typed() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let proposed = api.base_model().await.defaults;
    let evaluation = proposed.evaluation_epochs;
    assert!(evaluation >= 2 && proposed.warmup_epochs == 0, "{proposed:?}");
    let (fewer, most) = ((evaluation - 1).to_string(), evaluation.to_string());
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.goto(&format!("{}/jobs/new/setup", server.address)).await;
    browser.fill_setup("fewer-epochs").await;
    browser.click("Next").await;
    browser.holds("Evaluation epochs", &most).await;
    browser.fill("Epochs", &fewer).await;
    browser.holds("Evaluation epochs", &fewer).await;
    browser.click("Next").await;
    browser.at("/jobs/new/review").await;
    browser.click("Back").await;
    // With more of them again it is what is proposed, and no more.
    browser.fill("Epochs", &(evaluation + 1).to_string()).await;
    browser.holds("Evaluation epochs", &most).await;
    browser.fill("Warm-up epochs", "2").await;
    browser.holds("Evaluation epochs", &fewer).await;
    // What somebody typed doesn't follow: it is told.
    browser.fill("Evaluation epochs", &most).await;
    browser.click("Next").await;
    let sum = (evaluation + 2).to_string();
    browser
        .until("the sum is told", async || {
            browser.description("Evaluation epochs").await.contains(&sum)
        })
        .await;
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn a_hosted_models_proposals_are_held_to_what_its_upstream_takes() {
    let (upstream, server, api) = account(Habits::default()).await;
    upstream.propose(
        json!({"epochs": 60, "evaluation_epochs": 55, "warmup_epochs": 2, "batch_size": 400,
        "lora": {"rank": 300, "alpha": 600.0, "dropout": 0.1, "targets": ["q_proj"]}}),
    );
    upstream.add_file("train.jsonl", "fine-tune", "{}");
    let bounds = api.get("/api/capabilities").await.body["bounds"].clone();
    let most = |field: &str| bounds[field]["max"].to_string();
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.goto(&format!("{}/jobs/new/setup", server.address)).await;
    browser.fill("Job name", "within-bounds").await;
    browser.choose_first("Base model").await;
    browser.choose_first("Training dataset").await;
    browser.click("Next").await;
    browser.at("/jobs/new/configure").await;
    for preset in ["Conservative", "Balanced", "Aggressive"] {
        browser.click(preset).await;
        browser
            .until("it is chosen", async || pressed(&browser).await == preset)
            .await;
        browser.holds("Epochs", &most("epochs")).await;
        browser.click("Next").await;
        browser.at("/jobs/new/review").await;
        browser.click("Back").await;
        browser.at("/jobs/new/configure").await;
    }
    browser.click_css("details.advanced summary").await;
    for (label, field) in [("Batch size", "batch_size"), ("LoRA rank", "lora_rank")] {
        assert_eq!(browser.value(label).await, most(field), "{label}");
    }
    browser.no_errors().await;
    browser.quit().await;
}
