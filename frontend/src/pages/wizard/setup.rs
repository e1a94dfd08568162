//! First step: name, base model and, where there are datasets, what to train and validate on.

use super::StepProps;
use crate::{
    components::{
        card::{padded_card, paragraph},
        field::{FieldProps, select_field, text_field},
        link::link,
        toast::use_toaster,
    },
    draft::{DraftAction, use_draft},
    kept::use_kept,
    part::plain_part,
    query::hooks::use_store,
    route::Route,
    text,
};
use shared::{
    dataset::{Dataset, DatasetStatus},
    id::DatasetId,
    model::BaseModel,
};
use yew::prelude::*;

type Choices = Vec<(String, String)>;

pub(super) fn setup(props: &StepProps) -> Html {
    let name = FieldProps {
        required: true,
        ..props.field("name", text::hint_name())
    };
    let model = FieldProps {
        required: true,
        choices: models(props),
        ..props.field("base_model", text::hint_base_model(props.capabilities.artifacts))
    };
    let datasets = if props.capabilities.datasets {
        dataset_fields(props)
    } else {
        Html::default()
    };
    html! {
        <div class="card form-body">
            { text_field(&name) }
            { select_field(&model) }
            <div class="dataset-fields" hidden={!props.capabilities.datasets}>{ datasets }</div>
        </div>
    }
}

fn models(props: &StepProps) -> Choices {
    let known = props.models.data.iter().flat_map(|list| list.models.iter());
    let can_train = |model: &&BaseModel| {
        let installed = model.installed.as_ref();
        installed.is_none_or(|installed| installed.obstacle.is_none())
    };
    let known = (known.filter(can_train)).map(|model| (model.id.clone(), model.display_name.clone()));
    choices(text::choose(), known, &props.draft.draft.base_model)
}

fn dataset_fields(props: &StepProps) -> Html {
    let known = || props.datasets.data.iter().flat_map(|list| list.datasets.iter());
    let ready = || known().filter(|dataset| dataset.status == DatasetStatus::Ready);
    let none_ready = props.datasets.data.is_some() && ready().next().is_none();
    let hint = if none_ready {
        text::no_ready_dataset()
    } else {
        text::hint_training()
    };
    let offered = || ready().map(|dataset| (dataset.id.to_string(), text::dataset_choice(dataset)));
    let draft = &props.draft.draft;
    let training = FieldProps {
        required: true,
        choices: choices(text::choose(), offered(), &draft.training_dataset),
        ..props.field("training_dataset", hint)
    };
    let validation = FieldProps {
        choices: choices(text::no_validation(), offered(), &draft.validation_dataset),
        ..props.field("validation_dataset", text::hint_validation())
    };
    html! { <>{ select_field(&training) }{ select_field(&validation) }</> }
}

/// What a select offers. A choice that isn't offered (any more, or yet) is still shown as what it is.
fn choices(first: &str, offered: impl Iterator<Item = (String, String)>, chosen: &str) -> Choices {
    let mut choices = vec![(String::new(), first.to_owned())];
    choices.extend(offered);
    if !choices.iter().any(|(value, _)| value == chosen) {
        choices.push((chosen.to_owned(), chosen.to_owned()));
    }
    choices
}

/// Beside the fields: the example, where there are datasets.
pub(super) fn aside(has_datasets: bool) -> Html {
    if has_datasets {
        plain_part(use_example_card)
    } else {
        Html::default()
    }
}

#[hook]
fn use_example_card() -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let draft = use_draft();
    let busy = use_kept(|| false);
    let onclick = {
        let busy = busy.setter();
        Callback::from(move |_: MouseEvent| {
            busy.set(true);
            let (store, toaster, draft, busy) = (store.clone(), toaster.clone(), draft.clone(), busy.clone());
            wasm_bindgen_futures::spawn_local(async move {
                let outcome = store.create_example().await;
                busy.set(false);
                if let (Ok(list), Some(draft)) = (&outcome, draft) {
                    let (training, validation) = roles(&list.datasets);
                    draft.dispatch(DraftAction::Set("training_dataset", training));
                    draft.dispatch(DraftAction::Set("validation_dataset", validation));
                }
                toaster.tell(outcome.map(|_| text::example_ready().to_owned()));
            });
        })
    };
    let body = html! {
        <>
            { paragraph("sub", text::example_hint()) }
            <div class="buttons">
                <button type="button" class="button" disabled={*busy} {onclick}>{ text::use_example() }</button>
                { link(&Route::Datasets, "button quiet", text::upload_link()) }
            </div>
        </>
    };
    padded_card(text::example_title(), Html::default(), body)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_that_is_gone_is_still_shown() {
        let offered = || [("a".to_owned(), "A".to_owned())].into_iter();
        assert_eq!(choices("Choose…", offered(), "a").len(), 2);
        let kept = choices("Choose…", offered(), "gone");
        assert_eq!(kept.last(), Some(&("gone".to_owned(), "gone".to_owned())));
    }

    #[test]
    fn the_larger_example_trains() {
        let dataset = |id: &str, bytes: u64| {
            let json = format!(
                r#"{{"id":"{id}","name":"n","filename":"f","bytes":{bytes},"status":"ready","created_at":"2026-11-21T12:00:00Z"}}"#
            );
            serde_json::from_str::<Dataset>(&json).expect("this is a dataset")
        };
        assert_eq!(
            roles(&[dataset("v", 3), dataset("t", 9)]),
            ("t".to_owned(), "v".to_owned())
        );
        assert_eq!(roles(&[]), (String::new(), String::new()));
    }
}
