//! The optimizer steps, validation, checkpoints, and what commands make of them.

use super::{
    commands::Commands, emitter::Emitter, finish, metrics_log::MetricsLog, note, preference::Preference,
    prepare::Prepared, resume::event,
};
use crate::{
    Error,
    batching::{self, TOKENS_PER_PASS, pack_examples},
    checkpoint::{self, Best, DataPosition},
    data::{self, Examples, Visit},
    network::{Batch, Dropout, Network, Trained, Workspace},
    ops::loss::Totals,
    optimizer::{clip_scale, norm},
    pretrain::ensure_finite,
    schedule::evaluates_after,
    storage,
};
use shared::run::{MethodSpec, Rewards, RunCommand, RunEvent, Stage, StepMetrics};
use std::path::{Path, PathBuf};

/// How the steps ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Paused,
    Finished { complete: bool },
}

/// Means over a step or a validation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measured {
    /// A target token's under `supervised`, a pair's under `dpo`; in nats.
    pub(super) loss: f64,
    pub(super) token_accuracy: f64,
    /// Target tokens.
    pub(super) targets: u64,
    pub(super) rewards: Option<Rewards>,
}

impl From<Totals> for Measured {
    fn from(totals: Totals) -> Self {
        Self {
            loss: totals.loss / totals.count as f64,
            token_accuracy: totals.correct as f64 / totals.count as f64,
            targets: totals.count,
            rewards: None,
        }
    }
}

/// A run in training.
#[derive(Debug)]
pub(super) struct Training {
    run_dir: PathBuf,
    pub(super) run: Prepared,
    /// What pairs are judged by, under `dpo`, once it is measured.
    pub(super) preference: Option<Preference>,
    pub(super) workspace: Workspace,
    grads: Vec<f32>,
    log: MetricsLog,
    /// The epoch whose order is in `order`.
    ordered: Option<u64>,
    order: Vec<usize>,
}

impl Training {
    /// A run that has the room for what it will write: the checkpoints that it keeps, one more while they change, and
    /// the result.
    pub(super) fn new(run_dir: &Path, run: Prepared) -> Result<Self, Error> {
        let kept = u64::from(run.spec.checkpoints.keep_last) + 2;
        let missing = kept.saturating_sub(run.saved.len() as u64).max(1);
        let result = checkpoint::estimated_bytes(&run.adapter);
        storage::ensure_space(run_dir, missing * result + result)?;
        Ok(Self {
            run_dir: run_dir.to_owned(),
            grads: vec![0.0; run.adapter.parameters()],
            workspace: Workspace::new(run.plan.gradient_checkpointing),
            run,
            preference: None,
            log: MetricsLog::open(run_dir)?,
            ordered: None,
            order: Vec::new(),
        })
    }

    /// Gives back the memory that only steps need.
    pub(super) fn shrink(&mut self) {
        self.workspace = Workspace::default();
        self.grads = Vec::new();
    }

    /// Trains until the last step, a pause or a stop.
    pub(super) fn run(&mut self, commands: &mut Commands, emitter: &mut Emitter) -> Result<End, Error> {
        let total = self.run.rate.total_steps;
        let was_stopped = finish::was_stopped_at(&self.run_dir, self.run.state.step);
        if let MethodSpec::Dpo { beta } = self.run.spec.method
            && self.run.state.step < total
            && !was_stopped
            && let Some(end) = self.measure_reference(beta, commands, emitter)?
        {
            return Ok(end);
        }
        emitter.stage(Stage::Training, Some(total));
        // An attempt that was killed while it saved what `stop` had asked for saves it now.
        if was_stopped {
            return Ok(End::Finished { complete: false });
        }
        while self.run.state.step < total {
            if let Some(end) = self.asked_to_end(commands, emitter)? {
                return Ok(end);
            }
            self.step(emitter)?;
            let (step, every) = (
                self.run.state.step,
                u64::from(self.run.spec.checkpoints.every_steps),
            );
            // The best so far is kept whatever the rhythm of the others.
            let is_best = self.run.state.best.is_some_and(|best| best.step == step);
            if step == total || is_best || every > 0 && step.is_multiple_of(every) {
                self.checkpoint(emitter)?;
            }
        }
        Ok(End::Finished { complete: true })
    }

    /// Does what was asked meanwhile, and gives how the run ends where that was it.
    pub(super) fn asked_to_end(
        &mut self,
        commands: &mut Commands,
        emitter: &mut Emitter,
    ) -> Result<Option<End>, Error> {
        match self.obey(commands, emitter)? {
            Some(RunCommand::Stop) => {
                self.checkpoint(emitter)?;
                Ok(Some(End::Finished { complete: false }))
            }
            Some(_) if self.pause(commands, emitter)? => Ok(Some(End::Paused)),
            Some(_) | None => Ok(None),
        }
    }

    /// Saves, so that the attempt can leave. False where that failed and whoever asked is there to hear it: then
    /// training goes on.
    fn pause(&mut self, commands: &Commands, emitter: &mut Emitter) -> Result<bool, Error> {
        let step = self.run.state.step;
        match self.checkpoint(emitter) {
            Ok(()) => {
                emitter.emit(&RunEvent::Paused { step });
                Ok(true)
            }
            Err(error) if commands.are_gone() || emitter.is_broken() => Err(error),
            Err(error) => {
                note(&format!("the pause failed: {error}"));
                emitter.emit(&RunEvent::PauseFailed {
                    step,
                    code: error.code().to_owned(),
                    message: error.to_string(),
                });
                Ok(false)
            }
        }
    }

    /// Reads what was asked meanwhile; gives what ends the attempt.
    fn obey(&mut self, commands: &mut Commands, emitter: &mut Emitter) -> Result<Option<RunCommand>, Error> {
        if emitter.is_broken() {
            return Ok(Some(RunCommand::Pause));
        }
        while let Some(command) = commands.next() {
            match command {
                RunCommand::Checkpoint => self.checkpoint(emitter)?,
                RunCommand::Pause | RunCommand::Stop => return Ok(Some(command)),
            }
        }
        Ok(None)
    }

    fn step(&mut self, emitter: &mut Emitter) -> Result<(), Error> {
        let step = self.run.state.step;
        let Visit { epoch, places } = data::visit(step, self.run.training.len(), self.run.spec.batch_size);
        self.order_of(epoch);
        let end = places.end as u64;
        let examples = self.order[places].to_vec();
        let batches = micro_batches(
            &self.run.training,
            &examples,
            self.run.spec.gradient_accumulation as usize,
        );
        #[cfg(test)]
        super::tests::examples::note(&self.run_dir, step + 1, &batches);
        let measured = self.gradients(&examples, &batches, step, emitter);
        let tokens = batches.iter().map(|batch| batch.tokens.len() as u64).sum();
        let gradient_norm = norm(&self.grads);
        ensure_finite(measured.loss, gradient_norm, step + 1)?;
        let learning_rate = self.run.rate.at(step);
        let Prepared {
            spec,
            adapter,
            optimizer,
            ..
        } = &mut self.run;
        let scale = clip_scale(gradient_norm, spec.max_gradient_norm);
        optimizer.update(
            &mut adapter.values,
            &self.grads,
            scale,
            learning_rate,
            spec.weight_decay,
            &[],
        );
        let epoch_ends = (step + 1).is_multiple_of(self.run.steps_per_epoch);
        let state = &mut self.run.state;
        state.step = step + 1;
        state.trained_tokens += measured.targets;
        state.valid_loss = None;
        state.data = DataPosition {
            epoch: epoch + u64::from(epoch_ends),
            example: if epoch_ends { 0 } else { end },
        };
        let validation = if epoch_ends {
            self.validate(epoch as u32 + 1, step + 1, emitter)?
        } else {
            None
        };
        let metrics = StepMetrics {
            step: step + 1,
            total_steps: self.run.rate.total_steps,
            epoch: epoch as f64 + end as f64 / self.run.training.len() as f64,
            train_loss: measured.loss,
            train_token_accuracy: measured.token_accuracy,
            learning_rate,
            gradient_norm,
            tokens,
            trained_tokens: Some(self.run.state.trained_tokens),
            valid_loss: validation.map(|validation| validation.loss),
            valid_token_accuracy: validation.map(|validation| validation.token_accuracy),
            rewards: measured.rewards,
            valid_rewards: validation.and_then(|validation| validation.rewards),
        };
        emitter.set_step(step + 1);
        let path = self.run_dir.join("metrics.jsonl");
        let line = serde_json::to_string(&RunEvent::Metrics(metrics))
            .map_err(|error| Error::write(&path)(error.into()))?;
        self.log.append(&line)?;
        emitter.emit_line(&line);
        Ok(())
    }

    fn order_of(&mut self, epoch: u64) {
        if self.ordered != Some(epoch) {
            let (count, spec) = (self.run.training.len(), &self.run.spec);
            self.order = data::order(count, spec.seed, epoch, spec.shuffle);
            self.ordered = Some(epoch);
        }
    }

    /// Fills `grads` with the gradient of the mean loss over all target tokens, or all pairs, of the step.
    fn gradients(
        &mut self,
        examples: &[usize],
        batches: &[Batch],
        step: u64,
        emitter: &mut Emitter,
    ) -> Measured {
        let Self {
            run,
            preference,
            workspace,
            grads,
            ..
        } = self;
        let probability = run.spec.lora.dropout;
        let dropout = (probability > 0.0).then_some(Dropout {
            seed: run.spec.seed,
            step,
            probability,
        });
        let network = Network {
            model: &run.model,
            adapter: Some(&run.adapter),
            dropout,
        };
        grads.fill(0.0);
        if let Some(preference) = preference {
            return preference.train(examples, batches, |batch, weigh| {
                workspace.train_weighed(network, batch, weigh, grads);
                emitter.beat();
            });
        }
        let targets: usize = batches.iter().map(|batch| batch.targets.len()).sum();
        let scale = 1.0 / targets.max(1) as f32;
        let mut totals = Totals::default();
        for (done, batch) in batches.iter().enumerate() {
            if done > 0 {
                emitter.beat();
            }
            totals.add(workspace.train(network, batch, scale, Trained::Adapter, grads));
        }
        totals.into()
    }

    /// What the validation file measures, where it's due after this epoch.
    fn validate(&mut self, epoch: u32, step: u64, emitter: &mut Emitter) -> Result<Option<Measured>, Error> {
        let batches = {
            let Prepared { spec, validation, .. } = &self.run;
            if validation.is_empty() || !evaluates_after(epoch, spec.epochs, spec.evaluation_epochs) {
                return Ok(None);
            }
            self.evaluation_batches(validation)
        };
        let Self {
            run,
            preference,
            workspace,
            ..
        } = self;
        let network = Network {
            model: &run.model,
            adapter: Some(&run.adapter),
            dropout: None,
        };
        let measured: Measured = if let Some(preference) = preference {
            preference.validate(&batches, |batch| {
                emitter.beat();
                workspace.evaluate_texts(network, batch)
            })
        } else {
            let mut totals = Totals::default();
            for batch in &batches {
                totals.add(workspace.evaluate(network, batch));
                emitter.beat();
            }
            totals.into()
        };
        let loss = measured.loss;
        ensure_finite(loss, 0.0, step)?;
        let state = &mut run.state;
        state.valid_loss = Some(loss);
        if state.best.is_none_or(|best| loss < best.valid_loss) {
            state.best = Some(Best {
                step,
                valid_loss: loss,
            });
        }
        Ok(Some(measured))
    }

    /// Writes a checkpoint of this step, if there's none yet, and removes those that are no longer kept.
    fn checkpoint(&mut self, emitter: &mut Emitter) -> Result<(), Error> {
        let Prepared {
            spec,
            adapter,
            optimizer,
            state,
            saved,
            ..
        } = &mut self.run;
        if saved.last().is_some_and(|newest| newest.step == state.step) {
            return Ok(());
        }
        let needed = checkpoint::estimated_bytes(adapter);
        storage::ensure_space(&self.run_dir, needed)?;
        let log = &self.log;
        let written = checkpoint::save(&self.run_dir, state, adapter, optimizer, &spec.base_model, || {
            log.sync()
        })?;
        emitter.emit(&event(&written));
        saved.push(written);
        for step in checkpoint::outdated(saved, spec.checkpoints.keep_last) {
            storage::remove_folder(&self.run_dir.join(checkpoint::relative_path(step)))?;
            saved.retain(|checkpoint| checkpoint.step != step);
            emitter.emit(&RunEvent::CheckpointRemoved { step });
        }
        Ok(())
    }
}

/// The batches of one step of which every part is computed by itself.
fn micro_batches(all: &Examples, examples: &[usize], count: usize) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut first_row = 0;
    for part in batching::parts(examples, count) {
        batches.extend(pack_examples(all, part, first_row, TOKENS_PER_PASS));
        first_row += part
            .iter()
            .map(|example| all.tokens_of(*example) as u64)
            .sum::<u64>();
    }
    batches
}
