//! Alerts: what about a job is worth telling somebody who doesn't look, and how it is found in what was measured.
//!
//! The finding is pure arithmetic over a job's figures, so the same figures raise the same alerts wherever and however often
//! they are looked at. Who looks when, and that each alert is told once, is the engine's matter.

mod detect;

pub use detect::{Losses, Situation, finds};

use serde::{Deserialize, Serialize};

/// Largest count of a rule: it bounds how many losses are kept while a job is at work.
pub const MAX_COUNT: u32 = 10_000;
/// Most minutes that a condition waits: a year.
pub const MAX_MINUTES: u32 = 525_600;

/// What can be watched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AlertCondition {
    /// A loss or a gradient that is no number, or infinite: the job has failed of it.
    NotFinite,
    /// A training loss far above its running level, for a while.
    Divergence,
    /// A training loss that has stopped falling.
    Plateau,
    /// A validation loss above its lowest, several times in a row.
    ValidationRising,
    /// A job at work that records nothing.
    NoProgress,
    /// Little room on the disk.
    LowDisk,
    /// An estimated finish far behind the first estimate.
    Late,
}

impl AlertCondition {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::NotFinite,
        Self::Divergence,
        Self::Plateau,
        Self::ValidationRising,
        Self::NoProgress,
        Self::LowDisk,
        Self::Late,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFinite => "not_finite",
            Self::Divergence => "divergence",
            Self::Plateau => "plateau",
            Self::ValidationRising => "validation_rising",
            Self::NoProgress => "no_progress",
            Self::LowDisk => "low_disk",
            Self::Late => "late",
        }
    }

    /// Whether a job can be paused when it comes true; what has failed can't.
    #[must_use]
    pub const fn can_pause(self) -> bool {
        !matches!(self, Self::NotFinite)
    }

    /// What stands where a rule leaves its parameters open. A condition has no other parameters than these.
    #[must_use]
    pub const fn defaults(self) -> AlertParameters {
        let none = AlertParameters {
            count: None,
            factor: None,
            minutes: None,
            bytes: None,
        };
        match self {
            Self::NotFinite => none,
            Self::Divergence => AlertParameters {
                count: Some(20),
                factor: Some(2.0),
                ..none
            },
            Self::Plateau => AlertParameters {
                count: Some(200),
                factor: Some(0.01),
                ..none
            },
            Self::ValidationRising => AlertParameters {
                count: Some(2),
                ..none
            },
            Self::NoProgress => AlertParameters {
                minutes: Some(30),
                ..none
            },
            Self::LowDisk => AlertParameters {
                bytes: Some(2_000_000_000),
                ..none
            },
            Self::Late => AlertParameters {
                factor: Some(2.0),
                minutes: Some(10),
                ..none
            },
        }
    }
}

/// The parameters of a condition; each stands for something else under each condition, and is refused where it stands for
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct AlertParameters {
    /// `divergence`: steps that the running level is taken over; `plateau`: steps without progress; `validation_rising`:
    /// validations in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// `divergence`: multiple of the running level; `plateau`: share of the level that counts as progress; `late`:
    /// multiple of the time that was estimated first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64>,
    /// `no_progress`: time without a step; `late`: least delay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
    /// `low_disk`: room that should be left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// What an alert does besides being recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AlertAction {
    /// Tells the owner.
    Notify,
    /// Tells the owner and pauses the job, as the owner could.
    Pause,
}

/// One thing to watch for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AlertRule {
    /// What.
    pub condition: AlertCondition,
    /// When; what is left open is [`AlertCondition::defaults`]'s.
    #[serde(default)]
    pub parameters: AlertParameters,
    /// What then.
    pub action: AlertAction,
}

/// The rules of a job, or those that an owner's new jobs begin with; each condition at most once.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AlertRules {
    /// All of them.
    pub rules: Vec<AlertRule>,
}

/// Why rules can't be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertFault {
    /// The condition stands twice.
    Twice(AlertCondition),
    /// The condition has no such parameter.
    UnknownParameter(AlertCondition, &'static str),
    /// The parameter is outside its bounds.
    OutOfRange(AlertCondition, &'static str),
    /// Nothing is left to pause when the condition comes true.
    CanNotPause(AlertCondition),
}

impl AlertRules {
    /// What is wrong with them, the first thing.
    #[must_use]
    pub fn fault(&self) -> Option<AlertFault> {
        self.rules.iter().enumerate().find_map(|(index, rule)| {
            let before = self.rules.get(..index).unwrap_or_default();
            if before.iter().any(|other| other.condition == rule.condition) {
                return Some(AlertFault::Twice(rule.condition));
            }
            rule.fault()
        })
    }
}

impl AlertRule {
    /// The parameters with what was left open filled in.
    #[must_use]
    pub fn resolved(&self) -> AlertParameters {
        let (own, otherwise) = (self.parameters, self.condition.defaults());
        AlertParameters {
            count: own.count.or(otherwise.count),
            factor: own.factor.or(otherwise.factor),
            minutes: own.minutes.or(otherwise.minutes),
            bytes: own.bytes.or(otherwise.bytes),
        }
    }

    fn fault(&self) -> Option<AlertFault> {
        let (condition, own, known) = (self.condition, self.parameters, self.condition.defaults());
        // A plateau compares the halves of its steps, and a share of a level is less than all of it.
        let (least_count, factor_fits): (u32, fn(f64) -> bool) = match condition {
            AlertCondition::Plateau => (2, |share| 0.0 < share && share < 1.0),
            _ => (1, |multiple| multiple.is_finite() && multiple > 1.0),
        };
        let checks = [
            (
                "count",
                own.count.is_some(),
                known.count.is_some(),
                own.count
                    .is_none_or(|count| (least_count..=MAX_COUNT).contains(&count)),
            ),
            (
                "factor",
                own.factor.is_some(),
                known.factor.is_some(),
                own.factor.is_none_or(factor_fits),
            ),
            (
                "minutes",
                own.minutes.is_some(),
                known.minutes.is_some(),
                own.minutes
                    .is_none_or(|minutes| (1..=MAX_MINUTES).contains(&minutes)),
            ),
            ("bytes", own.bytes.is_some(), known.bytes.is_some(), true),
        ];
        let fault = checks.into_iter().find_map(|(name, given, is_known, fits)| {
            if given && !is_known {
                Some(AlertFault::UnknownParameter(condition, name))
            } else {
                (!fits).then_some(AlertFault::OutOfRange(condition, name))
            }
        });
        let in_vain = self.action == AlertAction::Pause && !condition.can_pause();
        fault.or(in_vain.then_some(AlertFault::CanNotPause(condition)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rules(list: &serde_json::Value) -> AlertRules {
        serde_json::from_value(json!({ "rules": list })).expect("rules")
    }

    #[test]
    fn what_a_rule_leaves_open_is_the_conditions_own() {
        let read =
            rules(&json!([{"condition": "divergence", "parameters": {"factor": 3.0}, "action": "pause"}]));
        assert_eq!(read.fault(), None);
        let resolved = read.rules[0].resolved();
        assert_eq!((resolved.count, resolved.factor), (Some(20), Some(3.0)));
        for condition in AlertCondition::ALL {
            let rule = json!([{"condition": condition, "action": "notify"}]);
            assert_eq!(rules(&rule).fault(), None, "{condition:?}");
            assert_eq!(
                serde_json::to_value(condition).ok(),
                Some(condition.as_str().into())
            );
        }
    }

    #[test]
    fn a_rule_that_can_not_be_meant_is_refused() {
        let fault = |rule: &serde_json::Value| rules(&json!([rule])).fault();
        let rule = |condition: &str, parameters: serde_json::Value| json!({"condition": condition, "parameters": parameters, "action": "notify"});
        use AlertCondition::{Divergence, LowDisk, NotFinite, Plateau};
        use AlertFault::{OutOfRange, Twice, UnknownParameter};
        for (given, expected) in [
            (
                rule("not_finite", json!({"count": 3})),
                UnknownParameter(NotFinite, "count"),
            ),
            (
                rule("low_disk", json!({"minutes": 3})),
                UnknownParameter(LowDisk, "minutes"),
            ),
            (
                rule("divergence", json!({"factor": 1.0})),
                OutOfRange(Divergence, "factor"),
            ),
            (
                rule("divergence", json!({"count": 0})),
                OutOfRange(Divergence, "count"),
            ),
            (
                rule("late", json!({"minutes": MAX_MINUTES + 1})),
                OutOfRange(AlertCondition::Late, "minutes"),
            ),
            (
                rule("plateau", json!({"count": MAX_COUNT + 1})),
                OutOfRange(Plateau, "count"),
            ),
            (
                rule("plateau", json!({"factor": 0.0})),
                OutOfRange(Plateau, "factor"),
            ),
            (
                rule("plateau", json!({"factor": 1.0})),
                OutOfRange(Plateau, "factor"),
            ),
            (rule("plateau", json!({"count": 1})), OutOfRange(Plateau, "count")),
        ] {
            assert_eq!(fault(&given), Some(expected), "{given}");
        }
        let twice = json!([rule("plateau", json!({})), rule("plateau", json!({"count": 9}))]);
        assert_eq!(rules(&twice).fault(), Some(Twice(Plateau)));
        assert!(serde_json::from_value::<AlertRule>(rule("plateau", json!({"steps": 9}))).is_err());
    }

    #[test]
    fn a_job_that_has_failed_is_not_to_be_paused_and_a_rule_of_before_is_still_read() {
        for condition in AlertCondition::ALL {
            let read = rules(&json!([{"condition": condition, "action": "pause"}]));
            let fault =
                (condition == AlertCondition::NotFinite).then_some(AlertFault::CanNotPause(condition));
            assert_eq!(read.fault(), fault, "{condition:?}");
        }
    }
}
