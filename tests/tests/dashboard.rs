//! The dashboard in a real browser: what ended this week, when the next job starts, what the month costs, and what to do
//! about a job that failed. And the frame around it: what it runs on and what there is.
#![expect(clippy::expect_used, reason = "what fails here is the test")]

use shared::{
    id::JobId,
    job::Job,
    model::{ArtifactList, ModelList},
    status::JobStatus,
};
use std::time::Duration;
use tests::{
    api::Api,
    browser::Browser,
    hosted::hosted,
    server::{Server, Setup},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// What a tile says, by the status that it is of.
async fn tile(browser: &Browser, status: &str) -> String {
    let script = format!(
        "return [...document.querySelectorAll('a.tile')].find(tile => tile.textContent.startsWith('{status}'))?.textContent ?? ''"
    );
    browser.script_text(&script).await
}

async fn trained(api: &Api, name: &str) -> Job {
    let job = api.create_job(&api.new_job(name, 40, 2).await).await;
    let job = api.ended(&job.id).await;
    assert_eq!(job.status, JobStatus::Succeeded);
    job
}

#[tokio::test]
async fn whoever_comes_back_asks_for_each_thing_once() {
    let server = Server::new().await;
    trained(&Api::signed_in(&server).await, "first").await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.note_requests().await;
    browser.reload().await;
    browser
        .until("the dashboard is there", async || {
            tile(&browser, "Queued").await == "Queued0"
        })
        .await;
    for path in ["/api/session", "/api/capabilities", "/api/jobs"] {
        assert_eq!(browser.asked(path).await, 1, "{path}");
    }
    browser.no_errors().await;
}

#[tokio::test]
async fn the_tiles_tell_the_week_and_when_the_next_job_starts() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    trained(&api, "first").await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser
        .until("the week is told", async || {
            tile(&browser, "Completed").await == "Completed11 this week"
                && tile(&browser, "Failed").await == "Failed0none this week"
        })
        .await;
    assert_eq!(tile(&browser, "Queued").await, "Queued0", "nothing waits");
    assert!(!browser.text().await.contains("Spend in"), "no price is set");

    // A long one, and some that have to wait for it.
    let long = api.create_job(&api.new_job("long", 200, 50).await).await;
    let mut waiting = Vec::new();
    for number in 1..=4 {
        let body = api.new_job(&format!("waits-{number}"), 40, 1).await;
        waiting.push(api.create_job(&body).await);
    }
    browser
        .until_within(PATIENCE, "the start of the next is told", async || {
            tile(&browser, "Queued").await.contains("4first in ")
        })
        .await;
    browser
        .until_within(PATIENCE, "and in the page's head", async || {
            let told = browser.text().await;
            told.contains("1 job is training, 4 waiting. The next in the queue starts in about ")
        })
        .await;
    browser.is_accessible("dashboard with a queue").await;
    browser.photograph_all("dashboard-week").await;
    let running = browser.section("Running now").await.text().await.expect("text");
    assert!(
        running.contains("long") && !running.contains("waits"),
        "{running}"
    );
    for job in waiting.into_iter().chain([long]) {
        assert_eq!(
            api.post(&format!("/api/jobs/{}/cancel", job.id), &serde_json::json!({}))
                .await
                .status,
            200
        );
    }
    browser
        .until_within(PATIENCE, "nothing waits any more", async || {
            tile(&browser, "Queued").await == "Queued0"
        })
        .await;
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn what_the_month_costs_is_told_where_a_price_is_set() {
    let priced = Setup::new().with("ATTUNE_PRICE_PER_1000_TOKENS", "0.008 USD");
    let server = priced.start().await;
    let api = Api::signed_in(&server).await;
    let one = trained(&api, "one").await.trained_tokens.expect("it was counted");
    let two = trained(&api, "two").await.trained_tokens.expect("it was counted");
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    let month = "return new Date().toLocaleString('en', {month: 'long'})";
    let month = browser.script(month).await.as_str().expect("a month").to_owned();
    let card = browser.section(&format!("Spend in {month}")).await;
    let told = card.text().await.expect("text");
    let micros = (one + two) * 8;
    let digits = if micros < 1_000_000 { 4 } else { 2 };
    let rounded = format!("{:.*}", digits, micros as f64 / 1e6);
    assert!(
        told.contains(&format!("${}", rounded.trim_end_matches('0'))),
        "{micros} {told}"
    );
    let is_first_day = browser.script("return new Date().getDate() === 1").await == true;
    assert_eq!(told.contains("by the end of the month"), !is_first_day, "{told}");
    browser.is_accessible("dashboard with a month's spend").await;
    browser.photograph_all("dashboard-spend").await;
    browser.no_errors().await;
    browser.quit().await;
}

/// Makes an ended job one that failed, as the engine records it.
async fn fail(server: &Server, id: &JobId, code: &str, cause: &str, message: &str) {
    let mut database = server.setup.database().await;
    let statement = "UPDATE jobs SET status = 'failed', failure_code = $1, failure_cause = $2, failure_message = $3 \
         WHERE id = $4";
    sqlx::query(statement)
        .bind(code)
        .bind(cause)
        .bind(message)
        .bind(id.as_str())
        .execute(&mut database)
        .await
        .expect("a failed job");
    sqlx::Connection::close(database)
        .await
        .expect("a closed database");
}

/// What the dashboard says of the job that failed last.
async fn attention(browser: &Browser, words: &str) -> String {
    let mut told = String::new();
    browser
        .until("the failure is told", async || {
            let script =
                "return [...document.querySelectorAll('.attention > p')].filter(part => !part.hidden)
                .map(part => part.textContent).join(' ')";
            told = browser.script_text(script).await;
            told.contains(words)
        })
        .await;
    told
}

#[tokio::test]
async fn a_failed_job_says_what_to_do_and_is_tried_again_from_the_dashboard() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let job = trained(&api, "spiky").await;
    let rate = job.learning_rate.expect("a rate");
    fail(
        &server,
        &job.id,
        "nan_loss",
        "diverged",
        "the loss became NaN at step 7",
    )
    .await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    let told = attention(&browser, "A lower learning rate is steadier: ").await;
    assert!(
        told.starts_with("spiky failed. The loss became NaN at step 7. A lower"),
        "{told}"
    );
    assert!(
        !told.contains("broken examples"),
        "the job's page has the rest: {told}"
    );
    browser.button("Retry with this change").await;
    browser.photograph_all("dashboard-attention").await;

    let german = Browser::start_preferring("de").await;
    german.goto(&server.sign_in_url().await).await;
    attention(&german, "Eine niedrigere Lernrate ist stabiler: ").await;
    german.button("Mit dieser Änderung wiederholen").await;
    german.photograph_all("german-dashboard-attention").await;
    german.quit().await;

    // By the keyboard; pressed twice it is one job all the same.
    browser.tab_to("Retry with this change").await;
    let again = browser.focused().await;
    browser
        .script_on("arguments[0].click(); arguments[0].click();", &again)
        .await;
    let id = JobId::new(browser.job_page().await);
    browser.shows("Retry of").await;
    let retried = api.ended(&id).await;
    assert_eq!(retried.parent.as_ref(), Some(&job.id));
    let lower = retried.learning_rate.expect("a rate");
    assert!((lower / rate - 0.1).abs() < 0.01, "{lower} {rate}");
    let list: shared::job::JobList = api.get("/api/jobs").await.expect(200);
    assert_eq!(list.jobs.len(), 2);

    // Where trying again is no use, the advice stands alone.
    fail(&server, &id, "bug", "bug", "the trainer came to a bad end").await;
    browser.follow("/").await;
    let told = attention(&browser, "a defect of Attune").await;
    assert!(!told.contains("steadier"), "the newest counts: {told}");
    assert!(!browser.has("button", "Retry").await && !browser.has("button", "Retry with this change").await);
    browser.click("Show what happened").await;
    browser.at(&format!("/jobs/{id}")).await;
    browser.no_errors().await;
    browser.quit().await;
}

/// What the navigation says: the number beside an entry, and its foot.
async fn navigation(browser: &Browser, entry: &str) -> (String, String) {
    let script = format!(
        "const link = [...document.querySelectorAll('.nav-links a')].find(link => link.textContent.startsWith('{entry}'));
         const foot = [...document.querySelectorAll('.nav-foot > div')].map(line => line.textContent).join('|');
         return [link?.querySelector('.nav-count').textContent ?? '', foot]"
    );
    let told = browser.script(&script).await;
    let word = |index: usize| told[index].as_str().unwrap_or_default().to_owned();
    (word(0), word(1))
}

#[tokio::test]
async fn the_frame_tells_the_models_and_what_it_runs_on_without_asking_for_more() {
    let server = Setup::new().with("ATTUNE_ENGINE__THREADS", "1").start().await;
    let api = Api::signed_in(&server).await;
    let base = api.get("/api/models").await.expect::<ModelList>(200).models.len();
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    let shows = async |models: usize| {
        let expected = (
            models.to_string(),
            "Embedded engine · 1 core|local · signed in".to_owned(),
        );
        browser
            .until("the frame is filled", async || {
                navigation(&browser, "Models").await == expected
            })
            .await;
    };
    shows(base).await;
    trained(&api, "tuned").await;
    let tuned: ArtifactList = api.get("/api/artifacts").await.expect(200);
    shows(base + tuned.artifacts.len()).await;
    browser.reload().await;
    shows(base + 1).await;
    let asked = browser
        .script_text("return performance.getEntriesByType('resource').map(entry => new URL(entry.name).pathname).join(' ')")
        .await;
    assert_eq!(asked.matches("/api/session").count(), 1, "{asked}");
    assert!(
        !asked.contains("/api/models") && !asked.contains("/api/artifacts"),
        "{asked}"
    );
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn in_front_of_a_hosted_api_the_frame_tells_no_cores_and_counts_no_models() {
    let (_upstream, server) = hosted().await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    let expected = (String::new(), "Job Training API|local · signed in".to_owned());
    browser
        .until("the frame is filled", async || {
            navigation(&browser, "Models").await == expected
        })
        .await;
    browser.no_errors().await;
    browser.quit().await;
}
