//! Last step: shows all and submits. What the server refuses goes home to its field on its step.

use super::use_back_button;
use crate::{
    components::{link::Link, toast::use_toaster},
    draft::{DraftAction, Submitted, remember_submitted, use_draft},
    part::part,
    query::hooks::use_store,
    route::Route,
    text,
};
use shared::{
    capabilities::Capabilities,
    dataset::DatasetList,
    draft::Draft,
    model::ModelList,
    problem::Problem,
    validate::{Step, field_step, new_job_from_draft},
};
use std::{collections::BTreeMap, rc::Rc};
use yew::prelude::*;
use yew_router::prelude::*;

#[derive(PartialEq)]
pub(super) struct ReviewProps {
    pub(super) draft: Draft,
    pub(super) capabilities: Rc<Capabilities>,
    pub(super) models: Option<Rc<ModelList>>,
    pub(super) datasets: Option<Rc<DatasetList>>,
}

#[hook]
pub(super) fn use_review(props: Rc<ReviewProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let handle = use_draft();
    let navigator = use_navigator();
    let busy = use_state(|| false);
    let failure = use_state(|| None::<String>);
    let onsubmit = {
        let (draft, capabilities) = (props.draft.clone(), props.capabilities.clone());
        let (busy, failure) = (busy.clone(), failure.setter());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let (Ok(new_job), false) = (new_job_from_draft(&draft, &capabilities), *busy) else {
                return;
            };
            let (Some(handle), Some(navigator)) = (handle.clone(), navigator.clone()) else {
                return;
            };
            busy.set(true);
            failure.set(None);
            let (store, toaster, draft_id) = (store.clone(), toaster.clone(), draft.id.clone());
            let (busy, failure) = (busy.setter(), failure.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match store.create_job(&new_job, &draft_id).await {
                    Ok(created) => {
                        let repeated = created.repeated || handle.used_up.is_some();
                        let submitted = Submitted {
                            draft_id,
                            job_id: created.job.id.clone(),
                        };
                        remember_submitted(&submitted);
                        handle.dispatch(DraftAction::Submitted(submitted));
                        navigator.push(&Route::Job {
                            id: created.job.id.to_string(),
                        });
                        if let Some(toaster) = toaster {
                            toaster.good(if repeated {
                                text::already_started()
                            } else {
                                text::job_started()
                            });
                        }
                    }
                    Err(error) => {
                        busy.set(false);
                        let refused = match &error {
                            crate::api::ApiError::Problem(problem) => refused_fields(problem),
                            _ => BTreeMap::new(),
                        };
                        match refused.keys().map(|field| field_step(field)).min() {
                            Some(step) => {
                                handle.dispatch(DraftAction::Refused(refused));
                                navigator.push(&Route::of_step(step));
                            }
                            None => failure.set(Some(text::error_line(&error))),
                        }
                    }
                }
            });
        })
    };
    let draft = &props.draft;
    let capabilities = &props.capabilities;
    html! {
        <form novalidate=true {onsubmit}>
            <div class="stack">
                { setup_card(draft, capabilities, props.models.as_deref(), props.datasets.as_deref()) }
                { configure_card(draft, capabilities) }
                <div class="notice notice-error" role="alert" hidden={failure.is_none()}><p>{ (*failure).clone().unwrap_or_default() }</p></div>
            </div>
            <div class="buttons wizard-buttons">
                <div class="wizard-back">{ part(use_back_button, Step::Review) }</div>
                <span class="dim wide">{ text::review_hint() }</span>
                <button type="submit" class="button primary" disabled={*busy}>{ text::start_fine_tuning() }</button>
            </div>
        </form>
    }
}

/// What a refusal says about fields that have a place in the form, in our words where the finding is ours.
fn refused_fields(problem: &Problem) -> BTreeMap<String, String> {
    let mut refused = BTreeMap::new();
    let mut refuse = |field: &str, message: String| {
        let field = form_field(field);
        if shared::draft::FIELDS.contains(&field.as_str()) {
            refused.insert(field, message);
        }
    };
    for (field, message) in &problem.fields {
        refuse(field, message.clone());
    }
    for (field, code) in &problem.field_codes {
        refuse(field, text::finding(field, code));
    }
    refused
}

/// The form's name of a field that the body has nested.
fn form_field(field: &str) -> String {
    field
        .strip_prefix("lora.")
        .map_or_else(|| field.to_owned(), |inner| format!("lora_{inner}"))
}

/// What the first step holds.
pub(super) fn setup_card(
    draft: &Draft,
    capabilities: &Capabilities,
    models: Option<&ModelList>,
    datasets: Option<&DatasetList>,
) -> Html {
    let model = models.and_then(|list| list.models.iter().find(|model| model.id == draft.base_model));
    let model = model.map_or_else(|| draft.base_model.clone(), |model| model.display_name.clone());
    let dataset = |id: &str| {
        let found = datasets.and_then(|list| list.datasets.iter().find(|dataset| dataset.id.as_str() == id));
        match found {
            Some(dataset) => text::dataset_choice(&dataset.name, dataset.examples),
            None if id.is_empty() => text::no_validation().to_owned(),
            None => id.to_owned(),
        }
    };
    let mut facts = vec![
        (text::job_name(), draft.name.clone()),
        (text::base_model(), model),
    ];
    if capabilities.datasets {
        facts.push((text::training_dataset(), dataset(&draft.training_dataset)));
        facts.push((text::validation_dataset(), dataset(&draft.validation_dataset)));
    }
    card("review-setup", Step::Setup, &facts)
}

fn configure_card(draft: &Draft, capabilities: &Capabilities) -> Html {
    let mut names = vec!["epochs", "evaluation_epochs", "warmup_epochs", "learning_rate"];
    if capabilities.hyperparameters {
        names.extend([
            "batch_size",
            "lora_rank",
            "lora_alpha",
            "lora_dropout",
            "schedule",
            "seed",
        ]);
    }
    let facts: Vec<_> = names
        .into_iter()
        .map(|name| {
            (
                text::field_label(name),
                draft.get(name).unwrap_or_default().to_owned(),
            )
        })
        .filter(|(_, value)| !value.is_empty())
        .collect();
    card("review-configure", Step::Configure, &facts)
}

fn card(id: &'static str, step: Step, facts: &[(&'static str, String)]) -> Html {
    html! {
        <section class="card" aria-labelledby={id}>
            <div class="card-head">
                <h2 {id}>{ text::step_label(step) }</h2>
                <Link to={Route::of_step(step)} class="quiet-link" label={text::edit_step(text::step_label(step))}>{ text::edit() }</Link>
            </div>
            <div class="card-body">
                <dl class="facts">{ for facts.iter().map(|(label, value)| html! { <div key={*label}><dt>{ *label }</dt><dd>{ value.clone() }</dd></div> }) }</dl>
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::refused_fields;
    use shared::problem::Problem;

    #[test]
    fn a_refusal_goes_home_to_the_forms_fields() {
        let json = r#"{"title":"Bad Request","status":400,"code":"validation_failed",
            "fields":{"name":"taken","lora.rank":"too large","cluster":"unknown"},
            "field_codes":{"epochs":{"code":"too_small","params":{"min":"1"}}}}"#;
        let problem: Problem = serde_json::from_str(json).expect("this is a problem");
        let refused = refused_fields(&problem);
        assert_eq!(
            refused.keys().collect::<Vec<_>>(),
            ["epochs", "lora_rank", "name"]
        );
        assert!(refused["epochs"].contains('1'), "{refused:?}");
    }
}
