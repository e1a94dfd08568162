//! First step: name, base model and, where there are datasets, what to train and validate on.

use super::StepProps;
use crate::{
    components::{
        field::{FieldProps, select_field, text_field},
        link::Link,
        toast::use_toaster,
    },
    draft::{DraftAction, use_draft},
    query::hooks::use_store,
    route::Route,
    text,
};
use shared::{
    dataset::{Dataset, DatasetStatus},
    id::DatasetId,
};
use yew::prelude::*;

pub(super) fn setup(props: &StepProps) -> Html {
    let draft = &props.draft;
    html! {
        <div class="card card-body form-body">
            { text_field(&FieldProps { field: "name".into(), label: text::job_name().into(), hint: text::hint_name().into(), required: true, value: draft.name.clone().into(), error: props.error("name"), on_change: props.change("name"), on_leave: props.left("name"), ..FieldProps::default() }) }
            { select_field(&FieldProps { field: "base_model".into(), label: text::base_model().into(), hint: text::hint_base_model().into(), required: true, value: draft.base_model.clone().into(), error: props.error("base_model"), choices: models(props), on_change: props.change("base_model"), on_leave: props.left("base_model"), ..FieldProps::default() }) }
            <div class="dataset-fields" hidden={!props.capabilities.datasets}>{ dataset_fields(props) }</div>
        </div>
    }
}

fn models(props: &StepProps) -> Vec<(AttrValue, AttrValue)> {
    let mut choices = vec![(AttrValue::from(""), AttrValue::from(text::choose()))];
    let known = props.models.data.iter().flat_map(|list| list.models.iter());
    choices.extend(known.map(|model| (model.id.clone().into(), model.display_name.clone().into())));
    with_chosen(choices, &props.draft.base_model)
}

fn dataset_fields(props: &StepProps) -> Html {
    if !props.capabilities.datasets {
        return Html::default();
    }
    let ready: Vec<&Dataset> = props
        .datasets
        .data
        .iter()
        .flat_map(|list| list.datasets.iter())
        .filter(|dataset| dataset.status == DatasetStatus::Ready)
        .collect();
    let hint = if props.datasets.data.is_some() && ready.is_empty() {
        text::no_ready_dataset()
    } else {
        text::hint_training()
    };
    let choices = |first: &'static str, chosen: &str| {
        let mut choices = vec![(AttrValue::from(""), AttrValue::from(first))];
        choices.extend(ready.iter().map(|dataset| {
            (
                dataset.id.to_string().into(),
                text::dataset_choice(&dataset.name, dataset.examples).into(),
            )
        }));
        with_chosen(choices, chosen)
    };
    let draft = &props.draft;
    html! {
        <>
            { select_field(&FieldProps { field: "training_dataset".into(), label: text::training_dataset().into(), hint: hint.into(), required: true, value: draft.training_dataset.clone().into(), error: props.error("training_dataset"), choices: choices(text::choose(), &draft.training_dataset), on_change: props.change("training_dataset"), on_leave: props.left("training_dataset"), ..FieldProps::default() }) }
            { select_field(&FieldProps { field: "validation_dataset".into(), label: text::validation_dataset().into(), hint: text::hint_validation().into(), value: draft.validation_dataset.clone().into(), error: props.error("validation_dataset"), choices: choices(text::no_validation(), &draft.validation_dataset), on_change: props.change("validation_dataset"), on_leave: props.left("validation_dataset"), ..FieldProps::default() }) }
        </>
    }
}

/// A choice that the list doesn't have (any more, or yet) is still shown as what it is.
fn with_chosen(mut choices: Vec<(AttrValue, AttrValue)>, chosen: &str) -> Vec<(AttrValue, AttrValue)> {
    if !choices.iter().any(|(value, _)| value.as_str() == chosen) {
        choices.push((chosen.to_owned().into(), chosen.to_owned().into()));
    }
    choices
}

/// The card that makes the example datasets and chooses them.
#[hook]
pub(super) fn use_example() -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let draft = use_draft();
    let busy = use_state(|| false);
    let onclick = {
        let busy = busy.clone();
        Callback::from(move |_: MouseEvent| {
            if *busy {
                return;
            }
            busy.set(true);
            let (store, toaster, draft, busy) =
                (store.clone(), toaster.clone(), draft.clone(), busy.setter());
            wasm_bindgen_futures::spawn_local(async move {
                let outcome = store.create_example().await;
                busy.set(false);
                match (outcome, draft) {
                    (Ok(list), Some(draft)) => {
                        let (training, validation) = roles(&list.datasets);
                        draft.dispatch(DraftAction::Set("training_dataset", training));
                        draft.dispatch(DraftAction::Set("validation_dataset", validation));
                        if let Some(toaster) = toaster {
                            toaster.good(text::example_ready());
                        }
                    }
                    (Err(error), _) => {
                        if let Some(toaster) = toaster {
                            toaster.bad(text::error_line(&error));
                        }
                    }
                    (Ok(_), None) => {}
                }
            });
        })
    };
    html! {
        <section class="card" aria-labelledby="example-title">
            <div class="card-head"><h2 id="example-title">{ text::example_title() }</h2></div>
            <div class="card-body stack-small">
                <p class="sub">{ text::example_hint() }</p>
                <div class="buttons">
                    <button type="button" class="button" disabled={*busy} {onclick}>{ text::use_example() }</button>
                    <Link to={Route::Datasets} class="button quiet">{ text::upload_link() }</Link>
                </div>
            </div>
        </section>
    }
}

/// Which of the example datasets is for training and which for validation: the larger one trains.
fn roles(datasets: &[Dataset]) -> (String, String) {
    let training = datasets
        .iter()
        .max_by_key(|dataset| dataset.bytes)
        .map(|dataset| &dataset.id);
    let validation = datasets
        .iter()
        .map(|dataset| &dataset.id)
        .find(|id| Some(*id) != training);
    let text = |id: Option<&DatasetId>| id.map(ToString::to_string).unwrap_or_default();
    (text(training), text(validation))
}
