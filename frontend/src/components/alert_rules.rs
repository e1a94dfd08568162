//! Alert rules to be chosen: those of one job, or those that new jobs begin with.

mod form;

use crate::{
    api, browser,
    components::{
        button::button_if,
        face::{face, skeleton_lines},
        field::{FieldProps, control_id, select_field, text_field},
        toast::use_toaster,
    },
    kept::{Kept, use_kept},
    query::{Poll, hooks::use_store, use_query},
    text,
};
pub use form::Parameter;
use form::{Line, lines, rules};
use shared::{
    alert::{AlertAction, AlertCondition, AlertRules},
    id::JobId,
};
use std::rc::Rc;
use yew::prelude::*;

/// Another tab, or the API, may change them too.
const POLL: Poll = Poll::Every(15_000);

/// Whose rules.
#[derive(PartialEq)]
pub struct AlertRulesProps {
    /// A job's; those that new jobs begin with where none is named.
    pub job: Option<JobId>,
}

/// The name of a parameter's field, alone on its page.
const fn field(condition: AlertCondition, parameter: Parameter) -> &'static str {
    match (condition, parameter) {
        (AlertCondition::Divergence, Parameter::Count) => "divergence_count",
        (AlertCondition::Divergence, _) => "divergence_factor",
        (AlertCondition::Plateau, Parameter::Count) => "plateau_count",
        (AlertCondition::Plateau, _) => "plateau_factor",
        (AlertCondition::Late, Parameter::Minutes) => "late_minutes",
        (AlertCondition::Late, _) => "late_factor",
        (AlertCondition::ValidationRising, _) => "validation_rising_count",
        (AlertCondition::NoProgress, _) => "no_progress_minutes",
        (AlertCondition::LowDisk, _) => "low_disk_bytes",
        (AlertCondition::NotFinite, _) => "not_finite_parameter",
    }
}

const fn word(action: Option<AlertAction>) -> &'static str {
    match action {
        None => "off",
        Some(AlertAction::Notify) => "notify",
        Some(AlertAction::Pause) => "pause",
    }
}

fn action(word: &str) -> Option<AlertAction> {
    let mut all = [AlertAction::Notify, AlertAction::Pause].into_iter();
    all.find(|action| self::word(Some(*action)) == word)
}

/// The form, with what the server knows or what was changed since.
#[hook]
pub fn use_alert_rules(props: Rc<AlertRulesProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let known = use_query(api::alerts::rules(props.job.as_ref()), POLL);
    let typed = use_kept(|| None::<Vec<Line>>);
    let saved = use_kept(|| None::<Vec<Line>>);
    let saving = use_kept(|| false);
    // What is typed while it is being saved stays.
    let changed = (*typed).clone().filter(|lines| saved.as_ref() != Some(lines));
    let onsubmit = {
        let (props, changed, saving) = (Rc::clone(&props), changed.clone(), saving.clone());
        let saved = saved.setter();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let Some(lines) = changed.clone().filter(|_| !*saving) else {
                return;
            };
            let Some(rules) = rules(&lines) else {
                if let Some(field) = first_fault(&lines) {
                    browser::focus_id(&control_id(field));
                }
                return;
            };
            saving.set(true);
            let (store, toaster, props) = (store.clone(), toaster.clone(), Rc::clone(&props));
            let (saved, saving) = (saved.clone(), saving.setter());
            wasm_bindgen_futures::spawn_local(async move {
                let outcome = store.keep_alerts(props.job.as_ref(), rules).await;
                if outcome.is_ok() {
                    saved.set(Some(lines));
                }
                toaster.tell(outcome.map(|()| text::alerts_kept().to_owned()));
                saving.set(false);
            });
        })
    };
    let full = |known: &Rc<AlertRules>| {
        let shown = changed.clone().unwrap_or_else(|| lines(known));
        let discard = {
            let typed = typed.setter();
            Callback::from(move |_: MouseEvent| typed.set(None))
        };
        html! {
            <form class="card-body alert-rules" novalidate=true {onsubmit}>
                { for shown.iter().enumerate().map(|(place, line)| line_view(place, line, &shown, &typed)) }
                <div class="buttons" hidden={changed.is_none()}>
                    <button type="submit" class="button primary" aria-busy={(*saving).then_some("true")}>{ text::save() }</button>
                    { button_if(true, "button", text::discard(), discard) }
                </div>
            </form>
        }
    };
    face(&known, || skeleton_lines(4), |_| None, full)
}

/// The field of the first parameter that can't be meant.
fn first_fault(lines: &[Line]) -> Option<&'static str> {
    lines.iter().find_map(|line| {
        let mut typed = line.typed.iter();
        let (parameter, _) = typed.find(|(parameter, typed)| line.error(*parameter, typed).is_some())?;
        Some(field(line.condition, *parameter))
    })
}

fn line_view(place: usize, line: &Line, all: &[Line], changed: &Kept<Option<Vec<Line>>>) -> Html {
    // Puts another line in the place of this one.
    let put = {
        let (all, changed) = (all.to_vec(), changed.setter());
        Callback::from(move |line: Line| {
            let mut all = all.clone();
            all[place] = line;
            changed.set(Some(all));
        })
    };
    let (label, hint) = text::alert_condition(line.condition);
    let choices = [None, Some(AlertAction::Notify), Some(AlertAction::Pause)];
    let choice = FieldProps {
        field: line.condition.as_str(),
        label,
        hint,
        value: word(line.action).to_owned(),
        choices: choices
            .into_iter()
            .filter(|action| *action != Some(AlertAction::Pause) || line.condition.can_pause())
            .map(|action| (word(action).to_owned(), text::alert_action(action).to_owned()))
            .collect(),
        on_change: {
            let line = line.clone();
            put.reform(move |typed: String| Line {
                action: action(&typed),
                ..line.clone()
            })
        },
        ..FieldProps::default()
    };
    let parameters = line.typed.iter().enumerate().map(|(index, (parameter, typed))| {
        let on_change = {
            let line = line.clone();
            put.reform(move |typed: String| {
                let mut line = line.clone();
                line.typed[index].1 = typed;
                line
            })
        };
        let shown = text_field(&FieldProps {
            field: field(line.condition, *parameter),
            label: text::alert_parameter(line.condition, *parameter),
            error: line.error(*parameter, typed),
            value: typed.clone(),
            numeric: true,
            decimal: matches!(parameter, Parameter::Factor | Parameter::Bytes),
            on_change,
            ..FieldProps::default()
        });
        html! { <div key={index}>{ shown }</div> }
    });
    html! {
        <div key={line.condition.as_str()} class="alert-rule">
            { select_field(&choice) }
            <div class="alert-parameters" hidden={line.action.is_none() || line.typed.is_empty()}>{ for parameters }</div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{Language, speak_in_test};

    #[component]
    fn Form() -> Html {
        let changed = use_kept(|| None);
        let given = r#"{"rules":[{"condition":"late","parameters":{"factor":1.5},"action":"pause"}]}"#;
        let known: AlertRules = api::json::read(given).expect("rules");
        let all = lines(&known);
        let views = all
            .iter()
            .enumerate()
            .map(|(place, line)| line_view(place, line, &all, &changed));
        html! { <div>{ for views }</div> }
    }

    async fn draw() -> String {
        yew::LocalServerRenderer::<Form>::new()
            .hydratable(false)
            .render()
            .await
    }

    #[tokio::test]
    async fn each_condition_is_off_told_or_pauses_and_has_its_parameters() {
        let html = draw().await;
        for condition in AlertCondition::ALL {
            assert!(
                html.contains(&format!("id=\"field-{}\"", condition.as_str())),
                "{condition:?}: {html}"
            );
        }
        assert_eq!(html.matches("value=\"off\" selected").count(), 6, "{html}");
        assert_eq!(html.matches("value=\"pause\" selected").count(), 1, "{html}");
        assert_eq!(
            html.matches("value=\"pause\"").count(),
            AlertCondition::ALL.len() - 1,
            "{html}"
        );
        assert!(
            html.contains("value=\"1.5\"") && html.contains("Multiple of the first estimate"),
            "{html}"
        );
        speak_in_test(Language::German);
        let html = draw().await;
        speak_in_test(Language::English);
        assert!(html.contains("value=\"1,5\"") && html.contains("Aus"), "{html}");
    }

    #[test]
    fn the_first_parameter_that_cannot_be_meant_is_found() {
        let mut all = lines(&AlertRules::default());
        assert_eq!(first_fault(&all), None);
        for line in all.iter_mut().rev() {
            line.action = Some(AlertAction::Notify);
            for (_, typed) in &mut line.typed {
                typed.push('x');
            }
            if let Some((parameter, _)) = line.typed.first() {
                let first = field(line.condition, *parameter);
                assert_eq!(first_fault(std::slice::from_ref(line)), Some(first));
            }
        }
        let first = all.iter().find(|line| !line.typed.is_empty());
        let first = first.map(|line| field(line.condition, line.typed[0].0));
        assert_eq!(first_fault(&all), first);
    }

    #[test]
    fn every_parameter_has_a_field_of_its_own() {
        let all = lines(&AlertRules::default());
        let names = all.iter().flat_map(|line| {
            line.typed
                .iter()
                .map(|(parameter, _)| field(line.condition, *parameter))
        });
        let names: Vec<_> = names.collect();
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!((names.len(), distinct.len()), (9, 9), "{names:?}");
        for action in [None, Some(AlertAction::Notify), Some(AlertAction::Pause)] {
            assert_eq!(super::action(word(action)), action);
        }
    }
}
