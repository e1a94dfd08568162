//! Direct preference optimisation: the loss of a pair of answers, from their log-probabilities under the policy and under
//! a frozen reference (Rafailov et al. 2023, "Direct Preference Optimization", equation 7).
//!
//! Pure arithmetic in f64. Where the log-probabilities come from is the caller's matter.

use crate::ops::loss::Totals;
use shared::run::Rewards;

/// Log-probabilities of a pair's two answers, in nats, each summed over its target tokens; the preferred answer is first.
pub(crate) type LogProbabilities = [f64; 2];

/// What one pair comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Judgement {
    /// −log σ(reward of the preferred answer − reward of the other), in nats.
    pub(crate) loss: f64,
    /// β times what the policy's log-probability of each answer is above the reference's.
    pub(crate) rewards: [f64; 2],
    /// Derivatives of the loss by the answers' cross-entropies, which are −log π.
    pub(crate) weights: [f64; 2],
}

/// Judges a pair.
pub(crate) fn judge(beta: f64, policy: LogProbabilities, reference: LogProbabilities) -> Judgement {
    let rewards = [0, 1].map(|answer| beta * (policy[answer] - reference[answer]));
    let margin = rewards[0] - rewards[1];
    let weight = beta / (1.0 + margin.exp());
    Judgement {
        // The softplus of −margin, without overflow.
        loss: (-margin).max(0.0) + (-margin.abs()).exp().ln_1p(),
        rewards,
        weights: [weight, -weight],
    }
}

/// Sums over pairs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Judgements {
    pairs: u64,
    loss: f64,
    rewards: [f64; 2],
    /// Pairs whose preferred answer has the higher reward.
    right: u64,
    /// Over the preferred answers.
    preferred: Totals,
    /// Target tokens of both answers.
    targets: u64,
}

impl Judgements {
    /// Judges the pair of answers with these cross-entropies and counts it.
    pub(crate) fn add(&mut self, beta: f64, answers: [Totals; 2], reference: LogProbabilities) -> Judgement {
        let judgement = judge(beta, answers.map(|answer| -answer.loss), reference);
        self.pairs += 1;
        self.loss += judgement.loss;
        for (sum, reward) in self.rewards.iter_mut().zip(judgement.rewards) {
            *sum += reward;
        }
        self.right += u64::from(judgement.rewards[0] > judgement.rewards[1]);
        self.preferred.add(answers[0]);
        self.targets += answers[0].count + answers[1].count;
        judgement
    }

    /// Mean loss of a pair.
    pub(crate) fn loss(&self) -> f64 {
        self.loss / self.pairs as f64
    }

    /// Over the preferred answers.
    pub(crate) const fn preferred(&self) -> Totals {
        self.preferred
    }

    /// Target tokens of both answers.
    pub(crate) const fn targets(&self) -> u64 {
        self.targets
    }

    /// Mean rewards.
    pub(crate) fn rewards(&self) -> Rewards {
        let [chosen, rejected] = self.rewards.map(|sum| sum / self.pairs as f64);
        Rewards {
            chosen,
            rejected,
            margin: chosen - rejected,
            accuracy: self.right as f64 / self.pairs as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_policy_that_is_the_reference_has_no_margin_and_the_loss_of_a_coin() {
        let judgement = judge(0.5, [-7.0, -3.0], [-7.0, -3.0]);
        assert_eq!(
            (judgement.rewards, judgement.loss),
            ([0.0, 0.0], std::f64::consts::LN_2)
        );
        assert_eq!(judgement.weights, [0.25, -0.25]);
    }

    #[test]
    fn no_margin_is_too_large_and_no_broken_number_hides() {
        let right = judge(1.0, [0.0, -2e4], [-2e4, 0.0]);
        assert_eq!((right.loss, right.weights), (0.0, [0.0, -0.0]));
        let wrong = judge(1.0, [-2e4, 0.0], [0.0, -2e4]);
        assert_eq!((wrong.loss, wrong.weights), (4e4, [1.0, -1.0]));
        let broken = judge(1.0, [f64::NAN, 0.0], [0.0, 0.0]);
        assert!(broken.loss.is_nan() && broken.weights[0].is_nan());
    }

    #[test]
    fn sums_over_pairs_become_means() {
        let answer = |loss, count| Totals {
            loss,
            correct: 1,
            count,
        };
        let mut judgements = Judgements::default();
        judgements.add(0.1, [answer(10.0, 4), answer(30.0, 2)], [-20.0, -20.0]);
        judgements.add(0.1, [answer(30.0, 6), answer(20.0, 3)], [-20.0, -20.0]);
        let rewards = judgements.rewards();
        assert!((rewards.chosen - 0.0).abs() < 1e-12 && (rewards.rejected + 0.5).abs() < 1e-12);
        assert!((rewards.margin - 0.5).abs() < 1e-12);
        assert_eq!(rewards.accuracy, 0.5);
        assert_eq!((judgements.targets(), judgements.preferred().count), (15, 10));
        let expected = ((1.0 + (-2.0_f64).exp()).ln() + (1.0 + 1.0_f64.exp()).ln()) / 2.0;
        assert!((judgements.loss() - expected).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn the_weights_are_the_derivatives_of_the_loss(
            beta in 0.01..2.0, chosen in -50.0..0.0, rejected in -50.0..0.0, first in -50.0..0.0, second in -50.0..0.0,
        ) {
            let reference = [first, second];
            let loss = |chosen, rejected| judge(beta, [chosen, rejected], reference).loss;
            let weights = judge(beta, [chosen, rejected], reference).weights;
            let step = 1e-5;
            let by_chosen = (loss(chosen - step, rejected) - loss(chosen + step, rejected)) / (2.0 * step);
            let by_rejected = (loss(chosen, rejected - step) - loss(chosen, rejected + step)) / (2.0 * step);
            prop_assert!((weights[0] - by_chosen).abs() < 1e-6, "{} {by_chosen}", weights[0]);
            prop_assert!((weights[1] - by_rejected).abs() < 1e-6, "{} {by_rejected}", weights[1]);
        }
    }
}
