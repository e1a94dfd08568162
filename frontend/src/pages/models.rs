//! Base models to start from, those that could be had, and the adapters that training made.

mod adding;
mod remove;

use crate::{
    api,
    components::{
        button::{button_if, icon_button},
        card::{card, paragraph, words},
        face::{empty_view, face, skeleton_lines},
        icon::Icon,
        link::link,
        page_header::PageHeader,
        relative_time::relative_time,
        remove_dialog::{RemoveDialogProps, use_remove_dialog},
        table::{ACTIONS, cell, table, text_cell},
        toast::use_toaster,
    },
    draft::{DraftAction, use_draft},
    kept::use_kept,
    pages::job::follow_download,
    part::part,
    query::{
        Poll,
        hooks::{use_now, use_optional_query, use_store},
        use_query,
    },
    route::{Route, Section},
    text::{self, format},
};
use adding::{AddProps, use_additions, use_get_model};
use shared::{
    capabilities::UpstreamKind,
    id::ArtifactId,
    model::{AdditionStage, Artifact, ArtifactList, BaseModel, ModelList},
};
use std::rc::Rc;
use yew::prelude::*;

/// While a model is on its way.
const ADDING_MS: u32 = 1_000;
/// Another tab, or the command line, may add one.
const IDLE_MS: u32 = 15_000;

/// Base models to start from, those that could be had, and the adapters that training made.
#[hook]
pub fn use_models_page() -> Html {
    let now = use_now(30_000);
    let store = use_store();
    let toaster = use_toaster();
    let draft = use_draft();
    let capabilities = use_query(api::capabilities::capabilities(), Poll::Never).data;
    let has_artifacts = (capabilities.as_ref()).is_some_and(|capabilities| capabilities.artifacts);
    let can_add = (capabilities.as_ref()).is_some_and(|capabilities| capabilities.add_models);
    let upstream = capabilities.map(|capabilities| capabilities.upstream);
    let known = store.read(&api::models::list());
    let models = use_query(api::models::list(), Poll::Every(poll_ms(known.as_deref())));
    let leaving = use_kept(|| None::<Rc<BaseModel>>);
    let ask = {
        let leaving = leaving.setter();
        Callback::from(move |model| leaving.set(Some(model)))
    };
    let on_close = {
        let leaving = leaving.setter();
        Callback::from(move |()| leaving.set(None))
    };
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
        |list| base(list, &choose, &ask),
    );
    let adding = AddProps {
        list: models.data.clone().filter(|_| can_add),
    };
    html! {
        <div class="page">
            <PageHeader title={text::section_label(Section::Models)} />
            <div class="stack">
                <div hidden={!has_artifacts}>{ card(text::tuned_models(), Html::default(), tuned) }</div>
                <div>{ part(use_additions, adding.clone()) }</div>
                { card(text::base_models(), html! { <span class="dim wide">{ text::base_models_sub() }</span> }, base) }
                <div>{ part(use_get_model, adding) }</div>
            </div>
            { part(use_remove_dialog, RemoveDialogProps { leaving: leaving.as_ref().map(remove::leaving), on_close, on_gone: Callback::noop() }) }
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

/// Often while something is on its way.
fn poll_ms(list: Option<&ModelList>) -> u32 {
    let under_way = |list: &ModelList| {
        let mut additions = list.additions.iter();
        additions.any(|addition| addition.stage != AdditionStage::Failed)
    };
    if list.is_some_and(under_way) {
        ADDING_MS
    } else {
        IDLE_MS
    }
}

fn base(list: &ModelList, choose: &Callback<String>, ask: &Callback<Rc<BaseModel>>) -> Html {
    // A hosted API tells little of its models: what it tells of none has no column.
    let wide = |told: fn(&BaseModel) -> bool, class| {
        if list.models.iter().any(told) {
            class
        } else {
            "absent"
        }
    };
    let is_here = |model: &BaseModel| model.installed.is_some();
    let classes = [
        wide(|model| model.architecture.is_some(), "dim wide"),
        wide(|model| model.parameters.is_some(), "number wide"),
        wide(is_here, "number dim wide"),
        wide(is_here, "number dim wide"),
        wide(is_here, "dim wide"),
    ];
    let columns = [
        (text::name(), ""),
        (text::architecture(), classes[0]),
        (text::parameters(), classes[1]),
        (text::on_disk(), classes[2]),
        (text::to_train(), classes[3]),
        (text::licence(), classes[4]),
        (text::actions(), ACTIONS),
    ];
    let rows = list
        .models
        .iter()
        .map(|model| base_row(model, classes, choose, ask));
    let told = list.models.iter().any(is_here);
    html! {
        <>
            { table("", &columns, rows.collect()) }
            <div hidden={!told}>{ paragraph("card-body dim wide", text::to_train_hint()) }</div>
        </>
    }
}

fn base_row(
    model: &BaseModel,
    classes: [&'static str; 5],
    choose: &Callback<String>,
    ask: &Callback<Rc<BaseModel>>,
) -> Html {
    let or_none = |value: Option<String>| value.unwrap_or_else(|| text::none().to_owned());
    let installed = model.installed.as_ref();
    let obstacle = installed.and_then(|installed| installed.obstacle);
    let id = model.id.clone();
    let use_it = button_if(
        obstacle.is_none(),
        "button small",
        text::use_model(),
        choose.reform(move |_| id.clone()),
    );
    let leaving = Rc::new(model.clone());
    let remove = icon_button(
        installed.is_some_and(|installed| installed.removable),
        text::remove_named(&model.display_name),
        Icon::Trash,
        ask.reform(move |_| Rc::clone(&leaving)),
    );
    html! {
        <tr key={model.id.as_str()}>
            <td>
                <b class="model-title">{ model.display_name.as_str() }</b>
                <div class="dim mono" hidden={model.id == model.display_name}>{ model.id.as_str() }</div>
                <div class="model-obstacle" hidden={obstacle.is_none()}>{ obstacle.map(text::obstacle).unwrap_or_default() }</div>
            </td>
            { text_cell(classes[0], or_none(model.architecture.clone())) }
            { text_cell(classes[1], or_none(model.parameters.map(format::large))) }
            { text_cell(classes[2], or_none(installed.map(|installed| format::bytes(installed.bytes)))) }
            { text_cell(classes[3], or_none(installed.and_then(|installed| installed.training_memory_bytes).map(format::bytes))) }
            { text_cell(classes[4], or_none(installed.and_then(|installed| installed.licence.clone()))) }
            { cell(ACTIONS, html! { <>{ use_it }{ remove }</> }) }
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
