//! The wizard's validation, a step at a time and whole. The browser, the backend-for-frontend and the engine run
//! this same code; `Capabilities` brings the bounds.
//!
//! A finding is a stable code with parameters under the field's name:
//!
//! | code | parameters | meaning |
//! |---|---|---|
//! | `required` | | nothing was given |
//! | `too_short`, `too_long` | `min` / `max` | length in characters |
//! | `bad_characters` | | something else than letters, digits and dashes |
//! | `trailing_dash` | | ends in a dash |
//! | `not_a_whole_number`, `not_a_number` | | can't be read |
//! | `too_small`, `too_large` | `min` / `max` | outside the bounds |
//! | `out_of_range` | `above` or `min`, `max` or `below` | a fraction outside its range |
//! | `epochs_sum` | `sum`, `epochs` | evaluation and warm-up epochs together exceed the epochs |
//! | `unknown_choice` | `choices` | none of the words that are understood |
//! | `duplicate` | `value` | named twice |
//! | `too_many` | `max` | entries of a list |
//! | `text_length` | `max` | an entry's length in bytes |
//! | `needs_dpo` | | belongs to the method `dpo` |
//! | `not_supported` | | this upstream doesn't take the field |

mod english;
mod read;
mod rules;

pub use english::english;

use crate::{capabilities::Capabilities, draft::Draft, job::NewJob, problem::FieldCode};
use std::collections::BTreeMap;

/// Field → finding. Empty means valid.
pub type Findings = BTreeMap<String, FieldCode>;

/// The steps of the wizard, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Name, base model, datasets.
    Setup,
    /// Epochs, learning rate and what else the upstream takes.
    Configure,
    /// Shows all and submits.
    Review,
}

/// The step that shows a field.
#[must_use]
pub fn field_step(field: &str) -> Step {
    match field {
        "name" | "base_model" | "training_dataset" | "validation_dataset" => Step::Setup,
        _ => Step::Configure,
    }
}

/// What is wrong with the fields of one step; on [`Step::Review`], of all steps.
#[must_use]
pub fn validate_step(step: Step, draft: &Draft, capabilities: &Capabilities) -> Findings {
    let mut findings = new_job_from_draft(draft, capabilities).err().unwrap_or_default();
    if step != Step::Review {
        findings.retain(|field, _| field_step(field) == step);
    }
    findings
}

/// The first step that has findings; [`Step::Review`] where none has.
#[must_use]
pub fn first_unfinished_step(draft: &Draft, capabilities: &Capabilities) -> Step {
    let findings = validate_step(Step::Review, draft, capabilities);
    findings
        .keys()
        .map(|field| field_step(field))
        .min()
        .unwrap_or(Step::Review)
}

/// Reads a draft into the body of `POST /api/jobs`. Fields that the upstream doesn't take are left out.
///
/// # Errors
/// What is wrong, by field.
pub fn new_job_from_draft(draft: &Draft, capabilities: &Capabilities) -> Result<NewJob, Findings> {
    let (fields, mut findings) = read::read_draft(draft, capabilities);
    rules::check(&fields, capabilities, &mut findings);
    if findings.is_empty() {
        fields.into_new_job().ok_or_else(Findings::new)
    } else {
        Err(findings)
    }
}

/// What is wrong with the body of `POST /api/jobs`.
#[must_use]
pub fn validate_new_job(job: &NewJob, capabilities: &Capabilities) -> Findings {
    let mut findings = Findings::new();
    rules::check(&rules::Fields::from_new_job(job), capabilities, &mut findings);
    findings
}

/// A finding without parameters.
fn plain(code: &str) -> FieldCode {
    FieldCode {
        code: code.to_owned(),
        params: BTreeMap::new(),
    }
}

fn with(code: &str, params: &[(&str, &str)]) -> FieldCode {
    let mut finding = plain(code);
    // Collected, they would bring a general sort into the browser's module.
    for (name, value) in params {
        finding.params.insert((*name).to_owned(), (*value).to_owned());
    }
    finding
}

#[cfg(test)]
mod tests;
