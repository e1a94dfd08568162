//! `attune import` where not all goes well: killed, refused, made to wait, and told nonsense.

use serde_json::json;
use shared::{dataset::DatasetStatus, metrics::Series, status::JobStatus};
use std::process::Stdio;
use tests::{
    api::Api,
    contract_server::Said,
    examples,
    import::{KEY_VARIABLE, Outcome, datasets, import, jobs, trained_job},
    openai_server::{Habits, KEY, OpenAiServer},
    server::{Server, Setup},
};

#[tokio::test]
async fn an_import_that_is_killed_leaves_whole_jobs_and_the_next_one_goes_on() {
    let upstream = OpenAiServer::start(Habits {
        largest_page: 100,
        ..Habits::default()
    })
    .await;
    let mut ids = Vec::new();
    for number in 0..4 {
        let file = upstream.add_file(
            &format!("{number}.jsonl"),
            "fine-tune",
            examples::chats(12 + number),
        );
        ids.push((trained_job(&upstream, &format!("job-{number}"), &file), file));
    }
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let content = format!("/files/{}/content", ids[2].1);
    let events = format!("/{}/events", ids[1].0);
    for (stalled, here) in [(events, 1), (content, 2)] {
        upstream.stall(Some(&stalled));
        let words = ["import", "--from-openai", "--base-url", &upstream.base_url];
        let mut command = server.setup.clone().with(KEY_VARIABLE, KEY).command(&words);
        let mut running = command.stderr(Stdio::null()).spawn().expect("it starts");
        upstream.was_asked_for(&stalled).await;
        running.kill().await.expect("it can be killed");
        let all = jobs(&api).await;
        assert_eq!(all.len(), here);
        for job in &all {
            assert_eq!(
                (job.status, api.steps(&job.id, Series::TrainLoss).await.len()),
                (JobStatus::Succeeded, 2)
            );
        }
        assert!(
            datasets(&api)
                .await
                .iter()
                .all(|dataset| dataset.status == DatasetStatus::Ready)
        );
    }
    upstream.stall(None);
    let told = import(&server.setup, &upstream.base_url, KEY, &[]).await.well();
    assert!(told.starts_with("taken: 2 jobs, 4 files ("), "{told}");
    assert!(told.contains("already here: 2 jobs"), "{told}");
    assert_eq!((jobs(&api).await.len(), datasets(&api).await.len()), (4, 4));
}

#[tokio::test]
async fn a_job_that_cannot_be_read_is_told_and_the_next_run_takes_it_once_it_can() {
    let upstream = OpenAiServer::start(Habits::default()).await;
    let file = upstream.add_file("train.jsonl", "fine-tune", examples::chats(12));
    trained_job(&upstream, "one", &file);
    let odd = trained_job(&upstream, "odd", &file);
    trained_job(&upstream, "three", &file);
    upstream.set(&odd, "status", json!(["lost"]));
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let why = format!("  {odd}: the API's answer can't be read: `status` is missing or unknown\n");
    let run = async |more: &[&str]| import(&server.setup, &upstream.base_url, KEY, more).await;

    let said = run(&["--dry-run"]).await;
    assert!(!said.succeeded && said.stdout.contains(&why), "{}", said.stdout);
    assert!(
        said.stdout.starts_with("would take: 2 jobs, 1 file (")
            && said.stdout.ends_with("\n1 job could not be taken\n"),
        "{}",
        said.stdout
    );
    let closing = "\n1 job could not be taken; the next import tries again\n";
    let said = run(&[]).await;
    assert!(!said.succeeded && said.stdout.contains(&why), "{}", said.stdout);
    assert!(
        said.stdout.starts_with("taken: 2 jobs, 3 files (") && said.stdout.ends_with(closing),
        "{}",
        said.stdout
    );
    assert_eq!(jobs(&api).await.len(), 2);
    let said = run(&["--job", &odd, "--job", "ftjob-none"]).await;
    assert!(!said.succeeded && said.stdout.contains(&why), "{}", said.stdout);
    assert!(
        said.stdout.contains("ftjob-none: there is no such job"),
        "the next is looked at: {}",
        said.stdout
    );
    // It is older than what is asked for, which can be read.
    let told = run(&["--since", "2050-01-01"]).await.well();
    assert!(told.starts_with("taken: 0 jobs\n"), "{told}");

    upstream.set(&odd, "status", json!("succeeded"));
    let told = run(&[]).await.well();
    assert!(
        told.starts_with("taken: 1 job, 1 file (") && told.contains("already here: 2 jobs"),
        "{told}"
    );
    assert_eq!(jobs(&api).await.len(), 3);
    // What is here needn't be read again.
    upstream.set(&odd, "status", json!(null));
    let told = run(&[]).await.well();
    assert!(told.contains("already here: 3 jobs"), "{told}");
}

#[tokio::test]
async fn a_refused_key_ends_it_a_limit_is_waited_for_and_a_list_without_end_ends() {
    let upstream = OpenAiServer::start(Habits::default()).await;
    let file = upstream.add_file("train.jsonl", "fine-tune", examples::chats(12));
    trained_job(&upstream, "one", &file);
    let setup = Setup::new();
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}/v1", listener.local_addr().expect("an address"))
    };
    let dry: &[&str] = &["--dry-run"];
    for (url, key, more, why) in [
        (&upstream.base_url, "sk-wrong", &[][..], "does not take the key"),
        (&upstream.base_url, "sk-wrong", dry, "does not take the key"),
        (&nobody, KEY, dry, "can't be reached"),
    ] {
        let said = import(&setup, url, key, more).await;
        assert!(!said.succeeded && said.stderr.contains(why), "{}", said.stderr);
        assert_eq!(said.stdout, "", "there is nothing to sum up");
    }
    let without: Outcome = setup
        .run(&["import", "--from-openai", "--base-url", &upstream.base_url])
        .await
        .into();
    assert!(
        !without.succeeded && without.stderr.contains(KEY_VARIABLE),
        "{}",
        without.stderr
    );

    let limit =
        json!({"error": {"message": "Rate limit reached", "type": "requests", "param": null, "code": null}});
    upstream.say_next(Said::json(429, &limit).with("retry-after", "1"));
    let key_file = setup.scratch().join("key");
    std::fs::write(&key_file, format!("{KEY}\n")).expect("a file");
    let path = key_file.to_str().expect("text");
    let words = [
        "import",
        "--from-openai",
        "--base-url",
        &upstream.base_url,
        "--api-key-file",
        path,
    ];
    let said: Outcome = setup.run(&words).await.into();
    assert!(
        said.stderr.contains("Rate limit reached; trying again in 1 s"),
        "{}",
        said.stderr
    );
    assert!(said.well().starts_with("taken: 1 job, 2 files ("));

    // The same page for ever.
    let page = json!({"object": "list", "has_more": true, "data": [{"id": "ftjob-loop", "model": "m",
        "status": "running", "created_at": 1_790_000_000}]});
    for _ in 0..2 {
        upstream.say_next(Said::json(200, &page));
    }
    let told = import(&setup, &upstream.base_url, KEY, &[]).await.well();
    assert!(told.contains("the list of jobs can't be read beyond 1"), "{told}");
    upstream.say_next(Said::typed(200, "application/json", "{\"data\": [{"));
    let said = import(&setup, &upstream.base_url, KEY, &[]).await;
    assert!(
        !said.succeeded && said.stderr.contains("can't be read"),
        "{}",
        said.stderr
    );
}
