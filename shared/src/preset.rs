//! The wizard's presets: what becomes of a base model's own proposals for somebody who is careful, or in a hurry.
//!
//! A preset isn't sent anywhere; it sets the fields of a draft, and they are what counts.

use crate::{capabilities::JobBounds, draft::Draft, model::JobDefaults, number, run::LoraSpec};

/// What a draft is filled from: a base model's own proposals, and the bounds within which its upstream takes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposals {
    /// The base model's, however large.
    pub defaults: JobDefaults,
    /// The upstream's.
    pub bounds: JobBounds,
}

/// A way to train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// Smaller changes to the model than it proposes.
    Conservative,
    /// What the model proposes.
    #[default]
    Balanced,
    /// Larger changes, for longer.
    Aggressive,
}

impl Preset {
    /// All of them, the gentlest first.
    pub const ALL: [Self; 3] = [Self::Conservative, Self::Balanced, Self::Aggressive];

    /// The fields of a draft that it sets.
    pub const FIELDS: [&'static str; 8] = [
        "epochs",
        "evaluation_epochs",
        "warmup_epochs",
        "learning_rate",
        "batch_size",
        "lora_rank",
        "lora_alpha",
        "lora_dropout",
    ];

    /// The word in a draft.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Conservative => "conservative",
            Self::Balanced => "balanced",
            Self::Aggressive => "aggressive",
        }
    }

    /// The preset of a draft's word; that of any other word is the model's own.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        let mut known = Self::ALL.into_iter();
        known.find(|preset| preset.as_str() == word).unwrap_or_default()
    }

    /// What it makes of a model's proposals. Of 3 epochs at a rate of 2e-4 with batches of 8, rank 16 and dropout 0.05, the
    /// field's usual table: 3 at 1e-4 with batches of 4 and rank 8, or 5 at 3e-4 with batches of 16, rank 32 and dropout
    /// 0.1; of other proposals the same proportions, as far as the upstream's bounds let them. Warm-up stays; evaluation goes
    /// with the epochs, as far as they leave it room.
    #[must_use]
    pub fn of(self, proposals: &Proposals) -> JobDefaults {
        let Proposals { defaults, bounds } = proposals;
        let epochs = |epochs: u32| match self {
            Self::Conservative | Self::Balanced => epochs,
            Self::Aggressive => epochs.saturating_mul(5).div_ceil(3),
        };
        let twofold = |size: u32| match self {
            Self::Conservative => size.div_ceil(2),
            Self::Balanced => size,
            Self::Aggressive => size.saturating_mul(2),
        };
        let lora = &defaults.lora;
        let rank = bounds.lora_rank.hold(twofold(lora.rank));
        let all = bounds.epochs.hold(epochs(defaults.epochs));
        let (evaluation, warmup) =
            within_epochs(all, epochs(defaults.evaluation_epochs), defaults.warmup_epochs);
        JobDefaults {
            epochs: all,
            evaluation_epochs: evaluation,
            warmup_epochs: warmup,
            learning_rate: match self {
                Self::Conservative => two_digits(defaults.learning_rate * 0.5),
                Self::Balanced => defaults.learning_rate,
                Self::Aggressive => two_digits(defaults.learning_rate * 1.5),
            }
            .min(1.0),
            batch_size: bounds.batch_size.hold(twofold(defaults.batch_size)),
            lora: LoraSpec {
                rank,
                // The update keeps its scale.
                alpha: lora.alpha * (f64::from(rank) / f64::from(lora.rank.max(1))),
                dropout: match self {
                    Self::Aggressive => two_digits(lora.dropout * 2.0),
                    Self::Conservative | Self::Balanced => lora.dropout,
                }
                .min(0.5),
                targets: lora.targets.clone(),
            },
        }
    }

    /// The preset whose values a draft holds, however they were typed; nothing where they are somebody's own.
    #[must_use]
    pub fn chosen(draft: &Draft, proposals: &Proposals) -> Option<Self> {
        let holds = |preset: &Self| {
            let mut made = Draft::new("");
            made.preset = preset.as_str().to_owned();
            made.apply_defaults(proposals);
            Self::FIELDS.iter().all(|field| {
                let read = |draft: &Draft| draft.get(field).and_then(|text| number::parse(text.trim()));
                read(&made).is_some_and(|value| read(draft) == Some(value))
            })
        };
        Self::ALL.into_iter().find(holds)
    }
}

/// Evaluation and warm-up as far as some epochs have room for them. At least one epoch is left to follow the warm-up, and what
/// is evaluated gives way before it.
pub(crate) fn within_epochs(epochs: u32, evaluation: u32, warmup: u32) -> (u32, u32) {
    if u64::from(evaluation) + u64::from(warmup) <= u64::from(epochs) {
        return (evaluation, warmup);
    }
    let warmup = warmup.min(epochs.saturating_sub(1));
    (evaluation.min(epochs - warmup), warmup)
}

/// A number as people would write it, so that half of 0.0003 isn't 0.00014999999999999999.
fn two_digits(rate: f64) -> f64 {
    let mut scale = 1.0;
    while rate > 0.0 && rate * scale < 10.0 && scale < 1e15 {
        scale *= 10.0;
    }
    (rate * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capabilities::{Bounds, Capabilities};

    fn proposals(defaults: JobDefaults) -> Proposals {
        Proposals {
            defaults,
            bounds: Capabilities::engine().bounds,
        }
    }

    #[test]
    fn presets_are_proportions_of_what_the_model_proposes() {
        let of = |preset: Preset, rate: f64| {
            let made = preset.of(&proposals(JobDefaults {
                learning_rate: rate,
                ..JobDefaults::default()
            }));
            let lora = made.lora;
            (
                (made.epochs, made.evaluation_epochs, made.warmup_epochs),
                number::text(made.learning_rate),
                made.batch_size,
                (lora.rank, lora.alpha, lora.dropout),
            )
        };
        let conservative = ((3, 3, 0), "0.0001".to_owned(), 4, (8, 16.0, 0.05));
        let balanced = ((3, 3, 0), "0.0002".to_owned(), 8, (16, 32.0, 0.05));
        let aggressive = ((5, 5, 0), "0.0003".to_owned(), 16, (32, 64.0, 0.1));
        assert_eq!(of(Preset::Conservative, 2e-4), conservative);
        assert_eq!(of(Preset::Balanced, 2e-4), balanced);
        assert_eq!(of(Preset::Aggressive, 2e-4), aggressive);
        assert_eq!(of(Preset::Conservative, 3e-4).1, "0.00015");
        assert_eq!(of(Preset::Aggressive, 0.002).1, "0.003");
        assert_eq!(of(Preset::Aggressive, 0.9).1, "1", "no rate is above 1");
    }

    #[test]
    fn every_preset_of_every_proposal_is_one_that_can_be_sent() {
        for most in [1, 4, 50] {
            for epochs in 1..=most + 3 {
                for warmup_epochs in 0..=epochs {
                    for evaluation_epochs in 0..=epochs - warmup_epochs {
                        let defaults = JobDefaults {
                            epochs,
                            evaluation_epochs,
                            warmup_epochs,
                            ..JobDefaults::default()
                        };
                        let mut proposals = proposals(defaults.clone());
                        proposals.bounds.epochs.max = Some(most);
                        for preset in Preset::ALL {
                            let made = preset.of(&proposals);
                            let whole = made.evaluation_epochs + made.warmup_epochs;
                            assert!(
                                (1..=most).contains(&made.epochs) && whole <= made.epochs,
                                "{preset:?} {defaults:?}"
                            );
                        }
                        let as_proposed = Preset::Balanced.of(&proposals) == defaults;
                        assert_eq!(as_proposed, epochs <= most, "{defaults:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_preset_proposes_within_the_bounds_that_the_upstream_tells() {
        let mut proposals = proposals(JobDefaults::default());
        let of = |most, least| Bounds {
            min: least,
            max: Some(most),
        };
        proposals.bounds.epochs = of(4, 1);
        proposals.bounds.batch_size = of(12, 6);
        proposals.bounds.lora_rank = of(24, 12);
        let made = Preset::Aggressive.of(&proposals);
        assert_eq!((made.epochs, made.evaluation_epochs, made.batch_size), (4, 4, 12));
        assert_eq!((made.lora.rank, made.lora.alpha), (24, 48.0), "its scale stays");
        let made = Preset::Conservative.of(&proposals);
        assert_eq!((made.batch_size, made.lora.rank, made.lora.alpha), (6, 12, 24.0));
        proposals.bounds.epochs = of(2, 1);
        for preset in Preset::ALL {
            let made = preset.of(&proposals);
            assert_eq!((made.epochs, made.evaluation_epochs), (2, 2), "{preset:?}");
            let mut draft = Draft::new("one");
            draft.choose(preset, &proposals);
            assert_eq!(draft.epochs, "2", "{preset:?}");
            assert!(Preset::chosen(&draft, &proposals).is_some());
        }
        proposals.bounds.epochs = Bounds { min: 1, max: None };
        proposals.defaults.epochs = 60;
        assert_eq!(Preset::Aggressive.of(&proposals).epochs, 100, "nothing is told");
    }

    #[test]
    fn the_chosen_preset_is_told_by_the_values_however_they_are_typed() {
        let proposals = proposals(JobDefaults::default());
        let mut draft = Draft::new("one");
        draft.apply_defaults(&proposals);
        assert_eq!(Preset::chosen(&draft, &proposals), Some(Preset::Balanced));
        draft.set("learning_rate", " 2e-4 ");
        assert_eq!(Preset::chosen(&draft, &proposals), Some(Preset::Balanced));
        draft.set("epochs", "4");
        assert_eq!(Preset::chosen(&draft, &proposals), None);
        draft.choose(Preset::Aggressive, &proposals);
        assert_eq!(Preset::chosen(&draft, &proposals), Some(Preset::Aggressive));
        draft.set("epochs", "");
        assert_eq!(Preset::chosen(&draft, &proposals), None);
    }

    #[test]
    fn a_chosen_preset_follows_the_model_until_a_field_is_typed() {
        let mut draft = Draft::new("one");
        draft.set("epochs", "9");
        draft.choose(Preset::Conservative, &proposals(JobDefaults::default()));
        assert_eq!(
            (draft.epochs.as_str(), draft.learning_rate.as_str()),
            ("3", "0.0001")
        );
        draft.set("epochs", "6");
        let other = JobDefaults {
            learning_rate: 0.002,
            ..JobDefaults::default()
        };
        draft.apply_defaults(&proposals(other));
        assert_eq!(
            (draft.epochs.as_str(), draft.learning_rate.as_str()),
            ("6", "0.001")
        );
        for preset in Preset::ALL {
            assert_eq!(Preset::parse(preset.as_str()), preset);
        }
        assert_eq!(Preset::parse(""), Preset::Balanced);
    }
}
