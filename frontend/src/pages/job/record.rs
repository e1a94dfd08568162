//! A job's checkpoints and events.

use crate::{
    api, browser,
    components::{
        face::{face, skeleton_lines},
        relative_time::relative_time,
    },
    query::{Poll, hooks::use_optional_query},
    text::{self, format},
};
use shared::{
    event::{CheckpointList, EventList, Level},
    id::JobId,
};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq)]
pub(super) struct CheckpointsProps {
    pub(super) id: JobId,
    pub(super) ended: bool,
    pub(super) poll: Poll,
    pub(super) now: i64,
    pub(super) on: bool,
}

#[hook]
pub(super) fn use_checkpoints_section(props: Rc<CheckpointsProps>) -> Html {
    let list = use_optional_query(props.on.then(|| api::jobs::checkpoints(&props.id)), props.poll);
    let now = props.now;
    let empty = |list: &CheckpointList| {
        let words = if props.ended {
            text::no_checkpoints_ended()
        } else {
            text::no_checkpoints()
        };
        list.checkpoints
            .is_empty()
            .then(|| html! { <p class="card-body dim">{ words }</p> })
    };
    html! {
        <section class="card" aria-label={text::checkpoints()}>
            <div class="card-head"><h2>{ text::checkpoints() }</h2></div>
            { face(&list, || skeleton_lines(2), empty, |list| table(list, now)) }
        </section>
    }
}

fn table(list: &CheckpointList, now: i64) -> Html {
    let number = |value: Option<f64>| value.map_or_else(|| text::none().to_owned(), format::measure);
    let best = list
        .checkpoints
        .iter()
        .filter_map(|checkpoint| checkpoint.valid_loss)
        .fold(f64::INFINITY, f64::min);
    let rows = list.checkpoints.iter().map(|checkpoint| {
        let is_best = checkpoint.valid_loss == Some(best);
        html! {
            <tr key={checkpoint.step.to_string()}>
                <td class="mono">{ format!("step-{}", checkpoint.step) }</td>
                <td class="number">{ number(checkpoint.train_loss) }</td>
                <td class={classes!("number", is_best.then_some("is-best"))}>{ number(checkpoint.valid_loss) }</td>
                <td class="number dim wide">{ format::bytes(checkpoint.bytes) }</td>
                <td class="number dim">{ relative_time(now, checkpoint.created_at) }</td>
            </tr>
        }
    });
    html! {
        <table>
            <thead><tr>
                <th scope="col">{ text::step() }</th>
                <th scope="col" class="number">{ text::train_loss() }</th>
                <th scope="col" class="number">{ text::validation_loss() }</th>
                <th scope="col" class="number wide">{ text::size() }</th>
                <th scope="col" class="number">{ text::saved() }</th>
            </tr></thead>
            <tbody>{ for rows }</tbody>
        </table>
    }
}

#[derive(PartialEq)]
pub(super) struct EventsProps {
    pub(super) id: JobId,
    pub(super) poll: Poll,
    pub(super) on: bool,
}

#[hook]
pub(super) fn use_events_section(props: Rc<EventsProps>) -> Html {
    let list = use_optional_query(props.on.then(|| api::jobs::events(&props.id)), props.poll);
    let empty = |list: &EventList| {
        list.events
            .is_empty()
            .then(|| html! { <p class="card-body dim">{ text::no_events() }</p> })
    };
    html! {
        <section class="card" aria-label={text::events()}>
            <div class="card-head"><h2>{ text::events() }</h2></div>
            { face(&list, || skeleton_lines(4), empty, |list| log(list)) }
        </section>
    }
}

fn log(list: &EventList) -> Html {
    let entries = list.events.iter().map(|event| {
        let class = match event.level {
            Level::Info => "is-info",
            Level::Warn => "is-warn",
            Level::Error => "is-bad",
        };
        let at = event.created_at;
        html! {
            <li key={event.id.to_string()} {class}>
                <time datetime={at.to_rfc3339()} title={browser::local_time(at.unix_ms())}>{ browser::local_clock(at.unix_ms()) }</time>
                <span>{ event.message.clone() }</span>
            </li>
        }
    });
    html! { <ol class="log" tabindex="0" aria-label={text::events()}>{ for entries }</ol> }
}
