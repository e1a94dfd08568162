//! Second step: epochs, learning rate, and what else the upstream takes.

use super::StepProps;
use crate::{
    components::field::{SelectField, StepperField, TextField},
    text::{self, format},
};
use shared::{draft::schedule_word, run::Schedule};
use yew::prelude::*;

const LEARNING_RATES: [&str; 4] = ["0.0001", "0.0002", "0.0005", "0.002"];

pub(super) fn configure(props: &StepProps) -> Html {
    let whole = |field: &'static str, hint: &'static str| {
        html! {
            <StepperField {field} label={text::field_label(field)} {hint} numeric=true required=true
                value={props.draft.get(field).unwrap_or_default().to_owned()} error={props.error(field)}
                on_change={props.change(field)} on_leave={props.left(field)} />
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
                <TextField field="learning_rate" label={text::learning_rate()} hint={text::hint_learning_rate()} numeric=false required=true
                    value={props.draft.learning_rate.clone()} note={note(&props.draft.learning_rate)} chips={chips()}
                    error={props.error("learning_rate")} on_change={props.change("learning_rate")} on_leave={props.left("learning_rate")} />
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
            html! { <StepperField {field} {label} {hint} numeric=true {value} {error} {on_change} {on_leave} /> }
        } else {
            html! { <TextField {field} {label} {hint} numeric=true {value} {error} {on_change} {on_leave} /> }
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
                <SelectField field="schedule" label={text::schedule()} hint={text::hint_schedule()} value={props.draft.schedule.clone()}
                    choices={schedules} error={props.error("schedule")} on_change={props.change("schedule")} on_leave={props.left("schedule")} />
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
