//! How the Job Training API's answers are read, through the real server: every spelling of its contract's tolerance
//! paragraph, and what is told of an answer that can't be read or doesn't come.

use serde_json::{Value, json};
use shared::{
    job::{Job, JobList},
    status::JobStatus,
};
use std::time::Duration;
use tests::{
    api::Api,
    contract_server::{Mood, Said, malformed_lists},
    hosted::{hosted, hosted_with},
};

#[tokio::test]
async fn what_can_not_be_read_or_reached_is_told_as_what_it_is() {
    let (upstream, server) = hosted_with(&[
        ("ATTUNE_UPSTREAM__CACHE_MS", "0"),
        ("ATTUNE_UPSTREAM__TIMEOUT_MS", "400"),
    ])
    .await;
    let api = Api::signed_in(&server).await;
    for (name, said, told) in malformed_lists() {
        upstream.set_mood(Mood::Says(said));
        let problem = api.get("/api/jobs").await.problem(502);
        let detail = problem.detail.unwrap_or_default();
        assert_eq!(problem.code, "upstream_invalid_response", "{name}: {detail}");
        assert!(detail.contains(told), "{name}: {detail}");
    }
    for (mood, status, code, ready) in [
        (
            Mood::Says(Said::status(401)),
            502,
            "upstream_key_rejected",
            "key_rejected",
        ),
        (
            Mood::Says(Said::typed(503, "text/plain", "down")),
            502,
            "upstream_error",
            "failed",
        ),
        (Mood::Slow, 504, "upstream_timeout", "timeout"),
    ] {
        upstream.set_mood(mood);
        for path in ["/api/jobs", "/api/jobs/x", "/api/models"] {
            assert_eq!(api.get(path).await.problem(status).code, code, "{path}");
        }
        assert_eq!(readiness(&api, ready).await, 503);
    }
    upstream.set_mood(Mood::Fair);
    assert_eq!(readiness(&api, "ok").await, 200);

    let stopped = upstream.stop().await;
    let problem = api.get("/api/jobs").await.problem(502);
    assert_eq!(problem.code, "upstream_unreachable");
    assert_eq!(api.get("/healthz").await.status, 200);
    assert_eq!(readiness(&api, "unreachable").await, 503);
    let _upstream = stopped.start().await;
    assert_eq!(api.get("/api/jobs").await.status, 200, "and it recovers");
}

/// The status of `/readyz` once it tells this of the upstream: what it found is told again for a second.
#[expect(clippy::expect_used, reason = "a test that waits in vain has failed")]
async fn readiness(api: &Api, upstream: &str) -> u16 {
    let told = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        loop {
            ticks.tick().await;
            let readiness = api.get("/readyz").await;
            if readiness.body["upstream"] == upstream {
                return readiness.status.as_u16();
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), told)
        .await
        .expect(upstream)
}

#[tokio::test]
async fn every_spelling_of_the_tolerance_paragraph_is_read() {
    let (upstream, server) = hosted().await;
    let api = Api::signed_in(&server).await;
    let plain = json!({"id": "j-1", "name": "one", "baseModel": "m", "epochs": 3, "evaluationEpochs": 1,
        "warmupEpochs": 2, "learningRate": 0.001, "createdAt": "2026-01-02T03:04:05Z", "status": "Completed"});
    let listed = async |body: Value| -> Job {
        upstream.set_mood(Mood::Says(Said::json(200, &body)));
        let mut list: JobList = api.get("/api/jobs").await.expect(200);
        assert_eq!(list.summary.total, 1, "an absent summary is counted");
        list.jobs.remove(0)
    };
    let expected = listed(json!([plain])).await;
    assert_eq!(expected.status, JobStatus::Succeeded);
    assert_eq!(
        (
            expected.epochs,
            expected.evaluation_epochs,
            expected.warmup_epochs
        ),
        (Some(3), Some(1), Some(2))
    );

    for (exact, spellings) in [
        ("id", ["jobId", "job_id"].as_slice()),
        ("name", &["jobName", "job_name"]),
        ("baseModel", &["base_model", "model"]),
        ("epochs", &["trainingEpochs", "training_epochs"]),
        ("evaluationEpochs", &["evaluation_epochs"]),
        ("warmupEpochs", &["warmup_epochs"]),
        ("learningRate", &["learning_rate"]),
        ("createdAt", &["created_at", "date"]),
    ] {
        for spelling in spellings {
            let mut job = plain.clone();
            let value = job.as_object_mut().unwrap().remove(exact).unwrap();
            job[*spelling] = value;
            assert_eq!(listed(json!({"jobs": [job]})).await, expected, "{spelling}");
            upstream.set_mood(Mood::Says(Said::json(200, &job)));
            assert_eq!(
                api.get("/api/jobs/j-1").await.expect::<Job>(200),
                expected,
                "{spelling}"
            );
        }
    }
    for (words, status) in [
        (
            ["completed", "COMPLETE", "Succeeded", "succeed"].as_slice(),
            JobStatus::Succeeded,
        ),
        (&["failed", "FAIL", "error", "Errored"], JobStatus::Failed),
        (&["running", "Run", "RUNNING"], JobStatus::Running),
        (&["queued", "Pending", "queue"], JobStatus::Queued),
    ] {
        for word in words {
            let mut job = plain.clone();
            job["status"] = json!(word);
            assert_eq!(listed(json!({"jobs": [job]})).await.status, status, "{word}");
        }
    }
    let model = |id: &str, name: &str| json!({"id": id, "display_name": name});
    for (body, expected) in [
        (json!(["m"]), model("m", "m")),
        (json!([{"id": "m", "displayName": "M"}]), model("m", "M")),
        (json!([{"modelId": "m", "label": "M"}]), model("m", "M")),
        (json!([{"name": "m"}]), model("m", "m")),
        (json!({"models": [{"id": "m", "name": "M"}]}), model("m", "M")),
    ] {
        upstream.set_mood(Mood::Says(Said::json(200, &body)));
        let models = api.get("/api/models").await.body;
        let read = model(
            models["models"][0]["id"].as_str().unwrap_or_default(),
            models["models"][0]["display_name"].as_str().unwrap_or_default(),
        );
        assert_eq!(read, expected, "{body}");
    }
}
