//! The newest losses of a job, as many as its rules need.

use shared::{
    alert::{AlertCondition, AlertRule, Losses},
    run::StepMetrics,
};
use std::collections::VecDeque;

/// A step's losses, in nats; any number, or none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) step: u64,
    pub(crate) train: f64,
    pub(crate) valid: Option<f64>,
}

impl Measured {
    pub(crate) const fn of(metrics: &StepMetrics) -> Self {
        Self {
            step: metrics.step,
            train: metrics.train_loss,
            valid: metrics.valid_loss,
        }
    }
}

/// The newest losses.
#[derive(Debug, Default)]
pub(super) struct Window {
    train: VecDeque<f64>,
    /// The lowest of those that have left, then the newest.
    valid: VecDeque<f64>,
    steps: usize,
    validations: usize,
    last: u64,
}

impl Window {
    /// An empty one, as long as these rules need it.
    pub(super) fn of(rules: &[AlertRule]) -> Self {
        let steps = rules.iter().map(AlertRule::steps_needed).max().unwrap_or(0);
        let rising = rules
            .iter()
            .filter(|rule| rule.condition == AlertCondition::ValidationRising);
        let validations = rising.filter_map(|rule| rule.resolved().count).max();
        Self {
            steps: steps as usize,
            validations: validations.unwrap_or(1) as usize,
            ..Self::default()
        }
    }

    /// How many training losses it holds at most.
    pub(super) const fn steps(&self) -> usize {
        self.steps
    }

    /// Adds a step; false where it lies before one that was added.
    pub(super) fn add(&mut self, measured: Measured) -> bool {
        if measured.step <= self.last {
            return false;
        }
        self.last = measured.step;
        self.train.push_back(measured.train);
        if self.train.len() > self.steps {
            self.train.pop_front();
        }
        if let Some(loss) = measured.valid {
            self.add_validation(loss);
        }
        true
    }

    /// Adds a validation loss.
    pub(super) fn add_validation(&mut self, loss: f64) {
        self.valid.push_back(loss);
        // One more than the newest that are compared: of those before them only the lowest counts.
        if self.valid.len() > self.validations + 1
            && let Some(oldest) = self.valid.pop_front()
            && let Some(next) = self.valid.front_mut()
        {
            *next = next.min(oldest);
        }
    }

    /// What is in it.
    pub(super) fn losses(&mut self) -> Losses<'_> {
        Losses {
            train: self.train.make_contiguous(),
            valid: self.valid.make_contiguous(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shared::alert::{AlertAction, AlertParameters, Situation, finds};

    fn rule(condition: AlertCondition, count: u32) -> AlertRule {
        AlertRule {
            condition,
            parameters: AlertParameters {
                count: Some(count),
                ..AlertParameters::default()
            },
            action: AlertAction::Notify,
        }
    }

    proptest! {
        #[test]
        fn a_window_says_what_all_losses_say(
            steps in proptest::collection::vec((0.1..9.0_f64, proptest::option::of(0.1..9.0_f64)), 1..60), count in 1..9_u32,
        ) {
            use AlertCondition::{Divergence, Plateau, ValidationRising};
            let rules = [rule(Divergence, count), rule(Plateau, count), rule(ValidationRising, count)];
            let mut window = Window::of(&rules);
            let (mut train, mut valid) = (Vec::new(), Vec::new());
            for (step, (loss, validation)) in (1..).zip(steps) {
                train.push(loss);
                valid.extend(validation);
                let is_new = window.add(Measured { step, train: loss, valid: validation });
                prop_assert!(is_new);
                for rule in &rules {
                    let whole = Situation { losses: Losses { train: &train, valid: &valid }, ..Situation::default() };
                    let kept = Situation { losses: window.losses(), ..Situation::default() };
                    prop_assert_eq!(finds(rule, &kept), finds(rule, &whole), "{:?} at {}", rule.condition, step);
                }
            }
            prop_assert!(window.train.len() <= window.steps() && window.valid.len() <= count as usize + 1);
        }
    }
}
