//! Second step: epochs, learning rate, and what else the upstream takes.

use super::StepProps;
use crate::{
    components::field::{FieldProps, select_field, stepper_field, text_field},
    draft::DraftAction,
    text::{self, format},
};
use shared::{
    draft::{number_text, schedule_word},
    number,
    preset::{Preset, Proposals},
    run::{Method, Schedule},
};
use yew::prelude::*;

const LEARNING_RATES: [&str; 4] = ["0.0001", "0.0002", "0.0005", "0.002"];
const ADVANCED: [&str; 6] = [
    "batch_size",
    "lora_rank",
    "lora_alpha",
    "lora_dropout",
    "schedule",
    "seed",
];

pub(super) fn configure(props: &StepProps) -> Html {
    let whole = |field, hint| {
        stepper_field(&FieldProps {
            numeric: true,
            required: true,
            ..props.field(field, hint)
        })
    };
    let epochs = FieldProps {
        numeric: true,
        required: true,
        least: props.capabilities.bounds.epochs.min,
        ..props.field("epochs", text::hint_epochs())
    };
    let learning_rate = FieldProps {
        required: true,
        decimal: true,
        note: note(&props.draft.draft.learning_rate),
        chips: chips(props),
        ..props.field(
            "learning_rate",
            if props.capabilities.recipe {
                text::hint_learning_rate()
            } else {
                text::hint_relative_learning_rate()
            },
        )
    };
    let has_nothing_to_evaluate =
        props.capabilities.datasets && props.draft.draft.validation_dataset.is_empty();
    let hint_evaluation = if has_nothing_to_evaluate {
        text::hint_no_evaluation()
    } else {
        text::hint_evaluation(props.capabilities.datasets)
    };
    let is_preference = props.draft.draft.method == Method::Dpo.as_str();
    let beta = FieldProps {
        numeric: true,
        decimal: true,
        ..props.field("beta", text::hint_beta())
    };
    let advanced = if props.capabilities.hyperparameters {
        advanced(props)
    } else {
        Html::default()
    };
    html! {
        <div class="card form-body">
            <div hidden={props.proposals.is_none()}>{ props.proposals.as_ref().map(|proposals| presets(props, proposals)) }</div>
            <div class="trio">
                { stepper_field(&epochs) }
                <div hidden={!props.capabilities.recipe}>
                    { whole("evaluation_epochs", hint_evaluation) }
                </div>
                <div hidden={!props.capabilities.recipe}>{ whole("warmup_epochs", text::hint_warmup()) }</div>
            </div>
            <div class="half">{ text_field(&learning_rate) }</div>
            <div class="half" hidden={!is_preference}>{ text_field(&beta) }</div>
            <div hidden={!props.capabilities.hyperparameters}>{ advanced }</div>
        </div>
    }
}

/// Ways to train, each of which sets the fields below it; which one they hold is told, also where they are typed.
fn presets(props: &StepProps, proposals: &Proposals) -> Html {
    let chosen = Preset::chosen(&props.draft.draft, proposals);
    let chips = Preset::ALL.map(|preset| {
        let is_on = chosen == Some(preset);
        let (handle, proposals) = (props.draft.clone(), proposals.clone());
        let onclick = Callback::from(move |_: MouseEvent| {
            handle.dispatch(DraftAction::Preset(preset, Box::new(proposals.clone())));
        });
        html! {
            <button
                key={preset.as_str()}
                type="button"
                class={if is_on { "chip is-on" } else { "chip" }}
                aria-pressed={if is_on { "true" } else { "false" }}
                {onclick}
            >
                { text::preset_label(preset) }
            </button>
        }
    });
    html! {
        <div class="field" role="group" aria-labelledby="presets" aria-describedby="presets-hint">
            <span id="presets" class="field-title">{ text::presets() }</span>
            <div class="chips">
                { for chips }
                <span class="chip is-on" hidden={chosen.is_some()}>{ text::own_values() }</span>
            </div>
            <p class="field-hint" id="presets-hint">{ text::preset_hint(chosen) }</p>
        </div>
    }
}

/// Common learning rates, and the one that is proposed.
fn chips(props: &StepProps) -> Vec<String> {
    let mut chips: Vec<String> = LEARNING_RATES.iter().map(|rate| (*rate).to_owned()).collect();
    if let Some(proposals) = &props.proposals {
        let chosen = Preset::parse(&props.draft.draft.preset);
        let proposed = number_text(chosen.of(proposals).learning_rate);
        if !chips.contains(&proposed) {
            chips.push(proposed);
        }
    }
    chips
}

/// The number written the other way: `1e-4` for `0.0001` and the other way round.
fn note(typed: &str) -> String {
    let value = number::parse(typed.trim());
    match value.filter(|value| value.is_finite() && *value > 0.0) {
        Some(value) if typed.contains(['e', 'E']) => format!("= {}", format::decimal(value)),
        Some(value) => format!("= {}", format::localised(&number::scientific(value))),
        None => String::new(),
    }
}

fn advanced(props: &StepProps) -> Html {
    let has_error = ADVANCED.iter().any(|name| props.errors.get(name).is_some());
    let is_touched = ADVANCED
        .iter()
        .any(|name| props.draft.draft.touched.contains(name));
    let number = |field, hint| FieldProps {
        numeric: true,
        ..props.field(field, hint)
    };
    let fraction = |field, hint| FieldProps {
        decimal: true,
        ..number(field, hint)
    };
    let mut choices = vec![(String::new(), text::schedule_default().to_owned())];
    for schedule in [Schedule::Constant, Schedule::Linear, Schedule::Cosine] {
        choices.push((
            schedule_word(schedule).to_owned(),
            text::schedule_label(schedule).to_owned(),
        ));
    }
    let schedule = FieldProps {
        choices,
        ..props.field("schedule", text::hint_schedule())
    };
    let recipe = props.capabilities.recipe.then(|| {
        html! {
            <>
                { stepper_field(&number("lora_rank", text::hint_lora_rank())) }
                { text_field(&fraction("lora_alpha", text::hint_lora_alpha())) }
                { text_field(&fraction("lora_dropout", text::hint_lora_dropout())) }
                { select_field(&schedule) }
            </>
        }
    });
    html! {
        <details class="advanced" open={has_error || is_touched}>
            <summary>{ text::advanced() }</summary>
            <div class="trio">
                { stepper_field(&number("batch_size", text::hint_batch_size())) }
                { for recipe }
                { text_field(&number("seed", text::hint_seed())) }
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
