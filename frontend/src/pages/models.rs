//! Base models to start from, and the adapters that training made.

use crate::{
    api, browser,
    components::{
        face::{empty_view, face, skeleton_lines},
        icon::{Icon, icon},
        link::Link,
        page_header::PageHeader,
        relative_time::relative_time,
        toast::use_toaster,
    },
    draft::{DraftAction, use_draft},
    query::{
        Poll,
        hooks::{use_now, use_optional_query, use_store},
        use_query,
    },
    route::{Route, Section},
    text::{self, format},
};
use shared::{
    id::ArtifactId,
    model::{Artifact, ArtifactList, BaseModel, ModelList},
};
use yew::prelude::*;
use yew_router::prelude::*;

/// Base models to start from, and the adapters that training made.
#[hook]
pub fn use_models_page() -> Html {
    let now = use_now(30_000);
    let capabilities = use_query(api::capabilities::capabilities(), Poll::Never);
    let has_artifacts = capabilities
        .data
        .as_ref()
        .is_some_and(|capabilities| capabilities.artifacts);
    let models = use_query(api::models::list(), Poll::Never);
    let artifacts = use_optional_query(has_artifacts.then(api::artifacts::list), Poll::Every(10_000));
    let choose = use_choice();
    let download = use_download();
    html! {
        <div class="page">
            <PageHeader title={text::section_label(Section::Models)} />
            <div class="stack">
                <section class="card" aria-label={text::tuned_models()} hidden={!has_artifacts}>
                    <div class="card-head"><h2>{ text::tuned_models() }</h2></div>
                    { face(&artifacts, || skeleton_lines(3), no_artifacts, |list| tuned(list, now, &download)) }
                </section>
                <section class="card" aria-label={text::base_models()}>
                    <div class="card-head"><h2>{ text::base_models() }</h2><span class="dim wide">{ text::base_models_sub() }</span></div>
                    { face(&models, || skeleton_lines(3), no_models, |list| base(list, &choose)) }
                </section>
            </div>
        </div>
    }
}

/// Puts a base model into the draft and opens the wizard.
#[hook]
fn use_choice() -> Callback<String> {
    let draft = use_draft();
    let navigator = use_navigator();
    Callback::from(move |id: String| {
        if let (Some(draft), Some(navigator)) = (&draft, &navigator) {
            draft.dispatch(DraftAction::Set("base_model", id));
            navigator.push(&Route::Setup);
        }
    })
}

/// Asks for a link that works once and follows it.
#[hook]
fn use_download() -> Callback<ArtifactId> {
    let store = use_store();
    let toaster = use_toaster();
    Callback::from(move |id: ArtifactId| {
        let (store, toaster) = (store.clone(), toaster.clone());
        wasm_bindgen_futures::spawn_local(async move {
            match (store.download_link(&id).await, toaster) {
                (Ok(address), _) => browser::go_to(&address),
                (Err(error), Some(toaster)) => toaster.bad(text::error_line(&error)),
                (Err(_), None) => {}
            }
        });
    })
}

fn no_models(list: &ModelList) -> Option<Html> {
    list.models
        .is_empty()
        .then(|| empty_view(text::no_models_title(), text::no_models_body(), Html::default()))
}

fn no_artifacts(list: &ArtifactList) -> Option<Html> {
    list.artifacts.is_empty().then(|| {
        let action = html! { <Link to={Route::NewJob} class="button">{ text::new_job() }</Link> };
        empty_view(text::no_artifacts_title(), text::no_artifacts_body(), action)
    })
}

fn base(list: &ModelList, choose: &Callback<String>) -> Html {
    html! {
        <table>
            <thead><tr>
                <th scope="col">{ text::name() }</th>
                <th scope="col" class="wide">{ text::architecture() }</th>
                <th scope="col" class="number">{ text::parameters() }</th>
                <th scope="col" class="number wide">{ text::context() }</th>
                <th scope="col" class="cell-action"><span class="visually-hidden">{ text::actions() }</span></th>
            </tr></thead>
            <tbody>{ for list.models.iter().map(|model| base_row(model, choose)) }</tbody>
        </table>
    }
}

fn base_row(model: &BaseModel, choose: &Callback<String>) -> Html {
    let or_none = |value: Option<String>| value.unwrap_or_else(|| text::none().to_owned());
    let onclick = choose.reform({
        let id = model.id.clone();
        move |_: MouseEvent| id.clone()
    });
    html! {
        <tr key={model.id.clone()}>
            <td><b class="model-title">{ model.display_name.clone() }</b><div class="dim mono">{ model.id.clone() }</div></td>
            <td class="sub wide">{ or_none(model.architecture.clone()) }</td>
            <td class="number">{ or_none(model.parameters.map(format::large)) }</td>
            <td class="number wide">{ or_none(model.context_length.map(|length| text::tokens(length.into()))) }</td>
            <td class="cell-action"><button type="button" class="button small" aria-label={text::fine_tune_named(&model.display_name)} {onclick}>{ text::use_model() }</button></td>
        </tr>
    }
}

fn tuned(list: &ArtifactList, now: i64, download: &Callback<ArtifactId>) -> Html {
    html! {
        <table>
            <thead><tr>
                <th scope="col">{ text::name() }</th>
                <th scope="col" class="wide">{ text::base_model() }</th>
                <th scope="col" class="number wide">{ text::size() }</th>
                <th scope="col" class="number wide">{ text::created() }</th>
                <th scope="col" class="cell-action"><span class="visually-hidden">{ text::actions() }</span></th>
            </tr></thead>
            <tbody>{ for list.artifacts.iter().map(|artifact| tuned_row(artifact, now, download)) }</tbody>
        </table>
    }
}

fn tuned_row(artifact: &Artifact, now: i64, download: &Callback<ArtifactId>) -> Html {
    let onclick = download.reform({
        let id = artifact.id.clone();
        move |_: MouseEvent| id.clone()
    });
    html! {
        <tr key={artifact.id.to_string()}>
            <td>
                <Link to={Route::Job { id: artifact.job_id.to_string() }} class="row-link">{ artifact.name.clone() }</Link>
                <div class="dim mono model-name">{ artifact.fine_tuned_model.clone() }</div>
            </td>
            <td class="sub wide">{ artifact.base_model.clone() }</td>
            <td class="number wide">{ format::bytes(artifact.bytes) }</td>
            <td class="number dim wide">{ relative_time(now, artifact.created_at) }</td>
            <td class="cell-action">
                <button type="button" class="icon-button" aria-label={text::download_named(&artifact.name)} title={text::download_adapter()} {onclick}>{ icon(Icon::Download) }</button>
            </td>
        </tr>
    }
}
