//! Alert rules as a form holds them: what is typed, and what it means.

use crate::text;
use shared::{
    alert::{AlertAction, AlertCondition, AlertParameters, AlertRule, AlertRules},
    number,
};

/// Bytes in the unit that room on a disk is typed in.
const GIGABYTE: f64 = 1e9;

/// A parameter of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each is the field of `AlertParameters` with that name"
)]
pub enum Parameter {
    Count,
    Factor,
    Minutes,
    Bytes,
}

impl Parameter {
    const ALL: [Self; 4] = [Self::Count, Self::Factor, Self::Minutes, Self::Bytes];

    /// Its value as it is typed, where it is there.
    fn typed(self, parameters: &AlertParameters) -> Option<String> {
        match self {
            Self::Count => parameters.count.map(|count| count.to_string()),
            Self::Factor => parameters.factor.map(number::text),
            Self::Minutes => parameters.minutes.map(|minutes| minutes.to_string()),
            Self::Bytes => parameters
                .bytes
                .map(|bytes| number::text(bytes as f64 / GIGABYTE)),
        }
    }

    /// Puts what was typed; false where it is no such value.
    fn put(self, parameters: &mut AlertParameters, typed: &str) -> bool {
        let typed = typed.trim();
        match self {
            Self::Count => parameters.count = typed.parse().ok().filter(|count| *count > 0),
            Self::Minutes => parameters.minutes = typed.parse().ok().filter(|minutes| *minutes > 0),
            Self::Factor => parameters.factor = number::parse(typed),
            Self::Bytes => {
                let size = number::parse(typed).map(|size| size * GIGABYTE);
                // Beyond, not every whole number is one of these any more.
                let size = size.filter(|size| (0.0..9e15).contains(size));
                parameters.bytes = size.map(|size| size.round() as u64);
            }
        }
        self.typed(parameters).is_some()
    }
}

/// One condition in the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) condition: AlertCondition,
    /// Nothing where it isn't watched for.
    pub(super) action: Option<AlertAction>,
    /// The parameters that it has, as they are typed.
    pub(super) typed: Vec<(Parameter, String)>,
}

/// All conditions, as these rules have them.
pub(super) fn lines(rules: &AlertRules) -> Vec<Line> {
    let line = |condition: AlertCondition| {
        let rule = rules.rules.iter().find(|rule| rule.condition == condition);
        let parameters = rule.map_or_else(|| condition.defaults(), AlertRule::resolved);
        let typed = Parameter::ALL
            .into_iter()
            .filter_map(|parameter| Some((parameter, parameter.typed(&parameters)?)));
        Line {
            condition,
            // One of before that can't be meant any more is told and not offered.
            action: rule.map(|rule| {
                if condition.can_pause() {
                    rule.action
                } else {
                    AlertAction::Notify
                }
            }),
            typed: typed.collect(),
        }
    };
    AlertCondition::ALL.map(line).to_vec()
}

impl Line {
    /// What is wrong with a parameter.
    pub(super) fn error(&self, parameter: Parameter, typed: &str) -> Option<String> {
        self.action?;
        let mut rule = self.plain();
        if !parameter.put(&mut rule.parameters, typed) {
            return Some(match parameter {
                Parameter::Count | Parameter::Minutes => text::alert_whole_number().to_owned(),
                Parameter::Factor | Parameter::Bytes => text::alert_number().to_owned(),
            });
        }
        AlertRules { rules: vec![rule] }.fault()?;
        let words = match parameter {
            Parameter::Count if rule.parameters.count == Some(1) => text::alert_at_least_two(),
            // One that is too small is none to begin with.
            Parameter::Count | Parameter::Minutes | Parameter::Bytes => text::alert_too_large(),
            Parameter::Factor => text::alert_factor(self.condition == AlertCondition::Plateau),
        };
        Some(words.to_owned())
    }

    fn plain(&self) -> AlertRule {
        AlertRule {
            condition: self.condition,
            parameters: AlertParameters::default(),
            action: self.action.unwrap_or(AlertAction::Notify),
        }
    }
}

/// The rules that are meant; nothing as long as something is wrong.
pub(super) fn rules(lines: &[Line]) -> Option<AlertRules> {
    let mut rules = Vec::new();
    for line in lines.iter().filter(|line| line.action.is_some()) {
        let mut rule = line.plain();
        let otherwise = line.condition.defaults();
        for (parameter, typed) in &line.typed {
            if line.error(*parameter, typed).is_some() {
                return None;
            }
            // What is the condition's own stays open, so that it goes along where that changes.
            if parameter.typed(&otherwise).as_ref() != Some(typed) {
                parameter.put(&mut rule.parameters, typed);
            }
        }
        rules.push(rule);
    }
    Some(AlertRules { rules })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &serde_json::Value) -> AlertRules {
        serde_json::from_value(json!({ "rules": value })).expect("rules")
    }

    fn change(lines: &mut [Line], condition: AlertCondition, parameter: Parameter, typed: &str) {
        let line = lines
            .iter_mut()
            .find(|line| line.condition == condition)
            .expect("a line");
        let place = line.typed.iter_mut().find(|(known, _)| *known == parameter);
        place.expect("it has that parameter").1 = typed.to_owned();
    }

    #[test]
    fn rules_come_back_as_they_went_in() {
        for value in [
            json!([]),
            json!([{"condition": "not_finite", "action": "notify"}]),
            json!([{"condition": "divergence", "parameters": {"factor": 3.5}, "action": "notify"},
                   {"condition": "low_disk", "parameters": {"bytes": 500_000_000}, "action": "pause"},
                   {"condition": "late", "parameters": {"factor": 1.5, "minutes": 5}, "action": "notify"}]),
        ] {
            let given = read(&value);
            assert_eq!(rules(&lines(&given)), Some(given));
        }
    }

    #[test]
    fn a_pause_where_nothing_is_left_to_pause_becomes_a_notification() {
        let before = read(&json!([{"condition": "not_finite", "action": "pause"}]));
        let now = read(&json!([{"condition": "not_finite", "action": "notify"}]));
        assert_eq!(rules(&lines(&before)), Some(now));
    }

    #[test]
    fn every_parameter_of_every_condition_has_a_field() {
        let all = lines(&AlertRules::default());
        let counts: Vec<usize> = all.iter().map(|line| line.typed.len()).collect();
        assert_eq!(counts, [0, 2, 2, 1, 1, 1, 2]);
        assert_eq!(rules(&all), Some(AlertRules::default()), "nothing is watched for");
    }

    #[test]
    fn what_can_not_be_meant_is_told_and_not_sent() {
        let given = read(&json!([{"condition": "divergence", "action": "notify"},
                                {"condition": "plateau", "action": "notify"},
                                {"condition": "low_disk", "action": "notify"}]));
        for (condition, parameter, typed) in [
            (AlertCondition::Divergence, Parameter::Count, "0"),
            (AlertCondition::Divergence, Parameter::Count, "2.5"),
            (AlertCondition::Divergence, Parameter::Factor, "1"),
            (AlertCondition::Divergence, Parameter::Factor, "much"),
            (AlertCondition::Plateau, Parameter::Count, "1"),
            (AlertCondition::Plateau, Parameter::Factor, "1"),
            (AlertCondition::LowDisk, Parameter::Bytes, "-1"),
            (AlertCondition::LowDisk, Parameter::Bytes, ""),
        ] {
            let mut lines = lines(&given);
            change(&mut lines, condition, parameter, typed);
            assert_eq!(rules(&lines), None, "{condition:?} {typed}");
            let line = lines
                .iter()
                .find(|line| line.condition == condition)
                .expect("a line");
            assert!(line.error(parameter, typed).is_some(), "{condition:?} {typed}");
        }
        // Of what isn't watched for nothing is wrong.
        let mut lines = lines(&given);
        change(&mut lines, AlertCondition::Late, Parameter::Factor, "nonsense");
        assert_eq!(rules(&lines), Some(given));
    }
}
