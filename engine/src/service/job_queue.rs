//! A job's turn: its priority, moves in the queue, and when its turn is likely to come.

use super::{
    Service,
    job_actions::{JobAction, admit},
};
use crate::{
    error::Error,
    parameters::Parameters,
    store::{
        jobs,
        queue::{self, WorkRow},
    },
};
use shared::{
    event::Level,
    id::{JobId, Subject},
    job::Job,
    queue::JobChange,
};

impl Service {
    /// Changes the turn of a job that waits.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `job_not_waiting`.
    pub async fn change_job(&self, subject: &Subject, id: &JobId, change: JobChange) -> Result<Job, Error> {
        let now = self.now();
        let mut transaction = self.inner.store.begin().await?;
        if let Some(priority) = change.priority {
            let row = admit(&mut transaction, subject, id, JobAction::Prioritise).await?;
            if queue::priority_of(row.priority) != priority {
                queue::set_priority(&mut transaction, subject, id, priority).await?;
                let message = format!("The job's priority is {} now", priority.as_str());
                jobs::add_event(&mut transaction, id.as_str(), subject, now, Level::Info, &message).await?;
            }
        }
        if let Some(queue_move) = change.queue_move {
            admit(&mut transaction, subject, id, JobAction::Move).await?;
            queue::shift(&mut transaction, subject, id, queue_move).await?;
        }
        transaction.commit().await?;
        self.job_has_changed(id).await;
        self.find_job(subject, id).await
    }

    /// When the turn of a place in the queue is likely to come; nothing where too little is known of what is before it.
    pub(super) async fn starts_in_ms(&self, place: u32) -> Result<Option<u64>, Error> {
        let read = self.inner.store.read();
        let at_work = queue::at_work(read).await?;
        let before = queue::before(read, place).await?;
        let slots = self.inner.config.max_running.max(1);
        Ok(turn(
            slots,
            at_work.iter().map(time_left),
            before.iter().map(time_left),
        ))
    }
}

/// Milliseconds for which a job will keep its trainer: as it tells itself, or as jobs like it took.
fn time_left(row: &WorkRow) -> Option<f64> {
    if let Some(remaining_ms) = row.remaining_ms {
        return Some(remaining_ms as f64);
    }
    let parameters: Parameters = serde_json::from_str(&row.parameters).ok()?;
    let whole = row.example_ms? * row.examples? as f64 * f64::from(parameters.epochs);
    let done = match row.total_steps {
        0 => 0.0,
        total => row.step as f64 / total as f64,
    };
    Some(whole * (1.0 - done).max(0.0))
}

/// Milliseconds until one of `slots` trainers is free for whoever comes behind `before`, each of which takes the first
/// that is free. A time that is unknown lasts for ever.
fn turn(
    slots: usize,
    at_work: impl Iterator<Item = Option<f64>>,
    before: impl Iterator<Item = Option<f64>>,
) -> Option<u64> {
    let known = |time: Option<f64>| time.unwrap_or(f64::INFINITY);
    let mut free_in: Vec<f64> = at_work.map(known).collect();
    free_in.resize(free_in.len().max(slots), 0.0);
    for work in before {
        if let Some(first) = free_in.iter_mut().min_by(|one, other| one.total_cmp(other)) {
            *first += known(work);
        }
    }
    let first = free_in.into_iter().fold(f64::INFINITY, f64::min);
    first.is_finite().then_some(first as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn_of(slots: usize, at_work: &[Option<f64>], before: &[Option<f64>]) -> Option<u64> {
        turn(slots, at_work.iter().copied(), before.iter().copied())
    }

    #[test]
    fn a_turn_comes_when_those_before_have_had_theirs() {
        assert_eq!(turn_of(1, &[], &[]), Some(0));
        assert_eq!(turn_of(1, &[Some(500.0)], &[]), Some(500));
        assert_eq!(
            turn_of(1, &[Some(500.0)], &[Some(2000.0), Some(30.0)]),
            Some(2530)
        );
    }

    #[test]
    fn each_takes_the_trainer_that_is_free_first() {
        assert_eq!(turn_of(2, &[Some(500.0)], &[]), Some(0));
        assert_eq!(
            turn_of(2, &[Some(500.0), Some(800.0)], &[Some(1000.0)]),
            Some(800)
        );
        assert_eq!(
            turn_of(2, &[Some(500.0), Some(800.0)], &[Some(1000.0), Some(1.0)]),
            Some(801)
        );
    }

    #[test]
    fn what_is_unknown_is_not_guessed_at_unless_another_trainer_is_free() {
        assert_eq!(turn_of(1, &[None], &[]), None);
        assert_eq!(turn_of(1, &[Some(5.0)], &[None]), None);
        assert_eq!(turn_of(2, &[None, Some(7.0)], &[]), Some(7));
        assert_eq!(turn_of(2, &[None, Some(7.0)], &[None]), None);
    }

    #[test]
    fn a_job_that_is_half_done_takes_half_of_what_others_took() {
        let mut row = WorkRow {
            parameters: r#"{"epochs":3,"evaluation_epochs":0,"warmup":{"epochs":0},"learning_rate":0.1,"schedule":"constant",
                "batch_size":8,"gradient_accumulation":1,"lora":{"rank":1,"alpha":1,"targets":["q_proj"]},
                "max_sequence_length":64,"seed":1,"auto":[]}"#
                .to_owned(),
            examples: Some(10),
            step: 15,
            total_steps: 30,
            remaining_ms: None,
            example_ms: Some(20.0),
        };
        assert_eq!(time_left(&row), Some(300.0));
        row.total_steps = 0;
        assert_eq!(time_left(&row), Some(600.0));
        row.remaining_ms = Some(42);
        assert_eq!(time_left(&row), Some(42.0));
        row.remaining_ms = None;
        row.example_ms = None;
        assert_eq!(time_left(&row), None);
    }
}
