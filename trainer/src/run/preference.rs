//! Training on preference pairs: the reference's log-probabilities, measured once before the first step of an attempt,
//! and steps and validations against them.
//!
//! Nothing of the reference is saved: whoever goes on measures it again, with the same bits, in a third of the time of an
//! epoch. So there is no file that could be torn, or belong to other data.

use super::{
    commands::Commands,
    emitter::Emitter,
    training::{End, Measured, Training},
};
use crate::{
    Error,
    batching::{TOKENS_PER_PASS, pack_examples},
    data::Examples,
    network::{Batch, Network},
    ops::loss::Totals,
    preference::{Judgements, LogProbabilities},
};

/// What pairs are judged by.
#[derive(Debug)]
pub(super) struct Preference {
    beta: f64,
    /// Of each training pair, under the base model without its adapter.
    training: Vec<LogProbabilities>,
    /// Of each validation pair.
    validation: Vec<LogProbabilities>,
}

impl Training {
    /// Measures what the reference says of every pair. Gives how the run ends where that was asked for meanwhile.
    pub(super) fn measure_reference(
        &mut self,
        beta: f64,
        commands: &mut Commands,
        emitter: &mut Emitter,
    ) -> Result<Option<End>, Error> {
        let mut measured = [Vec::new(), Vec::new()];
        for (file, measured) in measured.iter_mut().enumerate() {
            let examples = if file == 0 {
                &self.run.training
            } else {
                &self.run.validation
            };
            for batch in self.evaluation_batches(examples) {
                let network = Network::frozen(&self.run.model);
                let texts = self.workspace.evaluate_texts(network, &batch);
                let pairs = texts.chunks_exact(2);
                measured.extend(pairs.map(|pair| [-pair[0].loss, -pair[1].loss]));
                emitter.beat();
                if let Some(end) = self.asked_to_end(commands, emitter)? {
                    return Ok(Some(end));
                }
            }
        }
        let [training, validation] = measured;
        self.preference = Some(Preference {
            beta,
            training,
            validation,
        });
        Ok(None)
    }

    /// Batches of a file's examples in their order, none larger than what training needs memory for anyway.
    pub(super) fn evaluation_batches(&self, examples: &Examples) -> Vec<Batch> {
        let all: Vec<usize> = (0..examples.len()).collect();
        pack_examples(examples, &all, 0, TOKENS_PER_PASS.min(self.run.plan.rows))
    }
}

impl Preference {
    /// Adds the gradient of the mean loss over these pairs to `grads`; `batches` hold them in this order.
    pub(super) fn train(
        &self,
        examples: &[usize],
        batches: &[Batch],
        mut pass: impl FnMut(&Batch, &mut dyn FnMut(&[Totals]) -> Vec<f32>),
    ) -> Measured {
        let mut judgements = Judgements::default();
        let mut reference = examples.iter().map(|example| self.training[*example]);
        for batch in batches {
            pass(batch, &mut |texts| {
                let pairs = texts.chunks_exact(2).zip(&mut reference);
                pairs
                    .flat_map(|(pair, reference)| {
                        let judgement = judgements.add(self.beta, [pair[0], pair[1]], reference);
                        judgement
                            .weights
                            .map(|weight| (weight / examples.len() as f64) as f32)
                    })
                    .collect()
            });
        }
        judgements.into()
    }

    /// Measures the validation pairs; `batches` hold them all in their order.
    pub(super) fn validate(
        &self,
        batches: &[Batch],
        mut pass: impl FnMut(&Batch) -> Vec<Totals>,
    ) -> Measured {
        let mut judgements = Judgements::default();
        let mut reference = self.validation.iter();
        for batch in batches {
            for (pair, reference) in pass(batch).chunks_exact(2).zip(&mut reference) {
                judgements.add(self.beta, [pair[0], pair[1]], *reference);
            }
        }
        judgements.into()
    }
}

impl From<Judgements> for Measured {
    fn from(judgements: Judgements) -> Self {
        let preferred = judgements.preferred();
        Self {
            loss: judgements.loss(),
            token_accuracy: preferred.correct as f64 / preferred.count as f64,
            targets: judgements.targets(),
            rewards: Some(judgements.rewards()),
        }
    }
}
