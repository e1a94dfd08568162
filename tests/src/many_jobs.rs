//! A data folder with very many jobs: rows of the engine's own tables, put there in one transaction while no server
//! runs. A real server has made the tables before, so they are what its migrations say.

use crate::server::Setup;
use std::time::{SystemTime, UNIX_EPOCH};

/// The local user, whose jobs the console shows.
const OWNER: &str = "local";
const WORDS: [&str; 12] = [
    "support", "triage", "invoice", "legal", "summary", "billing", "router", "claims", "tone", "medical",
    "intent", "review",
];
const MODELS: [&str; 3] = ["attune-tiny", "qwen2-0.5b", "llama-3.2-1b"];
/// A minute between two jobs.
const APART_MS: i64 = 60_000;

/// The hyperparameters that every one of these jobs keeps.
const PARAMETERS: &str = r#"{"epochs":3,"evaluation_epochs":1,"warmup":{"epochs":0},"learning_rate":0.0002,
"schedule":"linear","batch_size":8,"gradient_accumulation":1,"lora":{"rank":16,"alpha":32.0,"dropout":0.0,
"targets":["q_proj","k_proj","v_proj","o_proj","gate_proj","up_proj","down_proj"]},"max_sequence_length":512,"seed":7,
"auto":["seed"]}"#;

/// The name of the job that came as the `number`th, from 0; the newest is the last.
#[must_use]
pub fn name(number: usize) -> String {
    let (one, other) = (number % WORDS.len(), number / WORDS.len() % WORDS.len());
    format!("{}-{}-{number}", WORDS[one], WORDS[other])
}

/// Fills a server's folder with jobs that have ended, the newest of them a minute old: of a hundred 83 succeeded, 9
/// failed, 6 cancelled, 2 paused. The server must not run.
pub async fn fill(setup: &Setup, count: usize) {
    // Once, for the tables.
    setup.start().await.terminate().await;
    let mut database = setup.database().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
    let now = i64::try_from(now.as_millis()).expect("this century");
    let first = now - APART_MS * i64::try_from(count).expect("a count");
    sqlx::query("BEGIN")
        .execute(&mut database)
        .await
        .expect("a transaction");
    sqlx::query(
        "INSERT INTO files (id, owner, purpose, name, filename, bytes, status, created_at) \
         VALUES ('file-many', $1, 'fine-tune', 'examples', 'examples.jsonl', 1, 'ready', $2)",
    )
    .bind(OWNER)
    .bind(first)
    .execute(&mut database)
    .await
    .expect("a file");
    for number in 0..count {
        let (name, model) = (name(number), MODELS[number % MODELS.len()]);
        let scattered = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let id = format!("ftjob-{scattered:016x}{number:08x}");
        let status = match number % 100 {
            0..83 => "succeeded",
            83..92 => "failed",
            92..98 => "cancelled",
            _ => "paused",
        };
        let created = first + APART_MS * i64::try_from(number).expect("a number");
        sqlx::query(
            "INSERT INTO jobs (id, owner, name, search_text, name_key, base_model, status, created_at, queued_at, \
                               started_at, finished_at, training_file, parameters, attempt, stage, step, total_steps, \
                               epoch, tokens_per_second, train_loss, valid_loss, trained_tokens) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $8, $9, 'file-many', $10, 1, 'training', 120, 120, 3.0, 812.5, \
                     0.731, 0.802, 48210)",
        )
        .bind(&id)
        .bind(OWNER)
        .bind(&name)
        .bind(format!("{name}\n{id}\n{model}"))
        .bind(&name)
        .bind(model)
        .bind(status)
        .bind(created)
        .bind(created + 90_000)
        .bind(PARAMETERS)
        .execute(&mut database)
        .await
        .expect("a job");
    }
    sqlx::query("COMMIT")
        .execute(&mut database)
        .await
        .expect("all of them");
    sqlx::Connection::close(database)
        .await
        .expect("a closed database");
}
