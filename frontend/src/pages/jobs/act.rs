//! What can be done on the list, and what comes of it. The page's own state is one value, and everything that happens is
//! one message: each hook and each closure of its own would weigh more than what it does.

use super::{
    filters::SEARCH,
    keys::Asked,
    pages::Listed,
    state::ListState,
    view::View,
    window::{Window, first_visible, focus_row, focused_row, measure, scroll_to_row},
};
use crate::{browser, components::toast::Toaster, route::Route, text};
use gloo_timers::callback::Timeout;
use shared::job::Job;
use std::{cell::RefCell, rc::Rc};
use yew::prelude::*;

/// Long enough for the next frame of a scroll to come, too short to be waited for.
const SETTLED_MS: u32 = 60;

/// What happened.
pub(super) enum Act {
    /// A row's box was clicked; true with the shift key, for every row up to it.
    Select(usize, bool),
    /// Every row that is loaded, or none of them.
    SelectShown(bool),
    ClearSelection,
    /// Ask whether to delete one job.
    Delete(Rc<Job>),
    /// Ask whether to delete what is selected.
    DeleteSelected,
    /// The question was closed; true where it was confirmed.
    Answered(bool),
    /// True while the server is being asked to delete.
    Working(bool),
    Copy(String),
    /// The switch.
    Live,
    Refresh,
    /// Show what came since.
    CatchUp,
    /// Show the keys, or no longer.
    Help(bool),
    Key(Asked),
    /// The page was scrolled or changed its size.
    Moved,
    /// A moment has passed in which the page wasn't scrolled fast.
    Settled,
    /// The pointer or the focus left a row.
    Released,
}

/// The page's own state.
#[derive(Default)]
pub(super) struct Page {
    /// The switch is off.
    pub(super) paused: bool,
    pub(super) working: bool,
    pub(super) helping: bool,
    pub(super) leaving: Vec<Rc<Job>>,
    pub(super) selected: Vec<Rc<Job>>,
    /// Where a range of rows begins.
    anchor: Option<usize>,
    /// A row that gets the focus once it is drawn.
    wanted: Option<usize>,
    pub(super) window: Window,
    /// Where the list stood in the last frame.
    top: f64,
    /// Draws what is in sight when a fast scroll is over.
    settling: Option<Timeout>,
    pub(super) view: Rc<RefCell<View>>,
    /// As it was drawn last.
    pub(super) drawn: Option<Rc<Drawn>>,
}

/// What the newest drawing was made from.
pub(super) struct Drawn {
    pub(super) listed: Listed,
    pub(super) state: ListState,
    pub(super) table: NodeRef,
    pub(super) toaster: Toaster,
    pub(super) redraw: UseForceUpdateHandle,
    pub(super) act: Callback<Act>,
}

impl Page {
    /// Measures anew after drawing, and gives the focus to the row that waits for it.
    pub(super) fn after_drawing(&mut self, drawn: &Drawn) {
        self.measure(drawn, false);
        if self.wanted.is_some_and(|row| focus_row(&drawn.table, row)) {
            self.wanted = None;
        }
    }

    /// Draws what is in sight, unless `flying` past; then it is drawn when that is over.
    fn measure(&mut self, drawn: &Drawn, flying: bool) {
        let Some(place) = measure(&drawn.table) else {
            return;
        };
        let top_before = std::mem::replace(&mut self.top, place.top);
        if flying && place.flies_past(top_before) {
            let act = drawn.act.clone();
            self.settling = Some(Timeout::new(SETTLED_MS, move || act.emit(Act::Settled)));
        } else if place.window != self.window {
            self.window = place.window;
            drawn.redraw.force_update();
        }
    }

    /// Takes in what happened.
    pub(super) fn act(&mut self, act: Act) {
        let Some(drawn) = self.drawn.clone() else { return };
        let listed = &drawn.listed;
        match act {
            Act::Moved => return self.measure(&drawn, true),
            Act::Settled => return self.measure(&drawn, false),
            Act::Released if !listed.waits => return,
            Act::Released => {}
            Act::Select(row, up_to_here) => {
                let from = self.anchor.replace(row).filter(|_| up_to_here).unwrap_or(row);
                let on = !listed
                    .row(row)
                    .is_some_and(|entry| has(&self.selected, entry.job()));
                let rows = listed.jobs_within(from.min(row)..from.max(row) + 1);
                self.selected = chosen(&self.selected, rows, on);
            }
            Act::SelectShown(on) => {
                let rows = listed.rows().map(|entry| Rc::new(entry.job().clone())).collect();
                self.selected = chosen(&self.selected, rows, on);
            }
            Act::ClearSelection => self.selected.clear(),
            Act::Delete(job) => self.leaving = vec![job],
            Act::DeleteSelected => self.leaving.clone_from(&self.selected),
            Act::Answered(confirmed) => {
                self.leaving.clear();
                if confirmed {
                    self.selected.clear();
                }
            }
            Act::Working(working) => {
                self.working = working;
                listed.own_change();
            }
            Act::Copy(id) => copy(id, drawn.toaster.clone()),
            Act::Live => self.paused = !self.paused,
            Act::Refresh => listed.refresh(),
            Act::CatchUp => listed.catch_up(),
            Act::Help(open) => self.helping = open,
            Act::Key(asked) => self.key(asked, &drawn),
        }
        drawn.redraw.force_update();
    }

    fn key(&mut self, asked: Asked, drawn: &Drawn) {
        match asked {
            Asked::Search => {
                browser::focus_id(SEARCH);
            }
            Asked::New => Route::Setup.go(),
            Asked::Help => self.helping = true,
            Asked::Clear if self.selected.is_empty() => drawn.state.cleared().show(),
            Asked::Clear => self.selected.clear(),
            Asked::Down => self.move_focus(true, drawn),
            Asked::Up => self.move_focus(false, drawn),
        }
    }

    fn move_focus(&mut self, down: bool, drawn: &Drawn) {
        let (table, row_height) = (&drawn.table, self.window.row_height);
        let Some(last) = drawn.listed.total.checked_sub(1) else {
            return;
        };
        let row = match focused_row() {
            Some(row) if down => row + 1,
            Some(row) => row.saturating_sub(1),
            None => first_visible(table, row_height),
        };
        let row = row.min(last);
        if !focus_row(table, row) {
            self.wanted = Some(row);
            scroll_to_row(table, row, row_height);
            self.measure(drawn, false);
        }
    }
}

fn copy(id: String, toaster: Toaster) {
    wasm_bindgen_futures::spawn_local(async move {
        if browser::copy(&id).await {
            toaster.good(&text::copied_id(&id));
        } else {
            toaster.bad(text::copy_refused());
        }
    });
}

/// A job is among these.
pub(super) fn has(jobs: &[Rc<Job>], job: &Job) -> bool {
    jobs.iter().any(|known| known.id == job.id)
}

/// The selection with these jobs in it, or without them.
fn chosen(selected: &[Rc<Job>], jobs: Vec<Rc<Job>>, on: bool) -> Vec<Rc<Job>> {
    let mut next: Vec<_> = selected.iter().filter(|job| !has(&jobs, job)).cloned().collect();
    if on {
        next.extend(jobs);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(id: &str) -> Rc<Job> {
        let json = format!(
            r#"{{"id":"{id}","name":"n","base_model":"m","status":"failed","created_at":"2026-11-21T12:00:00Z"}}"#
        );
        Rc::new(serde_json::from_str(&json).expect("this is a job"))
    }

    #[test]
    fn a_range_joins_or_leaves_the_selection_as_a_whole() {
        let ids = |jobs: &[Rc<Job>]| jobs.iter().map(|job| job.id.to_string()).collect::<String>();
        let selected = vec![job("a"), job("b")];
        let more = chosen(&selected, vec![job("b"), job("c")], true);
        assert_eq!(ids(&more), "abc");
        assert_eq!(ids(&chosen(&more, vec![job("a"), job("b")], false)), "c");
    }
}
