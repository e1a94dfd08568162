//! What a job at work is watched for. Losses are looked at as they are recorded; what no step brings about, now and then.
//!
//! A window of the newest losses is kept here, as long as the rules need it, and read from the store again when an attempt
//! begins or the rules change. What comes true is recorded once for each job and condition, in the transaction that tells of
//! it, so it makes no difference how often the same losses are looked at.

mod window;

pub(crate) use window::Measured;
use window::Window;

use super::run::Supervised;
use crate::{
    data_folder::free_bytes,
    error::{Error, chain},
    service::job_actions::pause_within,
    store::{alerts, from_sql, jobs, leases, notifications, steps},
};
use shared::{
    alert::{AlertAction, AlertCondition, AlertRule, Situation, finds},
    event::Level,
    id::JobId,
    timestamp::Timestamp,
};
use sqlx::SqliteConnection;

/// A pace is taken over no fewer steps, and the first one over no less time: less is chance.
pub(crate) const LEAST_STEPS: u64 = 10;
const LEAST_MS: i64 = 30_000;

/// What is watched, and what is known of it.
#[derive(Debug)]
pub(crate) struct Watch {
    /// The rules whose condition has not come true.
    rules: Vec<AlertRule>,
    window: Window,
    /// When the newest step was recorded, or the work began.
    active_at: Timestamp,
    /// Milliseconds, and the steps that they took when the job began to train.
    first_pace: Option<(u64, u64)>,
}

impl Watch {
    /// Watches nothing yet.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            rules: Vec::new(),
            window: Window::default(),
            active_at: now,
            first_pace: None,
        }
    }

    fn has(&self, condition: AlertCondition) -> bool {
        self.rules.iter().any(|rule| rule.condition == condition)
    }

    /// Takes the rules out that hold.
    fn take_found(&mut self, situation: &Situation<'_>) -> Vec<AlertRule> {
        self.rules.extract_if(.., |rule| finds(rule, situation)).collect()
    }

    /// Adds a step and takes the rules out that hold now.
    fn add(&mut self, measured: Measured) -> Vec<AlertRule> {
        if !self.window.add(measured) {
            return Vec::new();
        }
        let situation = Situation {
            losses: self.window.losses(),
            ..Situation::default()
        };
        self.rules
            .extract_if(.., |rule| finds(rule, &situation))
            .collect()
    }
}

/// Reads what a job is watched for, and the losses that this needs; looks at so many of the newest steps, one by one.
pub(crate) async fn begin(job: &mut Supervised<'_>, newest: usize) {
    match read(job, newest).await {
        Ok(found) => raise_all(job, found).await,
        Err(error) => {
            tracing::warn!(error = chain(&error), job = %job.row.id, "what a job is watched for could not be read");
        }
    }
}

async fn read(job: &mut Supervised<'_>, newest: usize) -> Result<Vec<AlertRule>, Error> {
    let (read, id) = (job.service.inner.store.read(), job.row.id.as_str());
    let rules = alerts::open_of_job(read, id).await?;
    let window = Window::of(&rules);
    let rows = if rules.is_empty() {
        Vec::new()
    } else {
        steps::newest_losses(read, id, window.steps() + newest).await?
    };
    let before = match rows.first() {
        Some((step, ..)) => steps::valid_losses_before(read, id, *step).await?,
        None => Vec::new(),
    };
    job.watch.rules = rules;
    job.watch.window = window;
    for loss in before {
        job.watch.window.add_validation(loss);
    }
    let seen = rows.len().saturating_sub(newest);
    let mut found = Vec::new();
    for (place, (step, train, valid)) in rows.into_iter().enumerate() {
        let measured = Measured {
            step: from_sql(step),
            train: train.unwrap_or(f64::NAN),
            valid,
        };
        if place < seen {
            job.watch.window.add(measured);
        } else {
            found.extend(job.watch.add(measured));
        }
    }
    Ok(found)
}

/// Looks at steps that were just recorded.
pub(crate) async fn look_at_steps(job: &mut Supervised<'_>, measured: &[Measured]) {
    if measured.is_empty() {
        return;
    }
    job.watch.active_at = job.service.now();
    if job.watch.rules.is_empty() {
        return;
    }
    let found = measured.iter().flat_map(|step| job.watch.add(*step)).collect();
    raise_all(job, found).await;
}

/// Looks at what no step brings about. `estimate` is what all steps take at the present pace, in milliseconds, and how many
/// they are.
pub(crate) async fn look_at_time(job: &mut Supervised<'_>, estimate: Option<(u64, u64)>) {
    let idle_ms = job.service.now().unix_ms() - job.watch.active_at.unix_ms();
    let free_bytes = if job.watch.has(AlertCondition::LowDisk) {
        let folder = job.run_dir.clone();
        // A file system may take its time to answer.
        let asked = tokio::task::spawn_blocking(move || free_bytes(&folder)).await;
        asked.ok().flatten()
    } else {
        None
    };
    let situation = Situation {
        idle_ms: u64::try_from(idle_ms).ok(),
        free_bytes,
        estimates_ms: estimates(job, estimate).await,
        ..Situation::default()
    };
    let found = job.watch.take_found(&situation);
    raise_all(job, found).await;
}

/// How long all steps take at the first pace and at the present one.
async fn estimates(job: &mut Supervised<'_>, estimate: Option<(u64, u64)>) -> Option<(u64, u64)> {
    let (now_ms, total_steps) = estimate.filter(|_| job.watch.has(AlertCondition::Late))?;
    if job.watch.first_pace.is_none() {
        let read = job.service.inner.store.read();
        let known = steps::first_pace(read, &job.row.id, LEAST_STEPS, LEAST_MS).await;
        // A store that doesn't answer is asked again the next time.
        job.watch.first_pace = known.ok().flatten();
    }
    let (elapsed_ms, steps) = job.watch.first_pace?;
    Some((total_steps.saturating_mul(elapsed_ms) / steps.max(1), now_ms))
}

async fn raise_all(job: &mut Supervised<'_>, found: Vec<AlertRule>) {
    for rule in found {
        if let Err(error) = raise(job, &rule).await {
            tracing::warn!(error = chain(&error), job = %job.row.id, "an alert could not be recorded");
            // It is found again.
            job.watch.rules.push(rule);
        }
    }
}

/// Records that a condition has come true, tells of it and does what the rule says: all of it or nothing, and once.
async fn raise(job: &Supervised<'_>, rule: &AlertRule) -> Result<(), Error> {
    let (service, id) = (job.service, JobId::new(&job.row.id));
    let now = service.now();
    let mut transaction = service.inner.store.begin().await?;
    if !leases::hold(&mut transaction, &job.fence, now).await?
        || !tell(job, &mut transaction, rule, now).await?
    {
        return Ok(());
    }
    if rule.action == AlertAction::Pause {
        match pause_within(&mut transaction, &job.owner, &id, now).await {
            // It is pausing or being stopped already.
            Ok(()) | Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    transaction.commit().await?;
    // Our own: so that the trainer is asked.
    service.inner.running.nudge(id.as_str());
    service.job_has_changed(&id).await;
    Ok(())
}

/// Records that training has come to numbers that are none, where the job is watched for that. The trainer measures no such
/// step, it fails: so this belongs into the transaction that records the failure.
pub(crate) async fn tell_divergence(
    job: &Supervised<'_>,
    connection: &mut SqliteConnection,
    now: Timestamp,
) -> Result<(), Error> {
    let watched = alerts::of_job(&mut *connection, &job.row.id).await?;
    let mut rules = watched.rules.iter();
    if let Some(rule) = rules.find(|rule| rule.condition == AlertCondition::NotFinite) {
        tell(job, connection, rule, now).await?;
    }
    Ok(())
}

/// Records that a condition has come true and tells of it; false where that was done before.
async fn tell(
    job: &Supervised<'_>,
    connection: &mut SqliteConnection,
    rule: &AlertRule,
    now: Timestamp,
) -> Result<bool, Error> {
    let (id, owner) = (job.row.id.as_str(), &job.owner);
    if !alerts::raise(connection, id, rule.condition, now).await? {
        return Ok(false);
    }
    let message = describe(rule);
    let event = format!("Alert: {message}");
    jobs::add_event(connection, id, owner, now, Level::Warn, &event).await?;
    notifications::insert_alert(connection, owner, id, rule.condition, &message, now).await?;
    Ok(true)
}

/// What has come true, in English.
fn describe(rule: &AlertRule) -> String {
    let parameters = rule.resolved();
    let count = parameters.count.unwrap_or_default();
    let factor = parameters.factor.unwrap_or_default();
    let minutes = parameters.minutes.unwrap_or_default();
    match rule.condition {
        AlertCondition::NotFinite => "the loss or the gradient is not a number".to_owned(),
        AlertCondition::Divergence => {
            format!("the training loss is more than {factor} times its level of the {count} steps before")
        }
        AlertCondition::Plateau => {
            let percent = factor * 100.0;
            format!("the training loss has fallen by less than {percent} % over {count} steps")
        }
        AlertCondition::ValidationRising => {
            format!("the validation loss was above its lowest {count} times in a row")
        }
        AlertCondition::NoProgress => format!("no step was recorded for {minutes} minutes"),
        AlertCondition::LowDisk => {
            let megabytes = parameters.bytes.unwrap_or_default() / 1_000_000;
            format!("less than {megabytes} MB are free on the disk")
        }
        AlertCondition::Late => {
            format!("training will take more than {factor} times as long as was estimated at first")
        }
    }
}
