//! Reads a draft's text into typed fields. Says only what can't be read; the rules judge the values.

use super::{
    Findings, plain,
    rules::{Fields, LoraFields},
    with,
};
use crate::{
    capabilities::{Bounds, Capabilities},
    draft::Draft,
    number,
    problem::FieldCode,
    run::{Method, Schedule},
};

/// The typed fields of a draft, and what could not be read or is missing.
pub(super) fn read_draft(draft: &Draft, capabilities: &Capabilities) -> (Fields, Findings) {
    let mut findings = Findings::new();
    let bounds = &capabilities.bounds;
    let mut reader = Reader {
        findings: &mut findings,
    };
    let from_zero = Bounds {
        min: 0,
        max: bounds.epochs.max,
    };
    let mut fields = Fields {
        name: draft.name.clone(),
        base_model: draft.base_model.clone(),
        training_dataset: None,
        validation_dataset: None,
        epochs: reader.required_whole("epochs", &draft.epochs, bounds.epochs),
        evaluation_epochs: Some(0),
        warmup_epochs: Some(0),
        learning_rate: reader.required_number("learning_rate", &draft.learning_rate),
        method: None,
        beta: None,
        batch_size: None,
        lora: None,
        schedule: None,
        seed: None,
    };
    if capabilities.recipe {
        fields.evaluation_epochs =
            reader.required_whole("evaluation_epochs", &draft.evaluation_epochs, from_zero);
        fields.warmup_epochs = reader.required_whole("warmup_epochs", &draft.warmup_epochs, from_zero);
    }
    if capabilities.datasets {
        fields.training_dataset = given(&draft.training_dataset).map(str::to_owned);
        fields.validation_dataset = given(&draft.validation_dataset).map(str::to_owned);
    }
    if draft.method == Method::Dpo.as_str() {
        fields.method = Some(Method::Dpo);
        fields.beta = given(&draft.beta).and_then(|_| reader.required_number("beta", &draft.beta));
    }
    if capabilities.hyperparameters {
        fields.batch_size = reader.small_whole("batch_size", &draft.batch_size, bounds.batch_size);
        fields.seed = reader.whole("seed", &draft.seed, 0, (u64::MAX, u64::MAX));
    }
    if capabilities.hyperparameters && capabilities.recipe {
        fields.schedule = reader.schedule(&draft.schedule);
        let texts = [&draft.lora_rank, &draft.lora_alpha, &draft.lora_dropout];
        if texts.iter().any(|text| given(text).is_some()) || !draft.lora_targets.is_empty() {
            fields.lora = Some(LoraFields {
                rank: reader.required_whole("lora_rank", &draft.lora_rank, bounds.lora_rank),
                alpha: reader.required_number("lora_alpha", &draft.lora_alpha),
                dropout: reader.required_number("lora_dropout", &draft.lora_dropout),
                targets: draft.lora_targets.clone(),
            });
        }
    }
    (fields, findings)
}

/// Text without the white space around it; `None` where nothing is left.
fn given(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

struct Reader<'findings> {
    findings: &'findings mut Findings,
}

impl Reader<'_> {
    fn tell<T>(&mut self, field: &str, finding: FieldCode) -> Option<T> {
        self.findings.insert(field.to_owned(), finding);
        None
    }

    fn required_whole(&mut self, field: &str, text: &str, bounds: Bounds<u32>) -> Option<u32> {
        if given(text).is_none() {
            return self.tell(field, plain("required"));
        }
        self.small_whole(field, text, bounds)
    }

    fn small_whole(&mut self, field: &str, text: &str, bounds: Bounds<u32>) -> Option<u32> {
        let max = bounds.max.unwrap_or(u32::MAX);
        self.whole(
            field,
            text,
            u64::from(bounds.min),
            (u64::from(u32::MAX), u64::from(max)),
        )
        .and_then(|value| u32::try_from(value).ok())
    }

    /// A whole number. One that its type can't hold is told like one that is out of bounds: `limits` are the
    /// type's largest value and the largest to tell.
    fn whole(&mut self, field: &str, text: &str, min: u64, limits: (u64, u64)) -> Option<u64> {
        let text = given(text)?;
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return self.tell(field, plain("not_a_whole_number"));
        }
        let zero = digits.bytes().all(|byte| byte == b'0');
        if negative && !zero {
            return self.tell(field, with("too_small", &[("min", &min.to_string())]));
        }
        match digits.parse::<u64>() {
            Ok(value) if value <= limits.0 => Some(value),
            _ => self.tell(field, with("too_large", &[("max", &limits.1.to_string())])),
        }
    }

    /// A decimal number, plain or with an exponent (`1e-4`).
    fn required_number(&mut self, field: &str, text: &str) -> Option<f64> {
        let Some(text) = given(text) else {
            return self.tell(field, plain("required"));
        };
        number::parse(text).or_else(|| self.tell(field, plain("not_a_number")))
    }

    fn schedule(&mut self, text: &str) -> Option<Schedule> {
        match given(text)? {
            "constant" => Some(Schedule::Constant),
            "linear" => Some(Schedule::Linear),
            "cosine" => Some(Schedule::Cosine),
            _ => self.tell(
                "schedule",
                with("unknown_choice", &[("choices", "constant, linear, cosine")]),
            ),
        }
    }
}
