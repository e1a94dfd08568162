//! A job's events: by level, searched, followed.

use super::checkpoints::RecordProps;
use crate::{
    api, browser,
    components::{
        card::{card, paragraph},
        face::{face, skeleton_lines},
    },
    kept::use_kept,
    part::use_change,
    query::use_query,
    text,
};
use shared::event::{EventList, JobEvent, Level};
use std::rc::Rc;
use web_sys::Element;
use yew::prelude::*;

const LEVELS: [Level; 3] = [Level::Info, Level::Warn, Level::Error];

/// The word of a level in its choice.
const fn word(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

#[hook]
pub(super) fn use_events_section(props: Rc<RecordProps>) -> Html {
    let list = use_query(api::jobs::events(&props.id), props.poll);
    let level = use_kept(|| Level::Info);
    let typed = use_kept(String::new);
    let following = use_kept(|| true);
    let log = use_node_ref();
    let newest = list
        .data
        .as_ref()
        .and_then(|list| list.events.first().map(|event| event.id.clone()));
    {
        let log = log.clone();
        use_change((newest, *following), move |(_, following)| {
            if *following && let Some(log) = log.cast::<Element>() {
                log.set_scroll_top(0);
            }
            None
        });
    }
    let choose = {
        let level = level.setter();
        Callback::from(move |event: Event| {
            let typed = browser::typed(&event);
            level.set(
                LEVELS
                    .into_iter()
                    .find(|level| word(*level) == typed)
                    .unwrap_or(Level::Info),
            );
        })
    };
    let search = {
        let typed = typed.setter();
        Callback::from(move |event: InputEvent| typed.set(browser::typed(&event)))
    };
    let follow = {
        let following = following.clone();
        Callback::from(move |_: MouseEvent| following.set(!*following))
    };
    let options = LEVELS.map(|choice| {
        html! { <option key={word(choice)} value={word(choice)} selected={choice == *level}>{ text::level_label(choice) }</option> }
    });
    let tools = html! {
        <div class="log-tools">
            <div class="control">
                <input type="search" aria-label={text::search_events()} placeholder={text::search_events()} value={(*typed).clone()} oninput={search} />
            </div>
            <div class="control is-select"><select aria-label={text::level()} onchange={choose}>{ for options }</select></div>
            <button type="button" class="switch" role="switch" aria-checked={if *following { "true" } else { "false" }} onclick={follow} hidden={props.ended}>
                <i aria-hidden="true"></i>{ text::follow() }
            </button>
        </div>
    };
    let empty = |list: &EventList| {
        list.events
            .is_empty()
            .then(|| paragraph("card-body dim", text::no_events()))
    };
    let body = face(
        &list,
        || skeleton_lines(4),
        empty,
        |list| {
            let shown = list.events.iter().filter(|event| fits(event, *level, &typed));
            let entries: Vec<Html> = shown.map(entry).collect();
            let nothing = entries.is_empty();
            html! {
                <>
                    <ol ref={log} class="log" tabindex="0" aria-label={text::events()} hidden={nothing}>{ for entries }</ol>
                    <p class="card-body dim" hidden={!nothing}>{ text::no_event_fits() }</p>
                </>
            }
        },
    );
    card(text::events(), tools, body)
}

/// As grave as asked for or graver, and with the words that were typed.
fn fits(event: &JobEvent, least: Level, typed: &str) -> bool {
    event.level >= least
        && event
            .message
            .to_lowercase()
            .contains(&typed.trim().to_lowercase())
}

fn entry(event: &JobEvent) -> Html {
    let class = match event.level {
        Level::Info => "is-info",
        Level::Warn => "is-warn",
        Level::Error => "is-bad",
    };
    let at = event.created_at;
    html! {
        <li key={event.id.as_str()} {class}>
            <time datetime={browser::machine_time(at)} title={browser::local_time(at.unix_ms())}>
                { browser::local_clock(at.unix_ms()) }
            </time>
            <span lang="en">{ event.message.as_str() }</span>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{id::EventId, timestamp::Timestamp};

    #[test]
    fn graver_events_stay_and_words_are_found_in_any_case() {
        let event = |level: Level| JobEvent {
            id: EventId::new("ev"),
            created_at: Timestamp::from_unix_ms(0),
            level,
            message: "Resumed from step 3".into(),
        };
        assert!(fits(&event(Level::Error), Level::Warn, ""));
        assert!(!fits(&event(Level::Info), Level::Warn, ""));
        assert!(fits(&event(Level::Info), Level::Info, " resumed FROM "));
        assert!(!fits(&event(Level::Info), Level::Info, "step 4"));
    }
}
