//! Base models to start from, and the adapters that training made.

use crate::{
    api,
    components::{
        button::{button, icon_button},
        card::{card, words},
        face::{empty_view, face, skeleton_lines},
        icon::Icon,
        link::link,
        page_header::PageHeader,
        relative_time::relative_time,
        table::{ACTIONS, cell, table, text_cell},
        toast::use_toaster,
    },
    draft::{DraftAction, use_draft},
    pages::job::follow_download,
    query::{
        Poll,
        hooks::{use_now, use_optional_query, use_store},
        use_query,
    },
    route::{Route, Section},
    text::{self, format},
};
use shared::{
    capabilities::UpstreamKind,
    id::ArtifactId,
    model::{Artifact, ArtifactList, BaseModel, ModelList},
};
use yew::prelude::*;

/// Base models to start from, and the adapters that training made.
#[hook]
pub fn use_models_page() -> Html {
    let now = use_now(30_000);
    let store = use_store();
    let toaster = use_toaster();
    let draft = use_draft();
    let capabilities = use_query(api::capabilities::capabilities(), Poll::Never).data;
    let has_artifacts = (capabilities.as_ref()).is_some_and(|capabilities| capabilities.artifacts);
    let upstream = capabilities.map(|capabilities| capabilities.upstream);
    let models = use_query(api::models::list(), Poll::Never);
    let artifacts = use_optional_query(has_artifacts.then(api::artifacts::list), Poll::Every(10_000));
    let choose = Callback::from(move |id: String| {
        if let Some(draft) = &draft {
            draft.dispatch(DraftAction::Set("base_model", id));
            Route::Setup.go();
        }
    });
    let download = Callback::from(move |id| follow_download(&store, &toaster, id));
    let tuned = face(
        &artifacts,
        || skeleton_lines(3),
        no_artifacts,
        |list| tuned(list, now, &download),
    );
    let base = face(
        &models,
        || skeleton_lines(3),
        |list| no_models(list, upstream),
        |list| base(list, &choose),
    );
    html! {
        <div class="page">
            <PageHeader title={text::section_label(Section::Models)} />
            <div class="stack">
                <div hidden={!has_artifacts}>{ card(text::tuned_models(), Html::default(), tuned) }</div>
                { card(text::base_models(), html! { <span class="dim wide">{ text::base_models_sub() }</span> }, base) }
            </div>
        </div>
    }
}

fn no_models(list: &ModelList, upstream: Option<UpstreamKind>) -> Option<Html> {
    let body = text::no_models_body(upstream);
    let empty = || empty_view(text::no_models_title(), body, Html::default());
    list.models.is_empty().then(empty)
}

fn no_artifacts(list: &ArtifactList) -> Option<Html> {
    list.artifacts.is_empty().then(|| {
        let action = link(&Route::Setup, "button", text::new_job());
        empty_view(text::no_artifacts_title(), text::no_artifacts_body(), action)
    })
}

fn base(list: &ModelList, choose: &Callback<String>) -> Html {
    let columns = [
        (text::name(), ""),
        (text::architecture(), "wide"),
        (text::parameters(), "number"),
        (text::context(), "number wide"),
        (text::actions(), ACTIONS),
    ];
    table(
        "",
        &columns,
        list.models.iter().map(|model| base_row(model, choose)).collect(),
    )
}

fn base_row(model: &BaseModel, choose: &Callback<String>) -> Html {
    let or_none = |value: Option<String>| value.unwrap_or_else(|| text::none().to_owned());
    let id = model.id.clone();
    let use_it = button(
        "button small",
        text::use_model(),
        choose.reform(move |_| id.clone()),
    );
    html! {
        <tr key={model.id.as_str()}>
            <td><b class="model-title">{ model.display_name.as_str() }</b><div class="dim mono">{ model.id.as_str() }</div></td>
            { text_cell("sub wide", or_none(model.architecture.clone())) }
            { text_cell("number", or_none(model.parameters.map(format::large))) }
            { text_cell("number wide", or_none(model.context_length.map(|length| text::tokens(length.into())))) }
            { cell(ACTIONS, use_it) }
        </tr>
    }
}

fn tuned(list: &ArtifactList, now: i64, download: &Callback<ArtifactId>) -> Html {
    let columns = [
        (text::name(), ""),
        (text::base_model(), "wide"),
        (text::size(), "number wide"),
        (text::created(), "number wide"),
        (text::actions(), ACTIONS),
    ];
    table(
        "",
        &columns,
        list.artifacts
            .iter()
            .map(|artifact| tuned_row(artifact, now, download))
            .collect(),
    )
}

fn tuned_row(artifact: &Artifact, now: i64, download: &Callback<ArtifactId>) -> Html {
    let id = artifact.id.clone();
    let get = icon_button(
        true,
        text::download_named(&artifact.name),
        Icon::Download,
        download.reform(move |_| id.clone()),
    );
    html! {
        <tr key={artifact.id.as_str()}>
            <td>
                { link(&Route::Job(artifact.job_id.to_string()), "row-link", artifact.name.clone()) }
                <div class="dim mono model-name">{ words(artifact.fine_tuned_model.clone()) }</div>
            </td>
            { text_cell("sub wide", artifact.base_model.clone()) }
            { text_cell("number wide", format::bytes(artifact.bytes)) }
            { cell("number dim wide", relative_time(now, artifact.created_at)) }
            { cell(ACTIONS, get) }
        </tr>
    }
}
