//! One job of the still life as rows of the engine's tables, and what is told of the jobs.

use super::{CANCELLED, FAILED, LONG, OTHER, PAUSED, QUEUED, RUNNING, SUCCEEDED};
use crate::browser::NOON_MS;
use sqlx::{AssertSqlSafe, SqliteConnection};

pub(super) const MINUTE_MS: i64 = 60_000;
/// The local user, whose jobs the console shows.
const OWNER: &str = "local";
/// When the lease of the frozen job runs out: in the year 2100.
const NEVER_MS: i64 = 4_102_444_800_000;

const SUPERVISED: &str = r#""supervised""#;
pub(super) const DPO: &str = r#"{"dpo":{"beta":0.1}}"#;

/// A job of the still life.
pub(super) struct Scene {
    id: &'static str,
    name: &'static str,
    status: &'static str,
    /// Minutes before noon.
    created: i64,
    step: i64,
    total: i64,
    /// As the engine keeps it.
    pub(super) method: &'static str,
}

pub(super) const SCENES: [Scene; 8] = [
    Scene {
        id: RUNNING,
        name: "support-triage-v3",
        status: "running",
        created: 42,
        step: 412,
        total: 900,
        method: SUPERVISED,
    },
    Scene {
        id: QUEUED,
        name: "invoice-router",
        status: "queued",
        created: 12,
        step: 0,
        total: 0,
        method: SUPERVISED,
    },
    Scene {
        id: PAUSED,
        name: "tone-of-voice",
        status: "paused",
        created: 180,
        step: 120,
        total: 300,
        method: DPO,
    },
    Scene {
        id: SUCCEEDED,
        name: "legal-summary",
        status: "succeeded",
        created: 300,
        step: 600,
        total: 600,
        method: SUPERVISED,
    },
    Scene {
        id: FAILED,
        name: "medical-intents",
        status: "failed",
        created: 420,
        step: 75,
        total: 400,
        method: SUPERVISED,
    },
    Scene {
        id: CANCELLED,
        name: "claims-review",
        status: "cancelled",
        created: 1_500,
        step: 33,
        total: 200,
        method: SUPERVISED,
    },
    Scene {
        id: OTHER,
        name: "legal-summary-lower-learning-rate",
        status: "succeeded",
        created: 2_900,
        step: 600,
        total: 600,
        method: SUPERVISED,
    },
    Scene {
        id: LONG,
        name: "a-name-that-is-as-long-as-a-name-of-a-job-may-be-so-that-it-is-seen-what-becomes",
        status: "succeeded",
        created: 9_000,
        step: 60,
        total: 60,
        method: SUPERVISED,
    },
];

/// Runs one statement.
pub(super) async fn run(database: &mut SqliteConnection, statement: &str) {
    sqlx::query(AssertSqlSafe(statement.to_owned()))
        .execute(database)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}

impl Scene {
    /// Puts the job into the tables, with all of its record.
    pub(super) async fn place(&self, db: &mut SqliteConnection, file: &str) {
        let Self {
            id,
            name,
            status,
            step,
            total,
            method,
            ..
        } = self;
        let created = NOON_MS - self.created * MINUTE_MS;
        let parameters = format!(
            r#"{{"method":{method},"epochs":3,"evaluation_epochs":1,"warmup":{{"epochs":0}},"learning_rate":0.0002,
            "schedule":"linear","batch_size":8,"gradient_accumulation":1,"lora":{{"rank":16,"alpha":32.0,"dropout":0.0,
            "targets":["q_proj","k_proj","v_proj","o_proj","gate_proj","up_proj","down_proj"]}},"max_sequence_length":512,
            "seed":7,"auto":["seed"]}}"#,
        );
        let (ended, trains) = (
            matches!(*status, "succeeded" | "failed" | "cancelled"),
            *status == "running",
        );
        let finished = if ended {
            (created + 41 * MINUTE_MS).to_string()
        } else {
            "NULL".to_owned()
        };
        let started = if *step == 0 {
            "NULL".to_owned()
        } else {
            (created + MINUTE_MS).to_string()
        };
        run(db, &format!(
            "INSERT INTO jobs (id, owner, name, search_text, name_key, base_model, status, created_at, queued_at, started_at, \
                               finished_at, training_file, validation_file, parameters, attempt, step, total_steps, epoch) \
             VALUES ('{id}', '{OWNER}', '{name}', '{name} {id} attune-tiny', '{name}', 'attune-tiny', '{status}', {created}, {created}, \
                     {started}, {finished}, '{file}', '{file}', '{parameters}', {attempt}, {step}, {total}, \
                     3.0 * {step} / max({total}, 1))",
            attempt = i32::from(*step > 0),
        )).await;
        if *step == 0 {
            return;
        }
        // Falls along the run, with noise from the step's own digits.
        run(db, &format!(
            "INSERT INTO steps (job_id, step, owner, seq, recorded_at, total_steps, epoch, train_loss, train_token_accuracy, \
                                learning_rate, gradient_norm, tokens, valid_loss) \
             WITH RECURSIVE n(step) AS (SELECT 1 UNION ALL SELECT step + 1 FROM n WHERE step < {step}) \
             SELECT '{id}', n.step, '{OWNER}', n.step, {created} + 60000 + n.step * 3000, {total}, n.step * 3.0 / {total}, \
                    0.4 + 2.4 / (1.0 + n.step * 9.0 / {total}) + (n.step * 7919 % 1000) / 4000.0, 0.5 + 0.4 * n.step / {total}, \
                    0.0002 * ({total} - n.step) / {total}, 0.5 + (n.step * 104729 % 1000) / 1000.0, 400, \
                    CASE WHEN n.step % 30 = 0 THEN 0.6 + 2.4 / (1.0 + n.step * 9.0 / {total}) END FROM n"
        )).await;
        run(db, &format!(
            "UPDATE jobs SET stage = 'training', tokens_per_second = 812.5, trained_tokens = {step} * 400, last_seq = {step} + 20, \
                (train_loss, valid_loss) = (SELECT train_loss, (SELECT valid_loss FROM steps WHERE job_id = '{id}' AND valid_loss > 0 \
                 ORDER BY step DESC LIMIT 1) FROM steps WHERE job_id = '{id}' ORDER BY step DESC LIMIT 1) WHERE id = '{id}'"
        )).await;
        run(db, &format!(
            "INSERT INTO attempts (job_id, attempt, owner, started_at, from_step) VALUES ('{id}', 1, '{OWNER}', {started}, 0)"
        )).await;
        if trains {
            run(db, &format!(
                "UPDATE jobs SET remaining_ms = 1460000, lease_owner = 'elsewhere', lease_expires_at = {NEVER_MS} WHERE id = '{id}'"
            )).await;
        }
        for (number, (level, message)) in [
            ("info", "Created fine-tuning job"),
            ("info", "Files validated, moving job to queued state"),
            ("info", "Fine-tuning job started"),
            (
                "warn",
                "A line of the training file is longer than the model reads and was cut",
            ),
        ]
        .iter()
        .enumerate()
        {
            run(db, &format!(
                "INSERT INTO events (job_id, seq, owner, created_at, level, message) \
                 VALUES ('{id}', {step} + 1 + {number}, '{OWNER}', {created} + {number} * 20000, '{level}', '{message}')"
            )).await;
        }
        for number in 1..=3 {
            run(db, &format!(
                "INSERT INTO checkpoints (job_id, step, id, owner, seq, created_at, bytes, train_loss, valid_loss) \
                 SELECT job_id, step, 'ckpt-{id}-{number}', owner, {step} + 10 + {number}, recorded_at, 1572864, train_loss, \
                        (SELECT valid_loss FROM steps AS earlier WHERE earlier.job_id = '{id}' AND earlier.step <= steps.step \
                         AND valid_loss > 0 ORDER BY step DESC LIMIT 1) \
                 FROM steps WHERE job_id = '{id}' AND step = {step} * {number} / 3"
            )).await;
        }
        match *status {
            "succeeded" => self.adapter(db, created + 41 * MINUTE_MS).await,
            "failed" => {
                run(
                    db,
                    &format!(
                        "UPDATE jobs SET failure_code = 'out_of_memory', failure_cause = 'out_of_memory', \
                        failure_message = 'the trainer ran out of memory' WHERE id = '{id}'"
                    ),
                )
                .await;
                run(db, &format!(
                    "UPDATE attempts SET ended_at = {finished}, outcome = 'failed', message = 'the trainer ran out of memory', \
                        log = 'reading the model\nmemory allocation of 8388608 bytes failed' WHERE job_id = '{id}'"
                )).await;
            }
            _ => {}
        }
    }

    async fn adapter(&self, db: &mut SqliteConnection, at: i64) {
        let Self { id, name, .. } = self;
        let model = format!("ft:attune-tiny:local:{name}:{}", &id[id.len() - 8..]);
        let files = format!(
            r#"[{{"name":"adapter_model.safetensors","bytes":1572864,"sha256":"{}"}}]"#,
            "0".repeat(64)
        );
        run(db, &format!(
            "INSERT INTO artifacts (id, owner, job_id, fine_tuned_model, base_model, created_at, bytes, files) \
             VALUES ('art-{id}', '{OWNER}', '{id}', '{model}', 'attune-tiny', {at}, 1573504, '{files}')"
        )).await;
        run(
            db,
            &format!("UPDATE jobs SET fine_tuned_model = '{model}', artifact = 'art-{id}' WHERE id = '{id}'"),
        )
        .await;
    }
}

/// Two ends that nobody has read of, and an alert that somebody has.
pub(super) async fn notify(db: &mut SqliteConnection) {
    run(db, &format!(
        "INSERT INTO notifications (owner, job_id, created_at, kind, condition, message, read_at) VALUES \
         ('{OWNER}', '{RUNNING}', {}, 'alert', 'plateau', 'The training loss has not fallen for 100 steps', {NOON_MS}), \
         ('{OWNER}', '{FAILED}', {}, 'failed', NULL, NULL, NULL), ('{OWNER}', '{SUCCEEDED}', {}, 'succeeded', NULL, NULL, NULL)",
        NOON_MS - 500 * MINUTE_MS, NOON_MS - 379 * MINUTE_MS, NOON_MS - 259 * MINUTE_MS
    )).await;
}
