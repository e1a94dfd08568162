//! The learning rate of each step.
//!
//! Equal to transformers' `get_constant_schedule_with_warmup`, `get_linear_schedule_with_warmup` and
//! `get_cosine_schedule_with_warmup`: in warm-up the first step has rate 0, and the last step of the run isn't 0 yet.

use shared::run::{Schedule, Warmup};

/// Everything that decides the learning rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearningRate {
    /// The highest rate.
    pub peak: f64,
    /// What follows warm-up.
    pub schedule: Schedule,
    /// Steps of warm-up.
    pub warmup_steps: u64,
    /// Steps of the whole run.
    pub total_steps: u64,
}

impl LearningRate {
    /// The rate of a step, which counts from 0.
    #[must_use]
    pub fn at(&self, step: u64) -> f64 {
        if step < self.warmup_steps {
            return self.peak * (step as f64 / self.warmup_steps.max(1) as f64);
        }
        let rest = self.total_steps.saturating_sub(self.warmup_steps).max(1) as f64;
        let factor = match self.schedule {
            Schedule::Constant => 1.0,
            Schedule::Linear => self.total_steps.saturating_sub(step) as f64 / rest,
            Schedule::Cosine => {
                let progress = (step - self.warmup_steps) as f64 / rest;
                (0.5 * (1.0 + (std::f64::consts::PI * progress).cos())).max(0.0)
            }
        };
        self.peak * factor
    }
}

/// Length of warm-up in steps. A share is rounded up to whole steps.
#[must_use]
pub fn warmup_steps(warmup: Warmup, steps_per_epoch: u64, total_steps: u64) -> u64 {
    match warmup {
        Warmup::Epochs(epochs) => u64::from(epochs) * steps_per_epoch,
        Warmup::Ratio(ratio) => (ratio * total_steps as f64).ceil() as u64,
    }
}

/// Whether validation runs at the end of this epoch (from 1): `evaluations` of `epochs`, spread evenly, the last among
/// them.
#[must_use]
pub fn evaluates_after(epoch: u32, epochs: u32, evaluations: u32) -> bool {
    let (epoch, epochs, evaluations) = (
        u64::from(epoch),
        u64::from(epochs),
        u64::from(evaluations.min(epochs)),
    );
    (1..=evaluations).any(|index| (index * epochs).div_ceil(evaluations) == epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(schedule: Schedule, warmup_steps: u64) -> Vec<f64> {
        let rate = LearningRate {
            peak: 1.0,
            schedule,
            warmup_steps,
            total_steps: 6,
        };
        (0..6).map(|step| (rate.at(step) * 1e6).round() / 1e6).collect()
    }

    #[test]
    fn rates_are_those_of_transformers() {
        assert_eq!(rates(Schedule::Constant, 2), [0.0, 0.5, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(rates(Schedule::Linear, 2), [0.0, 0.5, 1.0, 0.75, 0.5, 0.25]);
        assert_eq!(
            rates(Schedule::Cosine, 2),
            [0.0, 0.5, 1.0, 0.853_553, 0.5, 0.146_447]
        );
        assert_eq!(rates(Schedule::Linear, 0)[0], 1.0);
    }

    #[test]
    fn warmup_is_counted_in_epochs_or_as_a_share() {
        assert_eq!(warmup_steps(Warmup::Epochs(2), 7, 70), 14);
        assert_eq!(warmup_steps(Warmup::Ratio(0.03), 7, 70), 3);
        assert_eq!(warmup_steps(Warmup::Ratio(0.0), 7, 70), 0);
    }

    #[test]
    fn evaluations_are_spread_evenly_with_the_last_epoch_among_them() {
        let which = |epochs, evaluations| -> Vec<u32> {
            (1..=epochs)
                .filter(|epoch| evaluates_after(*epoch, epochs, evaluations))
                .collect()
        };
        assert_eq!(which(6, 3), [2, 4, 6]);
        assert_eq!(which(5, 2), [3, 5]);
        assert_eq!(which(4, 4), [1, 2, 3, 4]);
        assert_eq!(which(3, 1), [3]);
        assert!(which(3, 0).is_empty());
    }
}
