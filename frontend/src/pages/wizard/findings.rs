//! Which findings stand under the fields, and which field takes the focus.

use crate::{draft::FieldErrors, text};
use shared::{
    draft::FIELDS,
    validate::{Findings, Step, field_step},
};

/// The first of some fields, in the order in which they stand.
pub(super) fn first_field<'a>(fields: impl Iterator<Item = &'a String>) -> Option<String> {
    let place = |field: &str| {
        FIELDS
            .iter()
            .position(|known| *known == field)
            .unwrap_or(FIELDS.len())
    };
    fields.min_by_key(|field| place(field)).cloned()
}

/// What stands under the fields of a step: the server's word first, then ours about fields that were left or sent. A
/// field that was only passed isn't scolded for being empty.
pub(super) fn visible_errors(
    step: Step,
    findings: &Findings,
    refused: &FieldErrors,
    sent: bool,
    left: &[&str],
) -> FieldErrors {
    let mut errors = FieldErrors::default();
    for (field, code) in findings {
        let is_heard = sent || (left.contains(&field.as_str()) && code.code != "required");
        if is_heard && field_step(field) == step {
            errors.set(field, text::finding(field, code));
        }
    }
    for (field, message) in refused.iter() {
        errors.set(field, text::sentence(message));
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::problem::FieldCode;
    use std::collections::BTreeMap;

    fn code(code: &str) -> FieldCode {
        FieldCode {
            code: code.to_owned(),
            params: BTreeMap::new(),
        }
    }

    #[test]
    fn a_field_speaks_once_left_and_all_of_its_step_once_sent() {
        let findings: Findings = [
            ("name", "trailing_dash"),
            ("base_model", "required"),
            ("epochs", "required"),
        ]
        .map(|(field, word)| (field.to_owned(), code(word)))
        .into();
        let nothing = FieldErrors::default();
        assert_eq!(
            visible_errors(Step::Setup, &findings, &nothing, false, &[]),
            nothing
        );
        let shown = visible_errors(Step::Setup, &findings, &nothing, false, &["name", "base_model"]);
        assert_eq!(shown.fields().collect::<Vec<_>>(), ["name"]);
        let shown = visible_errors(Step::Setup, &findings, &nothing, true, &[]);
        assert_eq!(shown.fields().collect::<Vec<_>>(), ["base_model", "name"]);
    }

    #[test]
    fn the_server_has_the_last_word_and_the_first_field_takes_the_focus() {
        let findings: Findings = [("name".to_owned(), code("required"))].into();
        let mut refused = FieldErrors::default();
        refused.set("base_model", "unknown".to_owned());
        refused.set("name", "taken".to_owned());
        let shown = visible_errors(Step::Setup, &findings, &refused, true, &[]);
        assert_eq!(shown.get("name").map(String::as_str), Some("Taken."));
        assert_eq!(first_field(shown.fields()).as_deref(), Some("name"));
    }
}
