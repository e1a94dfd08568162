//! `attune import`: jobs of an account elsewhere, with their files and records, in a console of one's own.

use serde_json::{Value, json};
use shared::{
    chat::ChatModelList,
    dataset::DatasetStatus,
    event::EventList,
    id::JobId,
    job::Job,
    metrics::{Metrics, Series},
    status::JobStatus,
    timestamp::Timestamp,
};
use std::time::Duration;
use tests::{
    api::Api,
    browser::Browser,
    examples,
    import::{datasets, import, jobs, trained_job},
    openai_server::{Habits, KEY, OpenAiServer},
    secrets::Hunt,
    server::{Server, Setup},
};

#[tokio::test]
async fn a_dry_run_tells_what_it_would_take_and_changes_nothing() {
    let upstream = OpenAiServer::start(Habits::default()).await;
    let training = upstream.add_file("train.jsonl", "fine-tune", examples::chats(20));
    let id = trained_job(&upstream, "sentiment", &training);
    upstream.add_job("unfinished", "running");
    let setup = Setup::new();
    let told = import(&setup, &upstream.base_url, KEY, &["--dry-run"])
        .await
        .well();
    assert!(told.contains("would take: 1 job, 1 file ("), "{told}");
    assert!(
        told.contains(&format!("{id} (sentiment)  succeeded  20")),
        "{told}"
    );
    assert!(told.contains("(unfinished): is `running` there"), "{told}");
    assert!(!setup.data_dir().exists(), "not even the folder is made");
    assert!(!upstream.calls().iter().any(|call| call.contains("/content")));
    let later = ["--dry-run", "--since", "2050-01-01"];
    let told = import(&setup, &upstream.base_url, KEY, &later).await.well();
    assert!(told.starts_with("would take: 0 jobs\n"), "{told}");

    let server = setup.start().await;
    let api = Api::signed_in(&server).await;
    import(&setup, &upstream.base_url, KEY, &["--dry-run"])
        .await
        .well();
    assert!(jobs(&api).await.is_empty() && datasets(&api).await.is_empty());
    import(&setup, &upstream.base_url, KEY, &[]).await.well();
    let told = import(&setup, &upstream.base_url, KEY, &["--dry-run"])
        .await
        .well();
    assert!(
        told.starts_with("would take: 0 jobs\nalready here: 1 job\n"),
        "{told}"
    );
}

#[tokio::test]
async fn jobs_come_beside_a_running_server_and_a_second_run_takes_only_what_is_new() {
    let upstream = OpenAiServer::start(Habits::default()).await;
    let training = upstream.add_file("train.jsonl", "fine-tune", examples::chats(20));
    let id = trained_job(&upstream, "sentiment", &training);
    let second = trained_job(&upstream, "second", &training);
    let failed = upstream.add_job(&format!("named-{KEY}"), "failed");
    let error = json!({"code": "invalid_training_file", "param": "training_file", "message": format!("not with {KEY}")});
    upstream.set(&failed, "error", error);
    let unfinished = upstream.add_job("unfinished", "running");
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;

    let said = import(&server.setup, &upstream.base_url, KEY, &[]).await;
    let hunt = Hunt::of(KEY);
    hunt.through(
        "what it says",
        format!("{}{}", said.stdout, said.stderr).as_bytes(),
    );
    assert!(said.stderr.contains("1 of 3"), "{}", said.stderr);
    let told = said.well();
    assert!(told.contains("taken: 3 jobs, 3 files ("), "{told}");
    assert!(told.contains("skipped: 1 job\n"), "{told}");
    assert!(told.contains("its file `file-elsewhere` is gone there"), "{told}");

    let all = jobs(&api).await;
    let find = |upstream_id: &str| {
        let of = |job: &&Job| job.imported.as_ref().is_some_and(|from| from.id == upstream_id);
        all.iter().find(of).expect("it is here").clone()
    };
    let job = find(&id);
    assert_eq!(
        (job.name.as_str(), job.status),
        ("sentiment", JobStatus::Succeeded)
    );
    assert_eq!(job.finished_at.map(Timestamp::unix_seconds), Some(1_790_000_500));
    assert_eq!((job.epochs, job.trained_tokens), (Some(2), Some(1_234)));
    let chosen = job.hyperparameters.clone().expect("they are told");
    assert_eq!(
        (chosen.batch_size, chosen.learning_rate_multiplier),
        (Some(4), Some(1.8))
    );
    assert_eq!(api.steps(&job.id, Series::TrainLoss).await.len(), 2);
    assert!(api.steps(&job.id, Series::LearningRate).await.is_empty());
    let messages: Vec<_> = api
        .events(&job.id)
        .await
        .into_iter()
        .map(|event| event.message)
        .collect();
    assert_eq!(
        messages,
        [
            "The job has successfully completed",
            "Moderation is taking long",
            "Fine-tuning job started"
        ]
    );
    assert_eq!(api.checkpoints(&job.id).await.len(), 1);
    let failure = find(&failed).failure.expect("it is kept");
    assert_eq!(
        (failure.code.as_str(), failure.message.as_str()),
        ("invalid_training_file", "not with [hidden]")
    );

    let files = datasets(&api).await;
    assert_eq!(files.len(), 1, "one file of two jobs: {files:?}");
    assert_eq!(
        (files[0].status, files[0].examples),
        (DatasetStatus::Ready, Some(20))
    );
    assert_eq!(
        find(&second).training_dataset.map(|file| file.id),
        Some(files[0].id.clone())
    );
    let asked: Vec<_> = upstream.calls();
    let content = format!("/files/{training}/content");
    assert_eq!(asked.iter().filter(|call| call.contains(&content)).count(), 1);
    let models: ChatModelList = api.get("/api/chat/models").await.expect(200);
    assert!(models.models.iter().all(|model| model.job_id.is_none()));
    let retry = api.post(&format!("/api/jobs/{}/retry", job.id), &json!({})).await;
    assert_eq!(retry.status, 409, "{}", retry.body);

    // The result is served on /v1, decoded, and the job says where it comes from.
    let made = server.setup.run(&["key", "create", "--name", "sdk"]).await;
    let key = String::from_utf8(made.stdout).expect("text").trim().to_owned();
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .build()
        .expect("a client");
    let v1 = async |path: &str| {
        let request = client
            .get(format!("{}/v1{path}", server.address))
            .bearer_auth(&key);
        request
            .send()
            .await
            .expect("an answer")
            .text()
            .await
            .expect("text")
    };
    let object: Value =
        serde_json::from_str(&v1(&format!("/fine_tuning/jobs/{}", job.id)).await).expect("JSON");
    assert_eq!(object["metadata"], json!({"name": "sentiment", "team": "a"}));
    assert_eq!(object["x_attune"]["imported"]["id"], json!(id));
    let results = object["result_files"][0].as_str().expect("a result").to_owned();
    let table = v1(&format!("/files/{results}/content")).await;
    assert!(
        table.starts_with("step,train_loss,train_accuracy\n1,2.5"),
        "{table}"
    );

    let told = import(&server.setup, &upstream.base_url, KEY, &[]).await.well();
    assert!(
        told.starts_with("taken: 0 jobs\nalready here: 3 jobs\n"),
        "{told}"
    );
    upstream.set(&unfinished, "status", json!("cancelled"));
    let told = import(&server.setup, &upstream.base_url, KEY, &[]).await.well();
    assert!(told.starts_with("taken: 1 job\n"), "{told}");
    // What is deleted here stays deleted, unless it is asked for.
    assert_eq!(api.delete(&format!("/api/jobs/{}", job.id)).await.status, 204);
    let told = import(&server.setup, &upstream.base_url, KEY, &[]).await.well();
    assert!(
        told.contains("taken: 0 jobs") && told.contains("was deleted here"),
        "{told}"
    );
    let told = import(&server.setup, &upstream.base_url, KEY, &["--job", &id])
        .await
        .well();
    assert!(
        told.starts_with("taken: 1 job, 1 file ("),
        "its result came anew: {told}"
    );
    let told = import(&server.setup, &upstream.base_url, KEY, &["--job", "ftjob-none"]).await;
    assert!(
        !told.succeeded && told.stdout.contains("there is no such job"),
        "{}",
        told.stdout
    );
    hunt.through_server(&server);
}

#[tokio::test]
async fn a_stream_of_events_that_is_longer_than_what_comes_is_told_with_the_job() {
    // It tells the newest hundred, and can't be asked for older ones.
    let upstream = OpenAiServer::start(Habits::fakeai()).await;
    let file = upstream.add_file("chats.jsonl", "fine-tune", examples::chats(12));
    let mut ids = Vec::new();
    for (name, steps) in [("whole", 40), ("cut", 150)] {
        let id = trained_job(&upstream, name, &file);
        upstream.set(&id, "result_files", json!([]));
        (3..=steps).for_each(|step| upstream.step(&id, step, 1.0, None));
        ids.push(id);
    }
    let server = Server::new().await;
    let told = import(&server.setup, &upstream.base_url, KEY, &[]).await.well();
    assert!(
        told.contains("only the newest 100 entries of its record are here"),
        "{told}"
    );
    let api = Api::signed_in(&server).await;
    let mut cut = Vec::new();
    for job in jobs(&api).await {
        let log: EventList = api.get(&format!("/api/jobs/{}/events", job.id)).await.expect(200);
        let curves: Metrics = api
            .get(&format!("/api/jobs/{}/metrics", job.id))
            .await
            .expect(200);
        let csv = api.get(&format!("/api/jobs/{}/metrics.csv", job.id)).await;
        let file = csv.headers["content-disposition"]
            .to_str()
            .expect("text")
            .to_owned();
        let is_cut = job.name == "cut";
        assert_eq!(
            (
                log.incomplete,
                curves.incomplete,
                file.contains("-metrics-incomplete.csv")
            ),
            (is_cut, is_cut, is_cut),
            "{}",
            job.name
        );
        if is_cut {
            cut.push(job);
        }
    }
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser
        .goto(&format!("{}/jobs/{}", server.address, cut[0].id))
        .await;
    browser
        .shows("There may be older steps still: the curves don't have them.")
        .await;
    browser.shows("There may be older events still").await;
    browser.no_errors().await;
    browser.quit().await;
}

/// Trains a small job with validation on a server, and answers it.
async fn train(api: &Api, name: &str) -> Job {
    let mut new = api.new_job(name, 24, 1).await;
    new.validation_dataset = Some(api.upload("others", examples::chats(12)).await.id);
    new.evaluation_epochs = 1;
    let job = api.create_job(&new).await;
    api.ended(&job.id).await
}

#[tokio::test]
async fn what_another_attune_trained_is_here_as_it_was_there_and_its_duplicate_trains() {
    let peer = Server::new().await;
    let there = Api::signed_in(&peer).await;
    let trained = train(&there, "trained-there").await;
    assert_eq!(trained.status, JobStatus::Succeeded, "{trained:?}");
    let made = peer.setup.run(&["key", "create", "--name", "import"]).await;
    let key = String::from_utf8(made.stdout).expect("text").trim().to_owned();
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let base_url = format!("{}/v1", peer.address);
    let told = import(&server.setup, &base_url, &key, &[]).await.well();
    assert!(told.starts_with("taken: 1 job, 3 files ("), "{told}");
    Hunt::of(&key).through_server(&server);

    let job = jobs(&api).await.remove(0);
    assert_eq!(
        (
            job.name.as_str(),
            job.status,
            job.epochs,
            job.learning_rate,
            job.trained_tokens
        ),
        (
            "trained-there",
            trained.status,
            trained.epochs,
            trained.learning_rate,
            trained.trained_tokens
        )
    );
    for series in [
        Series::TrainLoss,
        Series::LearningRate,
        Series::GradientNorm,
        Series::Tokens,
        Series::ValidLoss,
    ] {
        assert_eq!(
            api.steps(&job.id, series).await,
            there.steps(&trained.id, series).await,
            "{series:?}"
        );
    }
    let kept = async |api: &Api, id: &JobId| -> Vec<u64> {
        api.checkpoints(id)
            .await
            .iter()
            .map(|checkpoint| checkpoint.step)
            .collect()
    };
    assert_eq!(kept(&api, &job.id).await, kept(&there, &trained.id).await);

    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.goto(&format!("{}/jobs/{}", server.address, job.id)).await;
    let host = peer.address.trim_start_matches("http://").to_owned();
    browser
        .until("it says where it comes from", async || {
            let text = browser.text().await;
            text.contains("Imported from") && text.contains(&format!("{host}, {}", trained.id))
        })
        .await;
    for label in ["Retry", "Download adapter"] {
        assert!(!browser.has("button", label).await, "{label}");
    }
    browser
        .until("its checkpoints can be looked at", async || {
            browser
                .text()
                .await
                .contains(&format!("The weights stayed at {host}"))
        })
        .await;
    assert!(!browser.text().await.contains("Try in playground"));
    browser.click("Duplicate").await;
    browser.at("/jobs/new/setup").await;
    assert_eq!(browser.value("Job name").await, "trained-there-copy");
    browser.choose_first("Base model").await;
    let files = datasets(&api).await;
    let training = browser.value("Training dataset").await;
    assert!(
        files
            .iter()
            .any(|file| file.id.as_str() == training && file.examples == Some(24))
    );
    browser.click("Next").await;
    browser.at("/jobs/new/configure").await;
    assert_eq!(browser.value("Epochs").await, "1");
    browser.click("Next").await;
    browser.at("/jobs/new/review").await;
    let id = JobId::new(browser.start_job().await);
    let again = api.ended(&id).await;
    assert_eq!(again.status, JobStatus::Succeeded, "{again:?}");
    assert_eq!(
        again.training_dataset.map(|file| file.id.to_string()),
        Some(training)
    );
    assert_eq!(again.imported, None);
    browser.quit().await;
}
