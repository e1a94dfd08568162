//! A job's checkpoints.

use super::actions::follow_checkpoint_download;
use crate::{
    api,
    components::{
        button::icon_button,
        card::{card, paragraph, words},
        face::{face, skeleton_lines},
        icon::Icon,
        link::Link,
        relative_time::relative_time,
        retry::retry,
        table::{ACTIONS, cell, table, text_cell},
        toast::use_toaster,
    },
    query::{
        Poll,
        hooks::{use_optional_query, use_store},
        use_query,
    },
    route::playground,
    text::{self, format},
};
use shared::{attempt::RetryJob, event::CheckpointList, id::JobId};
use std::rc::Rc;
use yew::prelude::*;

#[derive(Clone, PartialEq)]
pub(super) struct RecordProps {
    pub(super) id: JobId,
    pub(super) ended: bool,
    pub(super) can_retry: bool,
    pub(super) can_download: bool,
    pub(super) poll: Poll,
    pub(super) now: i64,
    /// The host where their weights lie, if that is elsewhere.
    pub(super) weights_at: Option<String>,
    /// Checkpoints can answer in the playground: beside which model, on which dataset's examples.
    pub(super) try_beside: Option<(String, Option<String>)>,
}

#[hook]
pub(super) fn use_checkpoints_section(props: Rc<RecordProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let list = use_query(api::jobs::checkpoints(&props.id), props.poll);
    let download = props.can_download.then(|| {
        let (store, toaster, id) = (store.clone(), toaster.clone(), props.id.clone());
        Callback::from(move |step: u64| follow_checkpoint_download(&store, &toaster, &id, step))
    });
    let from_here = props.can_retry.then(|| {
        let id = props.id.clone();
        Callback::from(move |step: u64| {
            let from = RetryJob {
                from_step: Some(step),
                ..RetryJob::default()
            };
            retry(&store, &toaster, &id, from);
        })
    });
    let answering = props.try_beside.as_ref().map(|_| api::chat::models());
    let answering = use_optional_query(answering, props.poll).data;
    let try_it = |step: u64| {
        let (base, dataset) = props.try_beside.as_ref()?;
        let models = answering
            .as_ref()
            .map(|list| list.models.as_slice())
            .unwrap_or_default();
        let model = models
            .iter()
            .find(|model| model.job_id.as_ref() == Some(&props.id) && model.step == Some(step))?;
        Some(playground(
            [base.as_str(), model.id.as_str()].into_iter(),
            dataset.as_deref(),
        ))
    };
    let empty = |list: &CheckpointList| {
        let words = if props.ended {
            text::no_checkpoints_ended()
        } else {
            text::no_checkpoints()
        };
        list.checkpoints
            .is_empty()
            .then(|| paragraph("card-body dim", words))
    };
    let body = face(
        &list,
        || skeleton_lines(2),
        empty,
        |list| checkpoints(list, &props, download.as_ref(), from_here.as_ref(), try_it),
    );
    card(text::checkpoints(), Html::default(), body)
}

fn checkpoints(
    list: &CheckpointList,
    props: &RecordProps,
    download: Option<&Callback<u64>>,
    from_here: Option<&Callback<u64>>,
    try_it: impl Fn(u64) -> Option<String>,
) -> Html {
    let now = props.now;
    let number = |value: Option<f64>| value.map_or_else(|| text::none().to_owned(), format::measure);
    let best = list
        .checkpoints
        .iter()
        .filter_map(|checkpoint| checkpoint.valid_loss)
        .fold(f64::INFINITY, f64::min);
    let rows = list.checkpoints.iter().map(|checkpoint| {
        let valid_class = if checkpoint.valid_loss == Some(best) {
            "number is-best"
        } else {
            "number"
        };
        html! {
            <tr key={checkpoint.step.to_string()}>
                { text_cell("mono checkpoint-name", text::checkpoint_name(checkpoint.step)) }
                { text_cell("number", number(checkpoint.train_loss)) }
                { text_cell(valid_class, number(checkpoint.valid_loss)) }
                { text_cell("number dim wide", checkpoint.bytes.map_or_else(|| text::none().to_owned(), format::bytes)) }
                { cell("number dim wide", relative_time(now, checkpoint.created_at)) }
                { cell(ACTIONS, html! {
                    <>
                        { try_link(try_it(checkpoint.step)) }
                        { button_of(checkpoint.step, text::download_checkpoint, Icon::Download, download) }
                        { button_of(checkpoint.step, text::retry_from, Icon::Repeat, from_here) }
                    </>
                }) }
            </tr>
        }
    });
    let columns = [
        (text::step(), ""),
        (text::train_loss(), "number"),
        (text::validation_loss(), "number"),
        (text::size(), "number wide"),
        (text::saved(), "number wide"),
        (text::actions(), ACTIONS),
    ];
    let bytes = list
        .checkpoints
        .iter()
        .map(|checkpoint| checkpoint.bytes)
        .sum::<Option<u64>>();
    let kept = match &props.weights_at {
        Some(host) => text::weights_elsewhere(host),
        None => text::retention(list.keep_last, bytes),
    };
    html! {
        <>
            { table("checkpoint-table", &columns, rows.collect()) }
            { change(list) }
            <p class="card-body dim retention" hidden={kept.is_empty()}>{ kept }</p>
        </>
    }
}

/// What became of each loss from the first checkpoint to the last, and to the best.
fn change(list: &CheckpointList) -> Html {
    let mut all: Vec<_> = list.checkpoints.iter().collect();
    all.sort_by_key(|checkpoint| checkpoint.step);
    let rows = [
        (
            text::train_loss(),
            all.iter()
                .filter_map(|one| Some((one.step, one.train_loss?)))
                .collect::<Vec<_>>(),
        ),
        (
            text::validation_loss(),
            all.iter()
                .filter_map(|one| Some((one.step, one.valid_loss?)))
                .collect(),
        ),
    ];
    let rows = rows.into_iter().filter_map(|(label, values)| {
        let (first, last) = (values.first()?, values.last()?);
        let best = values.iter().min_by(|one, other| one.1.total_cmp(&other.1))?;
        (last.0 > first.0).then(|| {
            let best = if best.0 == last.0 { String::new() } else { text::best_at(best.0, best.1) };
            html! { <p key={label}>{ text::changed_from_to(label, *first, *last) }<span class="is-best">{ best }</span></p> }
        })
    });
    let rows: Vec<Html> = rows.collect();
    html! { <div class="card-body checkpoint-change" hidden={rows.is_empty()}>{ for rows }</div> }
}

/// The link to the playground, where the checkpoint can answer.
fn try_link(to: Option<String>) -> Html {
    let Some(to) = to else { return Html::default() };
    Link {
        to,
        class: "button small",
        content: words(text::try_it()),
        ..Link::default()
    }
    .view()
}

/// A button that does something with a checkpoint, where that can be done.
fn button_of(step: u64, label: fn(u64) -> String, which: Icon, what: Option<&Callback<u64>>) -> Option<Html> {
    Some(icon_button(
        true,
        label(step),
        which,
        what?.reform(move |_: MouseEvent| step),
    ))
}
