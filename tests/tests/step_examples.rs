//! From a spike in the loss to the examples that made it.
#![expect(clippy::expect_used, reason = "a helper that fails is a failed test")]

use serde_json::{Value, json};
use shared::{
    id::JobId,
    job::NewJob,
    metrics::{Metrics, Series},
    status::JobStatus,
    step_examples::StepExamples,
};
use tests::{
    api::Api,
    browser::Browser,
    examples::{chats, pairs},
    server::Server,
};
use thirtyfour::Key;

/// The line of the one example that is unlike all others.
const ABSURD: u64 = 23;

/// Sixty chats, and between them one whose answer nobody would guess; a blank line before it.
fn with_one_absurd() -> String {
    let mut lines: Vec<String> = chats(60).lines().map(str::to_owned).collect();
    let absurd = json!({"messages": [
        {"role": "user", "content": "Ticket absurd: a question about nothing."},
        {"role": "assistant", "content": "qX7#vv zu?? 93 jjk @@ wub wub 0x0 ~ mmmm !!9"},
    ]});
    lines.insert(20, String::new());
    lines.insert(ABSURD as usize - 1, absurd.to_string());
    lines.join("\n")
}

async fn ended(api: &Api, body: &NewJob) -> JobId {
    let job = api.create_job(body).await;
    let job = api.ended(&job.id).await;
    assert_eq!(job.status, JobStatus::Succeeded);
    job.id
}

async fn examples(api: &Api, id: &JobId, step: u64) -> StepExamples {
    let path = format!("/api/jobs/{id}/steps/{step}/examples");
    api.get(&path).await.expect(200)
}

/// What was measured of a series, step by step.
async fn measured(api: &Api, id: &JobId, series: Series) -> Vec<(u64, f64)> {
    let path = format!("/api/jobs/{id}/metrics?points=4000&series={}", series.as_str());
    let metrics: Metrics = api.get(&path).await.expect(200);
    let curve = metrics.curves.into_iter().next().expect("it was measured");
    let values = curve.values.into_iter().map(|value| value.expect("a number"));
    curve.steps.into_iter().zip(values).collect()
}

/// Every step's examples have the tokens that the trainer counted, and every epoch visits every line once.
async fn are_the_trainers(api: &Api, id: &JobId, lines: &[u64]) {
    let mut epoch = Vec::new();
    for (step, tokens) in measured(api, id, Series::Tokens).await {
        let told = examples(api, id, step).await;
        let sum: u64 = told.examples.iter().filter_map(|example| example.tokens).sum();
        assert_eq!(sum as f64, tokens, "step {step}: {told:?}");
        epoch.extend(told.examples.iter().map(|example| example.example.line));
        if epoch.len() == lines.len() {
            epoch.sort_unstable();
            assert_eq!(epoch, lines, "the epoch that ends at step {step}");
            epoch.clear();
        }
    }
    assert!(epoch.is_empty(), "the last epoch is whole");
}

async fn query(browser: &Browser) -> String {
    browser.script_text("return location.search").await
}

#[tokio::test]
async fn a_spike_leads_to_the_examples_of_its_step() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let training = api.upload("one-absurd", with_one_absurd()).await;
    let body = NewJob {
        training_dataset: Some(training.id.clone()),
        batch_size: Some(4),
        ..api.new_job("spiky", 12, 6).await
    };
    let id = ended(&api, &body).await;
    let lines: Vec<u64> = (1..=62).filter(|line| *line != 21).collect();
    are_the_trainers(&api, &id, &lines).await;
    assert_eq!(
        api.get(&format!("/api/jobs/{id}/steps/97/examples"))
            .await
            .problem(404)
            .code,
        "not_found"
    );

    // By then the others are learnt: the largest loss is that of the step that had the absurd one.
    let losses = measured(&api, &id, Series::TrainLoss).await;
    let last = losses.len() as u64;
    let late = losses.iter().filter(|(step, _)| *step > last / 2);
    let (spike, _) = *late
        .max_by(|one, other| one.1.total_cmp(&other.1))
        .expect("steps");
    let told = examples(&api, &id, spike).await;
    let absurd = told
        .examples
        .iter()
        .find(|example| example.example.line == ABSURD);
    assert!(
        absurd.is_some_and(|it| it.example.messages[0].content.contains("absurd")),
        "{told:?}"
    );

    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.follow(&format!("/jobs/{id}")).await;
    let chart = browser.control("slider", "Loss by step").await;
    let click = format!(
        "const place = document.querySelector('.line-chart-overlay'), box = place.getBoundingClientRect();
         const at = 46 + ({spike} - 1) / ({last} - 1) * (box.width - 60);
         place.setPointerCapture = () => {{}};
         for (const kind of ['pointermove', 'pointerdown', 'pointerup'])
             place.dispatchEvent(new PointerEvent(kind, {{bubbles: true, pointerType: 'mouse', pointerId: 1, button: 0,
                 clientX: box.left + at, clientY: box.top + 90}}));"
    );
    browser.script(&click).await;
    browser.shows("Ticket absurd: a question about nothing.").await;
    let shown = browser
        .section("Examples of a step")
        .await
        .text()
        .await
        .expect("text");
    assert!(
        shown.contains(&format!("Step {spike}")) && shown.contains("Line 23"),
        "{shown}"
    );
    assert!(
        shown.contains("4 examples") && shown.contains("in the loss"),
        "{shown}"
    );
    for example in &told.examples {
        assert!(shown.contains(&example.example.messages[0].content), "{shown}");
    }
    browser
        .until("the address names the step", async || {
            query(&browser).await.contains(&format!("step={spike}"))
        })
        .await;
    browser.is_accessible("the examples of a step").await;
    browser.photograph_all("step-examples").await;
    browser.reload().await;
    browser.shows("Ticket absurd: a question about nothing.").await;

    // On to the next, and back out with the keyboard alone.
    let (button, beside) = if spike + 1 < last {
        ("Next step", spike + 1)
    } else {
        ("Previous step", spike - 1)
    };
    browser.click(button).await;
    browser
        .until("the step beside it", async || {
            query(&browser).await.contains(&format!("step={beside}"))
        })
        .await;
    browser.shows(&format!("Step {beside}")).await;
    browser.press(Key::Escape).await;
    browser
        .until("it is closed", async || !query(&browser).await.contains("step="))
        .await;
    assert_eq!(browser.focus_name().await, "Examples of step");
    browser.type_text(&spike.to_string()).await;
    browser.press(Key::Enter).await;
    browser.shows("Ticket absurd: a question about nothing.").await;

    // The crosshair opens the step that it reads.
    drop(chart);
    let chart = browser.control("slider", "Loss by step").await;
    browser.script_on("arguments[0].focus()", &chart).await;
    for key in ["Home", "ArrowRight", "ArrowRight", "Enter"] {
        let press = format!(
            "arguments[0].dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}', bubbles: true}}))"
        );
        browser.script_on(&press, &chart).await;
    }
    browser
        .until("the third step", async || {
            query(&browser).await.contains("step=3")
        })
        .await;
    let named: Value = browser
        .script(
            "return [...document.querySelectorAll('.step-spikes button')].map(button => button.textContent)",
        )
        .await;
    assert!(
        named[0].as_str().is_some_and(|name| name.starts_with("Step ")),
        "{named}"
    );

    // Whoever deletes the dataset has deleted its examples.
    let gone = api.delete(&format!("/api/datasets/{}", training.id)).await;
    assert!(gone.status.is_success(), "{}", gone.body);
    browser.reload().await;
    browser.shows("The training dataset was deleted").await;
    browser.is_accessible("a step whose dataset is gone").await;
}

#[tokio::test]
async fn both_answers_of_a_pair_are_told_and_the_last_step_of_an_epoch_has_what_is_left() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let training = api.upload("pairs", pairs(21)).await;
    let body = NewJob {
        training_dataset: Some(training.id),
        method: Some(shared::run::Method::Dpo),
        batch_size: Some(4),
        ..api.new_job("paired", 12, 2).await
    };
    let id = ended(&api, &body).await;
    let lines: Vec<u64> = (1..=21).collect();
    are_the_trainers(&api, &id, &lines).await;
    let last = examples(&api, &id, 6).await;
    assert_eq!((last.epoch, last.total_steps, last.examples.len()), (1, 12, 1));
    assert!(last.examples[0].example.non_preferred.is_some(), "{last:?}");
}
