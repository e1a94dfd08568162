//! The datasets: upload by button or by dropping a file, their status, and the way to each.

mod upload;

use crate::{
    api,
    components::{
        confirm_dialog::{ConfirmDialogProps, use_confirm_dialog},
        face::{empty_view, face, skeleton_lines},
        icon::{Icon, icon},
        link::Link,
        page_header::PageHeader,
        relative_time::relative_time,
        status_pill::dataset_pill,
        toast::use_toaster,
    },
    part::part,
    query::{
        Poll,
        hooks::{use_now, use_store},
        use_query,
    },
    route::{Route, Section},
    text::{self, format},
};
use shared::dataset::{Dataset, DatasetList, DatasetStatus};
use std::rc::Rc;
use upload::{UploadProps, use_upload_card};
use yew::prelude::*;

const WORKING_MS: u32 = 1_500;
const IDLE_MS: u32 = 10_000;

/// The datasets.
#[hook]
pub fn use_datasets_page() -> Html {
    let now = use_now(30_000);
    let store = use_store();
    let known = store.read(&api::datasets::list());
    let working = known.is_some_and(|list| {
        list.datasets
            .iter()
            .any(|dataset| dataset.status == DatasetStatus::Validating)
    });
    let list = use_query(
        api::datasets::list(),
        Poll::Every(if working { WORKING_MS } else { IDLE_MS }),
    );
    let capabilities = use_query(api::capabilities::capabilities(), Poll::Never);
    let limit = capabilities
        .data
        .as_ref()
        .and_then(|capabilities| capabilities.max_dataset_bytes);
    let leaving = use_state(|| None::<Rc<Dataset>>);
    let (example, making) = use_example();
    let ask = {
        let leaving = leaving.clone();
        Callback::from(move |dataset| leaving.set(Some(dataset)))
    };
    let example_button = |class: &'static str| {
        html! { <button type="button" class={classes!("button", class)} disabled={making} onclick={example.reform(|_: MouseEvent| ())}>{ text::use_example() }</button> }
    };
    let empty = |list: &DatasetList| {
        list.datasets.is_empty().then(|| {
            empty_view(
                text::no_datasets_title(),
                text::no_datasets_body(),
                example_button("primary"),
            )
        })
    };
    let has_some = list.data.as_ref().is_some_and(|list| !list.datasets.is_empty());
    html! {
        <div class="page">
            <PageHeader title={text::section_label(Section::Datasets)} sub={html! { text::datasets_sub() }}>
                <div hidden={!has_some}>{ if has_some { example_button("plain") } else { Html::default() } }</div>
            </PageHeader>
            <div class="stack">
                { part(use_upload_card, UploadProps { limit }) }
                <section class="card" aria-label={text::section_label(Section::Datasets)}>
                    { face(&list, || skeleton_lines(4), empty, |list| table(list, now, &ask)) }
                </section>
            </div>
            { part(use_delete_dataset, DeleteDatasetProps { dataset: (*leaving).clone(), on_done: Callback::from(move |_: bool| leaving.set(None)) }) }
        </div>
    }
}

/// Makes the example datasets; true while they are being made.
#[hook]
fn use_example() -> (Callback<()>, bool) {
    let store = use_store();
    let toaster = use_toaster();
    let busy = use_state(|| false);
    let making = *busy;
    let make = Callback::from(move |()| {
        busy.set(true);
        let (store, toaster, busy) = (store.clone(), toaster.clone(), busy.setter());
        wasm_bindgen_futures::spawn_local(async move {
            let outcome = store.create_example().await;
            busy.set(false);
            let Some(toaster) = toaster else { return };
            match outcome {
                Ok(_) => toaster.good(text::example_ready()),
                Err(error) => toaster.bad(text::error_line(&error)),
            }
        });
    });
    (make, making)
}

fn table(list: &DatasetList, now: i64, ask: &Callback<Rc<Dataset>>) -> Html {
    html! {
        <table class="job-table">
            <thead><tr>
                <th scope="col">{ text::name() }</th>
                <th scope="col">{ text::status() }</th>
                <th scope="col" class="number wide">{ text::examples() }</th>
                <th scope="col" class="number wide">{ text::size() }</th>
                <th scope="col" class="number wide">{ text::used_by() }</th>
                <th scope="col" class="number wide">{ text::created() }</th>
                <th scope="col" class="cell-action"><span class="visually-hidden">{ text::actions() }</span></th>
            </tr></thead>
            <tbody>{ for list.datasets.iter().map(|dataset| row(dataset, now, ask)) }</tbody>
        </table>
    }
}

fn row(dataset: &Dataset, now: i64, ask: &Callback<Rc<Dataset>>) -> Html {
    let examples = dataset
        .examples
        .map_or_else(|| text::none().to_owned(), format::count);
    let onclick = ask.reform({
        let dataset = Rc::new(dataset.clone());
        move |_: MouseEvent| Rc::clone(&dataset)
    });
    html! {
        <tr key={dataset.id.to_string()}>
            <td>
                <Link to={Route::Dataset { id: dataset.id.to_string() }} class="row-link">{ dataset.name.clone() }</Link>
                <div class="narrow-only dim">{ format!("{examples} · {}", format::bytes(dataset.bytes)) }</div>
            </td>
            <td>{ dataset_pill(dataset.status) }</td>
            <td class="number wide">{ examples.clone() }</td>
            <td class="number dim wide">{ format::bytes(dataset.bytes) }</td>
            <td class="number dim wide">{ text::used_by_jobs(dataset.used_by) }</td>
            <td class="number dim wide">{ relative_time(now, dataset.created_at) }</td>
            <td class="cell-action">
                <button type="button" class="icon-button" aria-label={text::delete_named(&dataset.name)} title={text::delete()} {onclick}>{ icon(Icon::Trash) }</button>
            </td>
        </tr>
    }
}

/// What the dialog needs.
#[derive(PartialEq)]
pub struct DeleteDatasetProps {
    /// Which dataset is to go, if one is.
    pub dataset: Option<Rc<Dataset>>,
    /// The dialog was closed; true where the dataset is gone.
    pub on_done: Callback<bool>,
}

/// Asks before a dataset is deleted, deletes it, and explains where it stays.
#[hook]
pub fn use_delete_dataset(props: Rc<DeleteDatasetProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let name = props
        .dataset
        .as_ref()
        .map(|dataset| dataset.name.clone())
        .unwrap_or_default();
    let on_confirm = {
        let (dataset, on_done) = (props.dataset.clone(), props.on_done.clone());
        Callback::from(move |()| {
            let Some(dataset) = dataset.clone() else { return };
            let (store, toaster, on_done) = (store.clone(), toaster.clone(), on_done.clone());
            wasm_bindgen_futures::spawn_local(async move {
                let outcome = store.delete_dataset(&dataset.id).await;
                on_done.emit(outcome.is_ok());
                let Some(toaster) = toaster else { return };
                match outcome {
                    Ok(()) => toaster.good(text::deleted(&dataset.name)),
                    Err(error) if error.status() == Some(409) => toaster.bad(text::dataset_in_use()),
                    Err(error) => toaster.bad(text::error_line(&error)),
                }
            });
        })
    };
    html! {
        { part(use_confirm_dialog, ConfirmDialogProps { open: props.dataset.is_some(), title: text::delete_job_title(&name).into(), body: text::delete_dataset_body().into(), confirm: text::delete().into(), decline: text::cancel().into(), on_confirm, on_close: props.on_done.reform(|()| false) }) }
    }
}
