//! The wizard's presets: what becomes of a base model's own proposals for somebody who is careful, or in a hurry.
//!
//! A preset isn't sent anywhere; it sets the fields of a draft, and they are what counts.

use crate::{draft::Draft, model::JobDefaults, number};

/// A way to train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// Fewer epochs and smaller steps than the model proposes.
    Conservative,
    /// What the model proposes.
    #[default]
    Balanced,
    /// More epochs and larger steps.
    Aggressive,
}

impl Preset {
    /// All of them, the gentlest first.
    pub const ALL: [Self; 3] = [Self::Conservative, Self::Balanced, Self::Aggressive];

    /// The fields of a draft that it sets.
    pub const FIELDS: [&'static str; 4] = ["epochs", "evaluation_epochs", "warmup_epochs", "learning_rate"];

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

    /// What it makes of a model's proposals: two thirds of the epochs at half the learning rate, or five thirds of them at
    /// two and a half times the rate. Warm-up stays; evaluation goes with the epochs, as far as they leave it room.
    #[must_use]
    pub fn of(self, defaults: &JobDefaults) -> JobDefaults {
        let (thirds, halves) = match self {
            Self::Conservative => (2, 1.0),
            Self::Balanced => return defaults.clone(),
            Self::Aggressive => (5, 5.0),
        };
        let scaled = |epochs: u32| epochs.saturating_mul(thirds).div_ceil(3);
        let epochs = scaled(defaults.epochs).max(defaults.warmup_epochs);
        JobDefaults {
            epochs,
            evaluation_epochs: scaled(defaults.evaluation_epochs).min(epochs - defaults.warmup_epochs),
            learning_rate: two_digits(defaults.learning_rate * halves / 2.0).min(1.0),
            ..defaults.clone()
        }
    }

    /// The preset whose values a draft holds, however they were typed; nothing where they are somebody's own.
    #[must_use]
    pub fn chosen(draft: &Draft, defaults: &JobDefaults) -> Option<Self> {
        let holds = |preset: &Self| {
            let mut made = Draft::new("");
            made.apply_defaults(&preset.of(defaults));
            Self::FIELDS.iter().all(|field| {
                let read = |draft: &Draft| draft.get(field).and_then(|text| number::parse(text.trim()));
                read(&made).is_some_and(|value| read(draft) == Some(value))
            })
        };
        Self::ALL.into_iter().find(holds)
    }
}

/// A rate as people would write it, so that half of 0.0003 isn't 0.00014999999999999999.
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

    #[test]
    fn presets_are_proportions_of_what_the_model_proposes() {
        let of = |preset: Preset, rate: f64| {
            let defaults = JobDefaults {
                learning_rate: rate,
                ..JobDefaults::default()
            };
            let made = preset.of(&defaults);
            (
                made.epochs,
                made.evaluation_epochs,
                made.warmup_epochs,
                number::text(made.learning_rate),
            )
        };
        assert_eq!(of(Preset::Conservative, 2e-4), (2, 2, 0, "0.0001".to_owned()));
        assert_eq!(of(Preset::Balanced, 2e-4), (3, 3, 0, "0.0002".to_owned()));
        assert_eq!(of(Preset::Aggressive, 2e-4), (5, 5, 0, "0.0005".to_owned()));
        assert_eq!(of(Preset::Conservative, 3e-4).3, "0.00015");
        assert_eq!(of(Preset::Aggressive, 0.002).3, "0.005");
        assert_eq!(of(Preset::Aggressive, 0.9).3, "1", "no rate is above 1");
    }

    #[test]
    fn every_preset_of_every_proposal_is_one_that_can_be_sent() {
        for epochs in 1..20 {
            for warmup_epochs in 0..=epochs {
                for evaluation_epochs in 0..=epochs - warmup_epochs {
                    let defaults = JobDefaults {
                        epochs,
                        evaluation_epochs,
                        warmup_epochs,
                        ..JobDefaults::default()
                    };
                    for preset in Preset::ALL {
                        let made = preset.of(&defaults);
                        assert!(made.epochs >= 1, "{preset:?} {defaults:?}");
                        assert!(
                            made.evaluation_epochs + made.warmup_epochs <= made.epochs,
                            "{preset:?} {defaults:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_chosen_preset_is_told_by_the_values_however_they_are_typed() {
        let defaults = JobDefaults::default();
        let mut draft = Draft::new("one");
        draft.apply_defaults(&defaults);
        assert_eq!(Preset::chosen(&draft, &defaults), Some(Preset::Balanced));
        draft.set("learning_rate", " 2e-4 ");
        assert_eq!(Preset::chosen(&draft, &defaults), Some(Preset::Balanced));
        draft.set("epochs", "4");
        assert_eq!(Preset::chosen(&draft, &defaults), None);
        draft.choose(Preset::Aggressive, &defaults);
        assert_eq!(Preset::chosen(&draft, &defaults), Some(Preset::Aggressive));
        draft.set("epochs", "");
        assert_eq!(Preset::chosen(&draft, &defaults), None);
    }

    #[test]
    fn a_chosen_preset_follows_the_model_until_a_field_is_typed() {
        let mut draft = Draft::new("one");
        draft.set("epochs", "9");
        draft.choose(Preset::Conservative, &JobDefaults::default());
        assert_eq!(
            (draft.epochs.as_str(), draft.learning_rate.as_str()),
            ("2", "0.0001")
        );
        draft.set("epochs", "6");
        let other = JobDefaults {
            learning_rate: 0.002,
            ..JobDefaults::default()
        };
        draft.apply_defaults(&other);
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
