//! The datasets: upload by button or by dropping a file, their status, and the way to each.

mod delete;
mod upload;

use crate::{
    api,
    components::{
        button::icon_button,
        card::words,
        face::{empty_view, face, skeleton_lines},
        icon::Icon,
        link::link,
        page_header::PageHeader,
        relative_time::relative_time,
        remove_dialog::{RemoveDialogProps, use_remove_dialog},
        status_pill::dataset_pill,
        table::{ACTIONS, cell, table, text_cell},
        toast::use_toaster,
    },
    kept::use_kept,
    part::part,
    query::{
        Poll,
        hooks::{use_now, use_store},
        use_query,
    },
    route::{Route, Section},
    text::{self, format},
};
pub(crate) use delete::leaving as leaving_dataset;
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
    let is_read = |dataset: &Dataset| dataset.status == DatasetStatus::Validating;
    let working = known.is_some_and(|list| list.datasets.iter().any(is_read));
    let list = use_query(
        api::datasets::list(),
        Poll::Every(if working { WORKING_MS } else { IDLE_MS }),
    );
    let capabilities = use_query(api::capabilities::capabilities(), Poll::Never).data;
    let limit = capabilities.and_then(|capabilities| capabilities.max_dataset_bytes);
    let leaving = use_kept(|| None::<Rc<Dataset>>);
    let (make_example, making) = use_example();
    let ask = {
        let leaving = leaving.setter();
        Callback::from(move |dataset| leaving.set(Some(dataset)))
    };
    let on_close = {
        let leaving = leaving.setter();
        Callback::from(move |()| leaving.set(None))
    };
    let example = |class: &'static str| {
        let onclick = make_example.clone();
        html! { <button type="button" {class} disabled={making} {onclick}>{ text::use_example() }</button> }
    };
    let empty = |list: &DatasetList| {
        let view = || {
            empty_view(
                text::no_datasets_title(),
                text::no_datasets_body(),
                example("button primary"),
            )
        };
        list.datasets.is_empty().then(view)
    };
    let has_some = list.data.as_ref().is_some_and(|list| !list.datasets.is_empty());
    html! {
        <div class="page">
            <PageHeader title={text::section_label(Section::Datasets)} sub={words(text::datasets_sub())}>
                <div>{ if has_some { example("button") } else { Html::default() } }</div>
            </PageHeader>
            <div class="stack">
                { part(use_upload_card, UploadProps { limit }) }
                <section class="card" aria-label={text::section_label(Section::Datasets)}>
                    { face(&list, || skeleton_lines(4), empty, |list| list_table(list, now, &ask)) }
                </section>
            </div>
            { part(use_remove_dialog, RemoveDialogProps { leaving: leaving.as_ref().map(leaving_dataset), on_close, on_gone: Callback::noop() }) }
        </div>
    }
}

/// Makes the example datasets; true while they are being made.
#[hook]
fn use_example() -> (Callback<MouseEvent>, bool) {
    let store = use_store();
    let toaster = use_toaster();
    let busy = use_kept(|| false);
    let making = *busy;
    let make = Callback::from(move |_: MouseEvent| {
        busy.set(true);
        let (store, toaster, busy) = (store.clone(), toaster.clone(), busy.setter());
        wasm_bindgen_futures::spawn_local(async move {
            let outcome = store.create_example().await;
            busy.set(false);
            toaster.tell(outcome.map(|_| text::example_ready().to_owned()));
        });
    });
    (make, making)
}

fn list_table(list: &DatasetList, now: i64, ask: &Callback<Rc<Dataset>>) -> Html {
    let columns = [
        (text::name(), ""),
        (text::status(), ""),
        (text::examples(), "number wide"),
        (text::size(), "number wide"),
        (text::used_by(), "number wide"),
        (text::created(), "number wide"),
        (text::actions(), ACTIONS),
    ];
    table(
        "job-table",
        &columns,
        list.datasets
            .iter()
            .map(|dataset| row(dataset, now, ask))
            .collect(),
    )
}

fn row(dataset: &Dataset, now: i64, ask: &Callback<Rc<Dataset>>) -> Html {
    let examples = dataset
        .examples
        .map_or_else(|| text::none().to_owned(), format::count);
    let onclick = {
        let dataset = Rc::new(dataset.clone());
        ask.reform(move |_: MouseEvent| Rc::clone(&dataset))
    };
    html! {
        <tr key={dataset.id.as_str()}>
            <td>
                { link(&Route::Dataset(dataset.id.to_string()), "row-link", dataset.name.clone()) }
                <div class="narrow-only dim">{ text::dataset_line(dataset) }</div>
            </td>
            { cell("", dataset_pill(dataset.status)) }
            { text_cell("number wide", examples) }
            { text_cell("number dim wide", format::bytes(dataset.bytes)) }
            { text_cell("number dim wide", text::used_by_jobs(dataset.used_by)) }
            { cell("number dim wide", relative_time(now, dataset.created_at)) }
            { cell(ACTIONS, icon_button(true, text::delete_named(&dataset.name), Icon::Trash, onclick)) }
        </tr>
    }
}
