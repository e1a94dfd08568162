//! Base models: added by command and by console, from a folder and from a stand-in for the Hub, with everything that can
//! go wrong on the way.

use serde_json::json;
use shared::{estimate::Estimate, job::NewJob, model::ModelList, status::JobStatus};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};
use tests::{
    api::Api,
    browser::Browser,
    hub::{Hub, Manners},
    names_in,
    server::Setup,
    small_disk::SmallDisk,
};

/// A small model that can be trained.
fn tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/assets/attune-tiny")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a command said when it failed.
fn refusal(output: &Output) -> String {
    assert!(!output.status.success(), "{}", text(&output.stdout));
    text(&output.stderr)
}

#[tokio::test]
async fn commands_list_add_and_remove_models() {
    let setup = Setup::new();
    let models = setup.scratch().join("models");
    let setup = setup.with("ATTUNE_MODELS_DIR", models.display().to_string());
    let source = tiny();
    let source = source.to_str().expect("a path");
    let added = setup.run(&["model", "add", source, "--name", "mine/small"]).await;
    assert!(added.status.success(), "{}", text(&added.stderr));
    assert!(
        text(&added.stdout).contains("added mine/small: llama, 2.0 M parameters"),
        "{}",
        text(&added.stdout)
    );
    assert_eq!(names_in(&models), ["mine"]);
    let listed = text(&setup.run(&["model", "list"]).await.stdout);
    assert!(
        listed.contains("mine/small") && listed.contains("attune-tiny"),
        "{listed}"
    );
    let again = refusal(&setup.run(&["model", "add", source, "--name", "mine/small"]).await);
    assert!(again.contains("attune model remove mine/small"), "{again}");
    let bundled = refusal(&setup.run(&["model", "remove", "attune-tiny"]).await);
    assert!(bundled.contains("was not added by Attune"), "{bundled}");
    let removed = setup.run(&["model", "remove", "mine/small"]).await;
    assert!(removed.status.success(), "{}", text(&removed.stderr));
    assert_eq!(names_in(&models), [""; 0]);
    // What isn't a model leaves nothing.
    let broken = setup.scratch().join("broken");
    fs::create_dir(&broken).expect("a folder");
    fs::copy(tiny().join("config.json"), broken.join("config.json")).expect("a file");
    let broken = broken.to_str().expect("a path").to_owned();
    let lacking = refusal(&setup.run(&["model", "add", &broken]).await);
    assert!(lacking.contains("model.safetensors"), "{lacking}");
    fs::write(
        Path::new(&broken).join("config.json"),
        r#"{"model_type": "mamba"}"#,
    )
    .expect("a file");
    let unknown = refusal(&setup.run(&["model", "add", &broken]).await);
    assert!(
        unknown.contains("mamba") || unknown.contains("architecture"),
        "{unknown}"
    );
    assert_eq!(names_in(&models), [""; 0]);
    let nonsense = refusal(&setup.run(&["model", "add", "hf:nobody"]).await);
    assert!(nonsense.contains("hf:OWNER/NAME"), "{nonsense}");
}

#[tokio::test]
async fn a_download_survives_cut_connections_and_refuses_what_is_damaged() {
    let hub = Hub::start(&tiny()).await;
    let setup = Setup::new();
    let models = setup.scratch().join("models");
    let setup = setup
        .with("ATTUNE_MODELS_DIR", models.display().to_string())
        .with("HF_ENDPOINT", &hub.address)
        .with("HF_TOKEN", "hf_a-token-that-nobody-may-see");
    hub.set_manners(Manners {
        lies: true,
        ..Manners::default()
    });
    let damaged = refusal(&setup.run(&["model", "add", "hf:some/model"]).await);
    assert!(
        damaged.contains("model.safetensors") && damaged.contains("hash"),
        "{damaged}"
    );
    assert!(!damaged.contains("hf_a-token"), "{damaged}");
    assert_eq!(names_in(&models), [""; 0]);
    // Killed in mid-way, with half of the weights there.
    hub.set_manners(Manners::default());
    hub.set_open(false);
    let before = hub.asked().len();
    let mut killed = setup
        .command(&["model", "add", "hf:some/model"])
        .spawn()
        .expect("it starts");
    let half = fs::metadata(tiny().join("model.safetensors"))
        .expect("a file")
        .len()
        / 2;
    let part = models.join(".adding/some@model/files/model.safetensors");
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    while fs::metadata(&part).map_or(0, |part| part.len()) < half {
        ticks.tick().await;
    }
    killed.kill().await.expect("it is there");
    assert_eq!(names_in(&models), [".adding"], "what has arrived is no model");
    // The next one goes on from there, though its first connection breaks, too.
    hub.set_open(true);
    hub.set_manners(Manners {
        cuts: 1,
        ..Manners::default()
    });
    let added = setup.run(&["model", "add", "hf:some/model"]).await;
    assert!(added.status.success(), "{}", text(&added.stderr));
    let asked = hub.asked().split_off(before);
    assert!(
        asked[0] == 0 && asked[1] >= half && asked[2] > asked[1],
        "{asked:?}"
    );
    assert_eq!(names_in(&models), ["some"]);
    let weights = |folder: &Path| fs::read(folder.join("model.safetensors")).expect("a file");
    assert_eq!(weights(&models.join("some/model")), weights(&tiny()));
}

#[tokio::test]
async fn a_full_disk_and_a_folder_that_can_not_be_written_leave_nothing() {
    let setup = Setup::new();
    let models = setup.scratch().join("models");
    let setup = setup.with("ATTUNE_MODELS_DIR", models.display().to_string());
    let Some(disk) = SmallDisk::mount(&models, "1m") else {
        println!("this process may not mount a disk: not tried");
        return;
    };
    let source = tiny();
    let source = source.to_str().expect("a path");
    let full = refusal(&setup.run(&["model", "add", source]).await);
    assert!(full.contains("MB are needed"), "{full}");
    assert_eq!(names_in(&models), [""; 0]);
    disk.make_read_only();
    let forbidden = refusal(&setup.run(&["model", "add", source]).await);
    assert!(forbidden.contains(&models.display().to_string()), "{forbidden}");
}

#[tokio::test]
async fn the_console_fetches_a_model_trains_it_and_lets_nobody_remove_it_meanwhile() {
    let hub = Hub::start(&tiny()).await;
    let server = Setup::new().with("HF_ENDPOINT", &hub.address).start().await;
    let api = Api::signed_in(&server).await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.follow("/models").await;
    browser.shows("Get a model").await;
    browser.photograph_all("models").await;
    hub.set_open(false);
    browser.click("Download SmolLM2 135M Instruct").await;
    browser.shows("Being added").await;
    browser.shows("2.0 MB of 4.0 MB").await;
    browser.photograph_all("models-adding").await;
    // Given up, and taken up again.
    browser.click("Stop").await;
    browser.gone("region", "Being added").await;
    browser.click("Download SmolLM2 135M Instruct").await;
    browser.shows("2.0 MB of 4.0 MB").await;
    hub.set_open(true);
    browser.gone("region", "Being added").await;
    browser.button("Remove HuggingFaceTB/SmolLM2-135M-Instruct").await;
    // What can't be fetched says why, and can be dismissed.
    hub.set_manners(Manners {
        lies: true,
        ..Manners::default()
    });
    browser.fill("Another repository", "some").await;
    browser.click("Download").await;
    browser.shows("Write OWNER/NAME").await;
    browser.fill("Another repository", "some/model").await;
    browser.click("Download").await;
    browser.shows("arrived damaged").await;
    browser.photograph_all("models-failed").await;
    browser.click("Dismiss").await;
    browser.gone("region", "Being added").await;

    let id = "HuggingFaceTB/SmolLM2-135M-Instruct";
    let new_job = NewJob {
        base_model: id.to_owned(),
        ..api.new_job("fetched", 24, 50).await
    };
    let path = format!(
        "/api/estimate?base_model={}&training_dataset={}&epochs=50",
        id.replace('/', "%2F"),
        new_job.training_dataset.as_ref().expect("a dataset")
    );
    let estimate: Estimate = api.get(&path).await.expect(200);
    assert!(
        estimate.fits && estimate.memory_bytes > 10_000_000,
        "{estimate:?}"
    );
    assert!(
        estimate.total_steps >= 50 && estimate.training_tokens > 24,
        "{estimate:?}"
    );
    let job = api.create_job(&new_job).await;
    let removal = format!("/api/models/{}", id.replace('/', "%2F"));
    assert_eq!(api.delete(&removal).await.problem(409).code, "model_in_use");
    browser.click(&format!("Remove {id}")).await;
    browser.click("Remove").await;
    browser.shows("is needed by 1 unfinished job").await;
    // Chromium reports the refusal itself.
    assert_eq!(browser.errors().await.len(), 1);
    api.post(&format!("/api/jobs/{}/cancel", job.id), &json!({}))
        .await;
    assert_eq!(api.ended(&job.id).await.status, JobStatus::Cancelled);
    browser.click(&format!("Remove {id}")).await;
    browser.click("Remove").await;
    browser.gone("button", &format!("Remove {id}")).await;
    let list: ModelList = api.get("/api/models").await.expect(200);
    assert_eq!(list.models.len(), 1, "{list:?}");
    let path = api.post("/api/models", &json!({"source": "/etc"})).await;
    assert_eq!(path.problem(400).code, "validation_failed");
    browser.no_errors().await;
    browser.quit().await;
}
