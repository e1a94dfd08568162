//! Second step: epochs, learning rate, and what else the upstream takes.

use super::StepProps;
use crate::{
    components::field::{FieldProps, select_field, stepper_field, text_field},
    text::{self, format},
};
use shared::{draft::schedule_word, run::Schedule};
use yew::prelude::*;

const LEARNING_RATES: [&str; 4] = ["0.0001", "0.0002", "0.0005", "0.002"];

pub(super) fn configure(props: &StepProps) -> Html {
    let whole = |field: &'static str, hint: &'static str| {
        html! {
            { stepper_field(&FieldProps { field: field.into(), label: text::field_label(field).into(), hint: hint.into(), numeric: true, required: true, value: props.draft.get(field).unwrap_or_default().to_owned().into(), error: props.error(field), on_change: props.change(field), on_leave: props.left(field), ..FieldProps::default() }) }
        }
    };
    html! {
        <div class="card card-body form-body">
            <div class="trio">
                { whole("epochs", text::hint_epochs()) }
                { whole("evaluation_epochs", text::hint_evaluation()) }
                { whole("warmup_epochs", text::hint_warmup()) }
            </div>
            <div class="half">
                { text_field(&FieldProps { field: "learning_rate".into(), label: text::learning_rate().into(), hint: text::hint_learning_rate().into(), numeric: false, required: true, value: props.draft.learning_rate.clone().into(), note: note(&props.draft.learning_rate).into(), chips: chips(), error: props.error("learning_rate"), on_change: props.change("learning_rate"), on_leave: props.left("learning_rate"), ..FieldProps::default() }) }
            </div>
            <div hidden={!props.capabilities.hyperparameters}>{ advanced(props) }</div>
        </div>
    }
}

fn chips() -> Vec<AttrValue> {
    LEARNING_RATES.into_iter().map(AttrValue::from).collect()
}

/// The number written the other way: `1e-4` for `0.0001` and the other way round.
fn note(typed: &str) -> String {
    let Some(value) = typed
        .trim()
        .parse::<f64>()
        .ok()
        .filter(|value| value.is_finite() && *value > 0.0)
    else {
        return String::new();
    };
    if typed.contains(['e', 'E']) {
        format!("= {}", format::decimal(value))
    } else {
        format!("= {value:e}")
    }
}

fn advanced(props: &StepProps) -> Html {
    if !props.capabilities.hyperparameters {
        return Html::default();
    }
    let names = [
        "batch_size",
        "lora_rank",
        "lora_alpha",
        "lora_dropout",
        "schedule",
        "seed",
    ];
    let has_error = names.iter().any(|name| props.errors.contains_key(*name));
    let number = |field: &'static str, hint: &'static str, whole: bool| {
        let value = props.draft.get(field).unwrap_or_default().to_owned();
        let (error, on_change, on_leave) = (props.error(field), props.change(field), props.left(field));
        let label = text::field_label(field);
        if whole {
            html! { { stepper_field(&FieldProps { field: field.into(), label: label.into(), hint: hint.into(), numeric: true, value: value.into(), error, on_change, on_leave, ..FieldProps::default() }) } }
        } else {
            html! { { text_field(&FieldProps { field: field.into(), label: label.into(), hint: hint.into(), numeric: true, value: value.into(), error, on_change, on_leave, ..FieldProps::default() }) } }
        }
    };
    let mut schedules = vec![(AttrValue::from(""), AttrValue::from(text::schedule_default()))];
    schedules.extend(
        [Schedule::Constant, Schedule::Linear, Schedule::Cosine].map(|schedule| {
            (
                AttrValue::from(schedule_word(schedule)),
                AttrValue::from(text::schedule_label(schedule)),
            )
        }),
    );
    html! {
        <details class="advanced" open={has_error || names.iter().any(|name| props.draft.touched.contains(*name))}>
            <summary>{ text::advanced() }</summary>
            <div class="trio">
                { number("batch_size", text::hint_batch_size(), true) }
                { number("lora_rank", text::hint_lora_rank(), true) }
                { number("lora_alpha", text::hint_lora_alpha(), false) }
                { number("lora_dropout", text::hint_lora_dropout(), false) }
                { select_field(&FieldProps { field: "schedule".into(), label: text::schedule().into(), hint: text::hint_schedule().into(), value: props.draft.schedule.clone().into(), choices: schedules, error: props.error("schedule"), on_change: props.change("schedule"), on_leave: props.left("schedule"), ..FieldProps::default() }) }
                { number("seed", text::hint_seed(), false) }
            </div>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::note;

    #[test]
    fn a_learning_rate_is_shown_the_other_way_too() {
        assert_eq!(note("1e-4"), "= 0.0001");
        assert_eq!(note("0.0002"), "= 2e-4");
        assert_eq!(note("fast"), "");
        assert_eq!(note("-1"), "");
    }
}
