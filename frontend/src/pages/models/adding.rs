//! Models on their way, and those that could be had.

use crate::{
    browser,
    components::{
        button::button_if,
        button::icon_button,
        card::{card, words},
        field::{FieldProps, control_id, text_field},
        icon::Icon,
        meter::meter,
        table::{ACTIONS, cell, table, text_cell},
        toast::use_toaster,
    },
    kept::use_kept,
    query::hooks::use_store,
    text::{self, format},
};
use shared::model::{AdditionStage, CatalogueEntry, ModelAddition, ModelList};
use std::rc::Rc;
use yew::prelude::*;

const REPOSITORY: &str = "repository";

#[derive(PartialEq, Clone)]
pub(super) struct AddProps {
    /// What is there; nothing where none can be added.
    pub(super) list: Option<Rc<ModelList>>,
}

/// Fetches a model, and tells where that can't even begin.
#[hook]
fn use_add() -> Callback<String> {
    let store = use_store();
    let toaster = use_toaster();
    Callback::from(move |source: String| {
        let (store, toaster) = (store.clone(), toaster.clone());
        wasm_bindgen_futures::spawn_local(async move {
            if let Err(error) = store.add_model(&source).await {
                toaster.tell(Err(error));
            }
        });
    })
}

/// The models on their way.
#[hook]
pub(super) fn use_additions(props: Rc<AddProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let add = use_add();
    let give_up = Callback::from(move |id: String| {
        let (store, toaster) = (store.clone(), toaster.clone());
        wasm_bindgen_futures::spawn_local(async move {
            if let Err(error) = store.remove_model(&id).await {
                toaster.tell(Err(error));
            }
        });
    });
    let additions = props.list.iter().flat_map(|list| list.additions.iter());
    let rows: Vec<Html> = additions.map(|addition| row(addition, &add, &give_up)).collect();
    if rows.is_empty() {
        return Html::default();
    }
    card(
        text::being_added(),
        Html::default(),
        html! { <ul class="additions">{ for rows }</ul> },
    )
}

fn row(addition: &ModelAddition, add: &Callback<String>, give_up: &Callback<String>) -> Html {
    let failed = addition.stage == AdditionStage::Failed;
    let total = addition.bytes_total.unwrap_or(0).max(1);
    let share = addition.bytes_done as f64 / total as f64;
    let (source, id) = (addition.source.clone(), addition.id.clone());
    let again = add.reform(move |_: MouseEvent| source.clone());
    let give_up = give_up.reform(move |_: MouseEvent| id.clone());
    html! {
        <li key={addition.id.as_str()}>
            <div class="addition-words">
                <b class="model-title">{ addition.id.as_str() }</b>
                <div class={if failed { "model-obstacle" } else { "dim" }} role={failed.then_some("alert")}>{ text::addition_progress(addition) }</div>
                <div hidden={failed}>{ meter(text::progress_of(&addition.id), share) }</div>
            </div>
            { button_if(failed, "button small", text::try_again(), again) }
            { button_if(true, "button small quiet", if failed { text::dismiss() } else { text::stop_adding() }, give_up) }
        </li>
    }
}

/// The models that could be had, and a field for any other.
#[hook]
pub(super) fn use_get_model(props: Rc<AddProps>) -> Html {
    let add = use_add();
    let typed = use_kept(String::new);
    let faulty = use_kept(|| false);
    let Some(list) = &props.list else {
        return Html::default();
    };
    let onsubmit = {
        let (add, typed, faulty) = (add.clone(), typed.clone(), faulty.setter());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let repository = typed.trim().trim_start_matches("hf:");
            let named = repository.split('/').filter(|part| !part.is_empty()).count() == 2;
            faulty.set(!named);
            if named {
                add.emit(format!("hf:{repository}"));
                typed.set(String::new());
            } else {
                browser::focus_id(&control_id(REPOSITORY));
            }
        })
    };
    let field = FieldProps {
        field: REPOSITORY,
        label: text::repository(),
        hint: text::hint_repository(),
        error: faulty.then(|| text::bad_repository().to_owned()),
        value: (*typed).clone(),
        on_change: {
            let typed = typed.setter();
            Callback::from(move |value| typed.set(value))
        },
        ..FieldProps::default()
    };
    let columns = [
        (text::name(), ""),
        (text::parameters(), "number"),
        (text::to_fetch(), "number wide"),
        (text::licence(), "wide"),
        (text::actions(), ACTIONS),
    ];
    let rows = list.catalogue.iter().map(|entry| entry_row(entry, &add));
    let body = html! {
        <>
            <div hidden={list.catalogue.is_empty()}>{ table("", &columns, rows.collect()) }</div>
            <form class="card-body get-model" novalidate=true {onsubmit}>
                { text_field(&field) }
                <button type="submit" class="button">{ text::fetch_model() }</button>
            </form>
        </>
    };
    card(
        text::get_models(),
        html! { <span class="dim wide">{ words(text::get_models_sub()) }</span> },
        body,
    )
}

fn entry_row(entry: &CatalogueEntry, add: &Callback<String>) -> Html {
    let source = entry.source.clone();
    let get = icon_button(
        true,
        text::fetch_named(&entry.display_name),
        Icon::Download,
        add.reform(move |_| source.clone()),
    );
    html! {
        <tr key={entry.id.as_str()}>
            <td><b class="model-title">{ entry.display_name.as_str() }</b><div class="dim mono">{ entry.id.as_str() }</div></td>
            { text_cell("number", format::large(entry.parameters)) }
            { text_cell("number dim wide", format::bytes(entry.bytes)) }
            { text_cell("dim wide", entry.licence.clone()) }
            { cell(ACTIONS, get) }
        </tr>
    }
}
