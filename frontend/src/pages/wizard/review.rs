//! Last step: shows all and submits. What the server refuses goes home to its field on its step.

use super::{frame, trouble};
use crate::{
    api::ApiError,
    components::{
        card::{card, facts, words},
        link::Link,
        toast::use_toaster,
    },
    draft::{DraftAction, DraftHandle, FieldErrors, Submitted, remember_submitted},
    kept::use_kept,
    query::hooks::use_store,
    route::Route,
    text,
};
use shared::{
    capabilities::Capabilities,
    dataset::DatasetList,
    model::ModelList,
    problem::Problem,
    run::Method,
    validate::{Step, field_step, first_unfinished_step, new_job_from_draft},
};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq)]
pub(super) struct ReviewProps {
    pub(super) draft: DraftHandle,
    pub(super) capabilities: Rc<Capabilities>,
    pub(super) models: Option<Rc<ModelList>>,
    pub(super) datasets: Option<Rc<DatasetList>>,
}

#[hook]
pub(super) fn use_review(props: Rc<ReviewProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let busy = use_kept(|| false);
    let failure = use_kept(|| None::<ApiError>);
    let onsubmit = {
        let (props, busy, failure) = (Rc::clone(&props), busy.clone(), failure.setter());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let handle = props.draft.clone();
            let new_job = match new_job_from_draft(&handle.draft, &props.capabilities) {
                Ok(new_job) if !*busy => new_job,
                Ok(_) => return,
                // Another tab took something away meanwhile.
                Err(_) => {
                    return Route::of_step(first_unfinished_step(&handle.draft, &props.capabilities)).go();
                }
            };
            busy.set(true);
            failure.set(None);
            let (store, toaster, busy, failure) =
                (store.clone(), toaster.clone(), busy.setter(), failure.clone());
            wasm_bindgen_futures::spawn_local(async move {
                let draft_id = handle.draft.id.clone();
                match store.create_job(&new_job, &draft_id).await {
                    Ok(created) => {
                        let again = created.repeated || handle.used_up.is_some();
                        let submitted = Submitted {
                            draft_id,
                            job_id: created.job.id.clone(),
                        };
                        remember_submitted(&submitted);
                        handle.dispatch(DraftAction::Submitted(submitted));
                        Route::Job(created.job.id.to_string()).go();
                        toaster.good(if again {
                            text::already_started()
                        } else {
                            text::job_started()
                        });
                    }
                    Err(error) => {
                        busy.set(false);
                        failure.set(take_home(&handle, error));
                    }
                }
            });
        })
    };
    html! {
        <form novalidate=true {onsubmit}>
            <div class="stack">
                { setup_card(&props) }
                { configure_card(&props) }
                <div hidden={failure.is_none()}>{ trouble::trouble(&props, &failure) }</div>
            </div>
            { frame::buttons(Step::Review, text::start_fine_tuning(), *busy) }
        </form>
    }
}

/// Takes what was refused to its fields, on the first step that has one; gives back what has no field.
fn take_home(handle: &DraftHandle, error: ApiError) -> Option<ApiError> {
    let refused = match &error {
        ApiError::Problem(problem) => refused_fields(problem),
        _ => FieldErrors::default(),
    };
    let Some(step) = refused.fields().map(|field| field_step(field)).min() else {
        return Some(error);
    };
    handle.dispatch(DraftAction::Refused(refused));
    Route::of_step(step).go();
    None
}

/// What a refusal says about fields that have a place in the form, in our words where the finding is ours.
fn refused_fields(problem: &Problem) -> FieldErrors {
    let mut refused = FieldErrors::default();
    let mut refuse = |field: &str, message: String| {
        let field = form_field(field);
        if shared::draft::FIELDS.contains(&field.as_str()) {
            refused.set(&field, message);
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
pub(super) fn setup_card(props: &ReviewProps) -> Html {
    let draft = &props.draft.draft;
    let models = props.models.iter().flat_map(|list| list.models.iter());
    let model = models
        .filter(|model| model.id == draft.base_model)
        .map(|model| model.display_name.clone())
        .next();
    let dataset = |id: &str| {
        let known = props.datasets.iter().flat_map(|list| list.datasets.iter());
        let found = known
            .filter(|dataset| dataset.id.as_str() == id)
            .map(text::dataset_choice)
            .next();
        found.unwrap_or_else(|| {
            if id.is_empty() {
                text::no_validation().to_owned()
            } else {
                id.to_owned()
            }
        })
    };
    let mut list = vec![
        (text::job_name(), words(draft.name.clone())),
        (
            text::base_model(),
            words(model.unwrap_or_else(|| draft.base_model.clone())),
        ),
    ];
    if props.capabilities.datasets {
        list.push((text::training_dataset(), words(dataset(&draft.training_dataset))));
        list.push((
            text::validation_dataset(),
            words(dataset(&draft.validation_dataset)),
        ));
    }
    step_card(Step::Setup, list)
}

fn configure_card(props: &ReviewProps) -> Html {
    let draft = &props.draft.draft;
    let all = shared::draft::FIELDS
        .into_iter()
        .filter(|name| field_step(name) == Step::Configure);
    let list = all.filter_map(|name| {
        let value = draft.get(name).filter(|value| !value.is_empty())?;
        let taken = match name {
            "epochs" | "learning_rate" | "method" => true,
            // What it set is shown.
            "preset" => false,
            "beta" => draft.method == Method::Dpo.as_str(),
            "evaluation_epochs" | "warmup_epochs" => props.capabilities.recipe,
            "batch_size" | "seed" => props.capabilities.hyperparameters,
            _ => props.capabilities.hyperparameters && props.capabilities.recipe,
        };
        taken.then(|| (text::field_label(name), words(text::field_value(name, value))))
    });
    step_card(Step::Configure, list.collect())
}

fn step_card(step: Step, list: Vec<(&'static str, Html)>) -> Html {
    let title = text::step_label(step);
    let edit = Link {
        to: Route::of_step(step).path(),
        class: "quiet-link",
        label: Some(text::edit_step(title)),
        content: words(text::edit()),
        ..Link::default()
    };
    card(
        title,
        edit.view(),
        html! { <div class="card-body">{ facts(list) }</div> },
    )
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
            refused.fields().collect::<Vec<_>>(),
            ["lora_rank", "name", "epochs"]
        );
        assert!(
            refused.get("epochs").is_some_and(|words| words.contains('1')),
            "{refused:?}"
        );
    }
}
