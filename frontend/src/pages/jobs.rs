//! The job list. What it shows (search, filters, order) lives in the address, so that a link shows what its sender saw.

mod act;
mod delete_several;
mod filters;
mod help;
mod keys;
mod listing;
mod pages;
mod rows;
pub(crate) mod state;
mod view;
mod window;

use crate::{
    api,
    browser::{self, Listener},
    components::{
        button::button,
        card::words,
        face::{empty_view, face, skeleton_lines},
        link::link,
        page_header::PageHeader,
        toast::use_toaster,
    },
    draft::use_draft,
    pages::wizard::waiting_draft,
    part::{part, use_change},
    query::{Poll, hooks::use_now, use_query},
    route::{Route, Section, use_address},
    text,
};
use act::{Act, Drawn, Page};
use filters::{FiltersProps, use_filters};
use help::{HelpProps, use_help};
use listing::{Listing, bar};
use pages::{Listed, use_listed};
use shared::status::JobStatus;
use state::ListState;
use std::{cell::RefCell, rc::Rc};
use window::is_held;
use yew::prelude::*;

pub(crate) use delete_several::{DeleteSeveralProps, use_delete_several};

/// The job list.
#[hook]
pub fn use_jobs_page() -> Html {
    let now = use_now(30_000);
    let draft = use_draft();
    let state = ListState::from_address(&use_address());
    let capabilities = use_query(api::capabilities::capabilities(), Poll::Never).data;
    let toaster = use_toaster();
    let redraw = use_force_update();
    let table = use_node_ref();
    let page = use_mut_ref(Page::default);
    let act = use_memo((), |()| acting(&page));
    use_change((), {
        let act = Rc::clone(&act);
        move |()| Some(Box::new(listeners(&act)))
    });
    let (view, window, live) = {
        let page = page.borrow();
        (
            Rc::clone(&page.view),
            page.window.clone(),
            !page.paused && !page.working,
        )
    };
    let listed = use_listed(&view, &state, &window, live, is_held(&table));
    let drawn = Rc::new(Drawn {
        listed,
        state: state.clone(),
        table: table.clone(),
        toaster,
        redraw,
        act: Callback::clone(&act),
    });
    let listed = &drawn.listed;
    use_change((listed.total, window.rows.start), {
        let (page, drawn) = (Rc::clone(&page), Rc::clone(&drawn));
        move |_| {
            if let Ok(mut page) = page.try_borrow_mut() {
                page.after_drawing(&drawn);
            }
            None
        }
    });
    if let Ok(mut page) = page.try_borrow_mut() {
        if page.drawn.as_ref().is_some_and(|drawn| drawn.state != state) {
            // What is selected is always among what is shown.
            page.selected.clear();
        }
        page.drawn = Some(Rc::clone(&drawn));
    }
    let statuses = capabilities
        .as_ref()
        .map_or_else(|| JobStatus::ALL.to_vec(), |known| known.statuses.clone());
    let limit = capabilities.as_ref().and_then(|known| known.max_jobs);
    let note = if listed.some.data.as_ref().is_some_and(|list| list.incomplete) {
        text::incomplete_note().to_owned()
    } else {
        limit.map(text::limit_note).unwrap_or_default()
    };
    let filters = FiltersProps {
        state: state.clone(),
        statuses,
        summary: listed.summary,
    };
    let page = page.borrow();
    let can_cancel = capabilities.as_ref().is_some_and(|known| known.cancel);
    let delete = DeleteSeveralProps {
        jobs: page.leaving.clone(),
        artifacts: capabilities.as_ref().is_some_and(|known| known.artifacts),
        can_cancel,
        on_work: act.reform(Act::Working),
        on_close: act.reform(Act::Answered),
        on_end: Callback::noop(),
    };
    let help = HelpProps {
        open: page.helping,
        on_close: act.reform(|()| Act::Help(false)),
    };
    let listing = Listing {
        listed,
        page: &page,
        table,
        now,
        can_delete: capabilities.as_ref().is_none_or(|known| known.delete),
        can_compare: capabilities.as_ref().is_some_and(|known| known.metrics),
        can_cancel,
        act: &act,
    };
    html! {
        <div class="page">
            <PageHeader
                title={text::section_label(Section::Jobs)}
                sub={words(note)}
            >
                { link(&Route::Setup, "button primary", text::new_job()) }
            </PageHeader>
            { waiting_draft(draft) }
            { part(use_filters, filters) }
            <section
                class="card"
                aria-label={text::section_label(Section::Jobs)}
                onpointerout={act.reform(|_: PointerEvent| Act::Released)}
                onfocusout={act.reform(|_: FocusEvent| Act::Released)}
            >
                { bar(&listing) }
                { face(&listed.some, || skeleton_lines(8), |_| empty(listed, &state), |_| listing.draw()) }
            </section>
            { part(use_delete_several, delete) }
            { part(use_help, help) }
        </div>
    }
}

/// The one way to say what happened. It stays the same, so that a row isn't drawn anew because of it.
fn acting(page: &Rc<RefCell<Page>>) -> Callback<Act> {
    let page = Rc::downgrade(page);
    Callback::from(move |act: Act| {
        let Some(page) = page.upgrade() else { return };
        // What an act itself causes (the focus moves) is no act.
        if let Ok(mut page) = page.try_borrow_mut() {
            page.act(act);
        }
    })
}

fn listeners(act: &Callback<Act>) -> Vec<Listener> {
    let keys = {
        let act = act.clone();
        keys::listen(move |asked| act.emit(Act::Key(asked)))
    };
    let moved = |kind| {
        let act = act.clone();
        let window = browser::window()?;
        Some(Listener::new(&window, kind, move |_| act.emit(Act::Moved)))
    };
    keys.into_iter()
        .chain(moved("scroll"))
        .chain(moved("resize"))
        .collect()
}

fn empty(listed: &Listed, state: &ListState) -> Option<Html> {
    if listed.total > 0 {
        return None;
    }
    Some(if state.is_narrowed() {
        let cleared = state.cleared();
        let clear = Callback::from(move |_: MouseEvent| cleared.show());
        let action = button("button", text::clear_filters(), clear);
        empty_view(text::no_match_title(), text::no_match_body(), action)
    } else {
        let action = link(&Route::Setup, "button primary", text::new_job());
        empty_view(text::no_jobs_title(), text::no_jobs_body(), action)
    })
}
