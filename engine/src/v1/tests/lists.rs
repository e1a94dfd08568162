//! Pages of lists: cursors, bounds, ends.

use super::Client;
use crate::testing::alice;
use serde_json::json;
use shared::run::RunEvent;

const JOBS: &str = "/v1/fine_tuning/jobs";

#[tokio::test]
async fn a_checkpoint_that_was_removed_is_still_a_cursor() {
    let client = Client::start().await;
    let (id, trainer) = client.engine.job_at_step(&alice(), "saved", 3).await;
    for step in 1..=3 {
        trainer.checkpoint(step).await;
    }
    trainer.step(4).await;
    client.engine.wait_step(&alice(), &id, 4).await;
    let list = format!("{JOBS}/{id}/checkpoints?limit=1");
    let first = client.get(&list).await.json();
    assert_eq!(first["data"][0]["step_number"], 3);
    trainer.say(RunEvent::CheckpointRemoved { step: 3 }).await;
    trainer.step(5).await;
    client.engine.wait_step(&alice(), &id, 5).await;
    let after = first["last_id"].as_str().unwrap();
    let next = client.get(&format!("{list}&after={after}")).await.json();
    assert_eq!(
        (&next["data"][0]["step_number"], &next["has_more"]),
        (&json!(2), &json!(true))
    );
    client
        .get(&format!("{list}&after=ftckpt_x"))
        .await
        .refused("after");
}
