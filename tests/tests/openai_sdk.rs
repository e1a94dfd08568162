//! The real OpenAI Python SDK against `/v1`: what scripts do today must work with another `base_url`.

use shared::job::JobList;
use std::fs;
use tests::{
    api::Api,
    clients, examples,
    server::{Server, Setup, binary},
};

#[tokio::test]
async fn a_script_for_the_openai_sdk_needs_only_another_base_url() {
    let server = Server::new().await;
    let made = server.setup.run(&["key", "create", "--name", "sdk"]).await;
    let output = String::from_utf8(made.stdout).unwrap();
    let key = output.split_whitespace().last().unwrap();
    let training = server.setup.scratch().join("training.jsonl");
    let long = server.setup.scratch().join("long.jsonl");
    fs::write(&training, examples::chats(40)).unwrap();
    fs::write(&long, examples::chats(400)).unwrap();
    let pairs = server.setup.scratch().join("pairs.jsonl");
    fs::write(&pairs, examples::pairs(40)).unwrap();

    let address = format!("{}/v1", server.address);
    let said = clients::run(
        "openai_client.py",
        &[
            &address,
            key,
            training.to_str().unwrap(),
            long.to_str().unwrap(),
            pairs.to_str().unwrap(),
        ],
    )
    .await;
    assert!(said.contains("10 steps"), "{said}");

    // The key belongs to the local user, so the console shows what the script made.
    let jobs: JobList = Api::signed_in(&server).await.get("/api/jobs").await.expect(200);
    assert_eq!(jobs.summary.completed, 2, "the one over pairs, too");
    assert_eq!(jobs.summary.cancelled, 2, "the one that was paused, too");
    assert!(
        jobs.jobs.iter().any(|job| job.name == "sdk"),
        "a job without a name of ours shows its suffix"
    );
}

#[tokio::test]
async fn the_contract_holds_as_the_sdk_sees_it_in_every_call_bound_and_trap() {
    let setup = Setup::new().with("ATTUNE_WEBHOOKS__PRIVATE_HOSTS", "127.0.0.1");
    let server = setup.start().await;
    let address = format!("{}/v1", server.address);
    let data_dir = server.setup.data_dir();
    let program = binary();
    let said = clients::run(
        "conformance",
        &[&address, program.to_str().unwrap(), data_dir.to_str().unwrap()],
    )
    .await;
    println!("{said}");
    assert!(said.contains("checks hold"), "{said}");
    let log = server.log();
    assert!(!log.contains("whsec_"), "a webhook's secret is in the log");
}
