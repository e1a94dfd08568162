//! Whether a condition holds, from what was measured. Losses are in nats and may be any number, or none.

use super::{AlertCondition, AlertRule};

/// A loss must be this much above its level, in nats, whatever the factor: near 0 any noise is a multiple.
const LEAST_RISE: f64 = 0.1;

/// A validation loss must be this share above the lowest to count as risen.
const RISEN: f64 = 0.01;

/// What is known of a job's losses, each in the order of the steps.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Losses<'a> {
    /// Training losses; at least the newest [`AlertRule::steps_needed`] of those that there are.
    pub train: &'a [f64],
    /// Every validation loss.
    pub valid: &'a [f64],
}

/// What is known of a job now; what isn't known raises nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Situation<'a> {
    /// What it measured.
    pub losses: Losses<'a>,
    /// How long it has been at work without recording a step.
    pub idle_ms: Option<u64>,
    /// Room on the disk that it writes to.
    pub free_bytes: Option<u64>,
    /// How long its training would take in all, as estimated first, and as estimated now.
    pub estimates_ms: Option<(u64, u64)>,
}

impl AlertRule {
    /// How many of the newest training losses decide.
    #[must_use]
    pub fn steps_needed(&self) -> u32 {
        let count = self.resolved().count.unwrap_or(0);
        match self.condition {
            AlertCondition::NotFinite => 1,
            AlertCondition::Divergence => count.saturating_add(recent(count)),
            AlertCondition::Plateau => count,
            AlertCondition::ValidationRising
            | AlertCondition::NoProgress
            | AlertCondition::LowDisk
            | AlertCondition::Late => 0,
        }
    }
}

/// Steps that a level of so many steps is compared with.
fn recent(count: u32) -> u32 {
    (count / 4).max(3)
}

/// Whether the rule's condition holds.
#[must_use]
pub fn finds(rule: &AlertRule, situation: &Situation<'_>) -> bool {
    let parameters = rule.resolved();
    let Losses { train, valid } = situation.losses;
    let count = parameters.count.unwrap_or(1) as usize;
    let factor = parameters.factor.unwrap_or(1.0);
    let delay_ms = u64::from(parameters.minutes.unwrap_or(0)) * 60_000;
    match rule.condition {
        AlertCondition::NotFinite => train.iter().chain(valid).any(|loss| !loss.is_finite()),
        AlertCondition::Divergence => diverges(newest(train, rule.steps_needed() as usize), count, factor),
        AlertCondition::Plateau => newest(train, count).is_some_and(|losses| is_flat(losses, factor)),
        AlertCondition::ValidationRising => rises(valid, count),
        AlertCondition::NoProgress => situation.idle_ms.is_some_and(|idle| idle >= delay_ms),
        AlertCondition::LowDisk => situation
            .free_bytes
            .zip(parameters.bytes)
            .is_some_and(|(free, wanted)| free < wanted),
        AlertCondition::Late => situation.estimates_ms.is_some_and(|(first, now)| {
            now as f64 > factor * first as f64 && now.saturating_sub(first) >= delay_ms
        }),
    }
}

/// The last so many, where there are so many.
fn newest(losses: &[f64], count: usize) -> Option<&[f64]> {
    losses.get(losses.len().checked_sub(count)?..)
}

/// The median of the newest is far above that of the `count` before them.
fn diverges(losses: Option<&[f64]>, count: usize, factor: f64) -> bool {
    let Some((level, now)) = losses.and_then(|losses| losses.split_at_checked(count)) else {
        return false;
    };
    let (Some(level), Some(now)) = (median(level), median(now)) else {
        return false;
    };
    now > factor * level && now > level + LEAST_RISE
}

/// The mean of the later half is hardly below that of the earlier.
fn is_flat(losses: &[f64], least_fall: f64) -> bool {
    let (before, after) = losses.split_at(losses.len() / 2);
    !before.is_empty() && mean(after) >= (1.0 - least_fall) * mean(before)
}

/// The last so many are all above the lowest that came before them.
fn rises(losses: &[f64], count: usize) -> bool {
    let Some((before, last)) = losses
        .len()
        .checked_sub(count)
        .and_then(|first| losses.split_at_checked(first))
    else {
        return false;
    };
    let lowest = before.iter().copied().fold(f64::INFINITY, f64::min);
    last.iter().all(|loss| *loss > lowest * (1.0 + RISEN))
}

fn mean(losses: &[f64]) -> f64 {
    losses.iter().sum::<f64>() / losses.len() as f64
}

/// The middle one of the losses that are numbers.
fn median(losses: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = losses.iter().copied().filter(|loss| loss.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{AlertAction, AlertParameters};
    use proptest::prelude::*;
    use serde_json::Value;

    fn rule(condition: AlertCondition, parameters: AlertParameters) -> AlertRule {
        AlertRule {
            condition,
            parameters,
            action: AlertAction::Notify,
        }
    }

    fn plain(condition: AlertCondition) -> AlertRule {
        rule(condition, AlertParameters::default())
    }

    fn of(train: &[f64], valid: &[f64], rule: &AlertRule) -> bool {
        let losses = Losses { train, valid };
        finds(
            rule,
            &Situation {
                losses,
                ..Situation::default()
            },
        )
    }

    /// Every alert that a run would raise, looked at after each of its steps.
    fn raised(train: &[f64], valid: &[f64]) -> Vec<AlertCondition> {
        let found = |condition: &AlertCondition| {
            (0..=train.len()).any(|step| of(&train[..step], &[], &plain(*condition)))
                || (0..=valid.len()).any(|step| of(&[], &valid[..step], &plain(*condition)))
        };
        AlertCondition::ALL.into_iter().filter(found).collect()
    }

    fn recorded(text: &str) -> Vec<f64> {
        let read: Value = serde_json::from_str(text).expect("what was recorded");
        let steps = read.get("steps").unwrap_or(&read).as_array().expect("steps");
        steps.iter().filter_map(|step| step["loss"].as_f64()).collect()
    }

    #[test]
    fn the_recorded_runs_raise_nothing() {
        for (text, steps_an_epoch) in [
            (include_str!("../../../trainer/reference/llama/steps.json"), 3),
            (include_str!("../../../trainer/reference/qwen2/steps.json"), 3),
            (include_str!("../../../trainer/reference/qwen3/steps.json"), 3),
            (include_str!("../../../trainer/reference/dpo.json"), 2),
        ] {
            let losses = recorded(text);
            assert!(losses.len() >= 20);
            // The same examples once an epoch, as a validation sees them.
            let same: Vec<f64> = losses.iter().copied().step_by(steps_an_epoch).collect();
            assert_eq!(raised(&losses, &same), []);
        }
    }

    #[test]
    fn what_is_not_known_raises_nothing() {
        for condition in AlertCondition::ALL {
            assert!(!finds(&plain(condition), &Situation::default()), "{condition:?}");
        }
    }

    #[test]
    fn time_and_room_are_compared_with_their_bounds() {
        let found = |condition, situation: Situation<'_>| finds(&plain(condition), &situation);
        let idle = |minutes: u64| Situation {
            idle_ms: Some(minutes * 60_000),
            ..Situation::default()
        };
        assert!(!found(AlertCondition::NoProgress, idle(29)) && found(AlertCondition::NoProgress, idle(30)));
        let free = |bytes| Situation {
            free_bytes: Some(bytes),
            ..Situation::default()
        };
        assert!(!found(AlertCondition::LowDisk, free(2_000_000_000)));
        assert!(found(AlertCondition::LowDisk, free(1_999_999_999)));
        let late = |first: u64, now: u64| Situation {
            estimates_ms: Some((first * 60_000, now * 60_000)),
            ..Situation::default()
        };
        assert!(found(AlertCondition::Late, late(60, 121)));
        assert!(!found(AlertCondition::Late, late(60, 119)), "less than twice");
        assert!(!found(AlertCondition::Late, late(3, 9)), "less than ten minutes");
    }

    /// A run that goes well: falling towards a floor, with noise of up to a tenth.
    fn healthy(length: usize) -> impl Strategy<Value = Vec<f64>> {
        (1.0..4.0_f64, 0.05..1.0_f64, 10.0..200.0_f64).prop_flat_map(move |(height, floor, pace)| {
            proptest::collection::vec(-0.1..0.1_f64, length).prop_map(move |noise| {
                let loss = |(step, noise): (usize, f64)| {
                    (floor + height * (-(step as f64) / pace).exp()) * (1.0 + noise)
                };
                noise.into_iter().enumerate().map(loss).collect()
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_run_that_goes_well_raises_nothing(losses in healthy(150)) {
            prop_assert_eq!(raised(&losses, &[]), []);
        }

        #[test]
        fn a_number_that_is_none_is_found_where_it_stands(losses in healthy(40), at in 0..40_usize, broken in prop_oneof![
            Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)
        ]) {
            let mut losses = losses;
            losses[at] = broken;
            prop_assert!(raised(&losses, &[]).contains(&AlertCondition::NotFinite));
            prop_assert!(of(&[], &losses[..=at], &plain(AlertCondition::NotFinite)));
        }

        #[test]
        fn a_loss_that_jumps_and_stays_is_found_and_one_spike_is_not(losses in healthy(120), at in 60..100_usize, factor in 3.0..20.0_f64) {
            let level = losses[at];
            let mut spike = losses.clone();
            spike[at] = factor * level + 1.0;
            prop_assert_eq!(raised(&spike, &[]), []);
            let mut jump = losses;
            for loss in &mut jump[at..] {
                *loss = factor * loss.max(level) + 1.0;
            }
            prop_assert!(raised(&jump, &[]).contains(&AlertCondition::Divergence));
        }

        #[test]
        fn a_loss_that_stops_to_fall_is_found_and_one_that_falls_is_not(level in 0.1..5.0_f64, fall in 0.02..0.5_f64) {
            let plateau = plain(AlertCondition::Plateau);
            let flat = vec![level; 200];
            prop_assert!(of(&flat, &[], &plateau) && !of(&flat[1..], &[], &plateau), "199 don't suffice");
            let falling: Vec<f64> = (0..200).map(|step| level * (1.0 - fall * f64::from(step) / 100.0)).collect();
            prop_assert!(!of(&falling, &[], &plateau));
        }

        #[test]
        fn a_validation_loss_that_turns_up_is_found_at_its_second_rise(
            fallen in proptest::collection::vec(0.02..0.3_f64, 1..8), rise in 0.02..0.5_f64,
        ) {
            let rule = plain(AlertCondition::ValidationRising);
            let mut losses = vec![3.0];
            for fall in fallen {
                losses.push(losses[losses.len() - 1] * (1.0 - fall));
            }
            prop_assert!((0..=losses.len()).all(|count| !of(&[], &losses[..count], &rule)));
            let lowest = losses[losses.len() - 1];
            losses.push(lowest * (1.0 + rise));
            prop_assert!(!of(&[], &losses, &rule));
            losses.push(lowest * (1.0 + rise / 1.5));
            prop_assert!(of(&[], &losses, &rule));
        }
    }
}
