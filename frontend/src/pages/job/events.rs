//! A job's events: by level, searched, followed.

use super::checkpoints::RecordProps;
use crate::{
    api, browser,
    components::{
        button::button_if,
        card::{card, paragraph},
        face::{face, skeleton_lines},
    },
    kept::use_kept,
    part::use_change,
    query::{
        Poll,
        hooks::{use_queries, use_store},
        use_query,
    },
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
    let store = use_store();
    // Live: what the stream tells comes here, whatever is searched for.
    let newest = use_query(api::jobs::events(&props.id), props.poll);
    let level = use_kept(|| Level::Info);
    let typed = use_kept(String::new);
    let following = use_kept(|| true);
    // Pages besides the newest that were asked for.
    let older = use_kept(|| 0_usize);
    let log = use_node_ref();
    let pages = {
        let page = |cursor| api::jobs::events_that(&props.id, *level, &typed, cursor);
        let mut pages = vec![page(None)];
        while pages.len() <= *older
            && let Some(next) = pages
                .last()
                .and_then(|last| store.read(last))
                .and_then(|list| list.next_cursor.clone())
        {
            pages.push(page(Some(next)));
        }
        use_queries(pages, Poll::Never)
    };
    let found: Vec<Rc<EventList>> = pages.iter().map_while(|page| page.data.clone()).collect();
    let view = newest
        .data
        .as_ref()
        .map(|newest| View::of(newest, &found, *level, &typed));
    let top = view
        .as_ref()
        .and_then(|view| view.events.first().map(|event| event.id.clone()));
    {
        let log = log.clone();
        use_change((top, *following), move |(_, following)| {
            if *following && let Some(log) = log.cast::<Element>() {
                log.set_scroll_top(0);
            }
            None
        });
    }
    let show_older = {
        let (older, following) = (older.clone(), following.setter());
        Callback::from(move |_: MouseEvent| {
            // Whoever reads what was doesn't want to be taken back to what is.
            following.set(false);
            older.set(*older + 1);
        })
    };
    let choose = {
        let (level, older) = (level.setter(), older.setter());
        Callback::from(move |event: Event| {
            let typed = browser::typed(&event);
            older.set(0);
            level.set(
                LEVELS
                    .into_iter()
                    .find(|level| word(*level) == typed)
                    .unwrap_or(Level::Info),
            );
        })
    };
    let search = {
        let (typed, older) = (typed.setter(), older.setter());
        Callback::from(move |event: InputEvent| {
            older.set(0);
            typed.set(browser::typed(&event));
        })
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
        &newest,
        || skeleton_lines(4),
        empty,
        |_| view.map(|view| shown(&view, log, show_older)).unwrap_or_default(),
    );
    let incomplete = newest.data.as_ref().is_some_and(|newest| newest.incomplete);
    let body = html! {
        <>
            { body }
            <p class="card-body dim" hidden={!incomplete}>{ text::incomplete_events() }</p>
        </>
    };
    card(text::events(), tools, body)
}

/// What is shown of the log.
#[derive(Debug, PartialEq)]
struct View {
    events: Vec<JobEvent>,
    /// How many fit in all.
    total: u64,
    /// There are older ones that fit.
    has_older: bool,
}

impl View {
    /// The pages that were found, and before them what has happened since. Until the first is there, what of the newest
    /// events fits.
    fn of(newest: &EventList, found: &[Rc<EventList>], least: Level, words: &str) -> Self {
        let fits = |event: &&JobEvent| event.fits(least, words);
        let Some(first) = found.first() else {
            let events: Vec<_> = newest.events.iter().filter(fits).cloned().collect();
            return Self {
                total: events.len() as u64,
                events,
                has_older: false,
            };
        };
        let top = first.events.first().map(|event| &event.id);
        let since = newest.events.iter().take_while(|event| Some(&event.id) != top);
        let mut events: Vec<_> = since.filter(fits).cloned().collect();
        let total = first.total + events.len() as u64;
        events.extend(found.iter().flat_map(|page| page.events.iter().cloned()));
        Self {
            events,
            total,
            has_older: found.last().is_some_and(|last| last.next_cursor.is_some()),
        }
    }
}

fn shown(view: &View, log: NodeRef, show_older: Callback<MouseEvent>) -> Html {
    let nothing = view.events.is_empty();
    html! {
        <>
            <ol ref={log} class="log" tabindex="0" aria-label={text::events()} hidden={nothing}>{ for view.events.iter().map(entry) }</ol>
            <p class="card-body dim" hidden={!nothing}>{ text::no_event_fits() }</p>
            <div class="log-foot" hidden={nothing}>
                <span class="dim" role="status">{ text::events_shown(view.events.len() as u64, view.total) }</span>
                { button_if(view.has_older, "button small", text::show_older(), show_older) }
            </div>
        </>
    }
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

    fn list(ids: &[u32], next_cursor: Option<&str>, total: u64) -> EventList {
        let event = |id: &u32| JobEvent {
            id: EventId::new(id.to_string()),
            created_at: Timestamp::from_unix_ms(0),
            level: if id.is_multiple_of(2) {
                Level::Info
            } else {
                Level::Warn
            },
            message: format!("Step {id}"),
        };
        EventList {
            events: ids.iter().map(event).collect(),
            next_cursor: next_cursor.map(str::to_owned),
            total,
            incomplete: false,
        }
    }

    fn ids(view: &View) -> Vec<&str> {
        view.events.iter().map(|event| event.id.as_str()).collect()
    }

    #[test]
    fn what_happened_since_stands_before_what_was_found_once_and_counts() {
        let newest = list(&[9, 8, 7, 6], Some("6"), 9);
        let found = [
            Rc::new(list(&[7, 5], Some("5"), 4)),
            Rc::new(list(&[3], Some("3"), 4)),
        ];
        let view = View::of(&newest, &found, Level::Warn, "step");
        assert_eq!(ids(&view), ["9", "7", "5", "3"]);
        assert_eq!((view.total, view.has_older), (5, true));
        // The newest page itself, unfiltered.
        let view = View::of(&newest, &[Rc::new(newest.clone())], Level::Info, "");
        assert_eq!(ids(&view), ["9", "8", "7", "6"]);
        assert_eq!((view.total, view.has_older), (9, true));
    }

    #[test]
    fn what_is_known_is_searched_until_the_server_has_answered() {
        let newest = list(&[3, 2, 1], None, 3);
        let view = View::of(&newest, &[], Level::Warn, "STEP 1");
        assert_eq!((ids(&view), view.total, view.has_older), (vec!["1"], 1, false));
        let nothing = Rc::new(list(&[], None, 0));
        let view = View::of(&newest, &[nothing], Level::Warn, "1");
        assert_eq!(ids(&view), ["1"], "it has happened since");
    }
}
