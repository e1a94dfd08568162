//! The table of jobs, of which only the rows near the viewport are drawn, and the bar above it.

use super::{
    act::{Act, Page, has},
    pages::Listed,
    rows::{JobRowProps, blank_row, use_job_row},
    window::{Piece, focused_row, pieces},
};
use crate::{
    browser,
    components::{
        button::{icon_button, worded_button},
        icon::Icon,
        table::ACTIONS,
    },
    part::keyed_part,
    route::{Section, comparison},
    text,
};
use yew::prelude::*;

/// How the list is shown and what can be done to it.
pub(super) struct Listing<'a> {
    pub(super) listed: &'a Listed,
    pub(super) page: &'a Page,
    pub(super) table: NodeRef,
    pub(super) now: i64,
    pub(super) can_delete: bool,
    /// Jobs have curves to compare.
    pub(super) can_compare: bool,
    pub(super) can_cancel: bool,
    pub(super) act: &'a Callback<Act>,
}

impl Listing<'_> {
    /// Draws the table.
    pub(super) fn draw(&self) -> Html {
        let heads = [
            (text::name(), "cell-name"),
            (text::status(), "cell-status wide"),
            (text::base_model(), "cell-model wide"),
            (text::created(), "cell-created wide"),
        ];
        let heads = heads.map(|(label, class)| html! { <th key={label} scope="col" {class}>{ label }</th> });
        let total = self.listed.total;
        let window = &self.page.window;
        let drawn = pieces(&window.rows, focused_row(), total);
        let drawn = drawn.into_iter().enumerate().map(|(place, piece)| match piece {
            Piece::Gap(rows) => gap(place, rows as f64 * window.row_height),
            Piece::Row(index) => self.row(index),
        });
        let drawn: Html = drawn.collect();
        html! {
            <table
                ref={self.table.clone()}
                class="job-table"
                aria-label={text::section_label(Section::Jobs)}
                aria-rowcount={(total + 1).to_string()}
            >
                <thead>
                    <tr aria-rowindex="1">
                        <th scope="col" class="cell-check">{ self.select_shown() }</th>
                        { for heads }
                        <th scope="col" class={ACTIONS}><span class="visually-hidden">{ text::actions() }</span></th>
                    </tr>
                </thead>
                <tbody>{ drawn }</tbody>
            </table>
        }
    }

    fn row(&self, index: usize) -> Html {
        let Some(entry) = self.listed.row(index) else {
            return blank_row(index);
        };
        let props = JobRowProps {
            selected: has(&self.page.selected, entry.job()),
            entry,
            index,
            now: self.now,
            can_delete: self.can_delete,
            can_cancel: self.can_cancel,
            act: self.act.clone(),
        };
        let key = props.entry.job().id.to_string();
        keyed_part(&key, use_job_row, props)
    }

    fn select_shown(&self) -> Html {
        let all = self
            .listed
            .rows()
            .all(|entry| has(&self.page.selected, entry.job()));
        let onclick = self.act.reform(move |_: MouseEvent| Act::SelectShown(!all));
        html! { <input type="checkbox" aria-label={text::select_all_shown()} checked={all} {onclick} /> }
    }
}

/// Rows that aren't drawn, as a space of their height. No style attribute: the page's policy forbids them.
fn gap(place: usize, height: f64) -> Html {
    html! {
        <tr key={format!("gap {place}")} class="gap" aria-hidden="true"><td height={(height.round() as u64).to_string()}></td></tr>
    }
}

/// How many jobs there are, what came since, and what can be done to those that are selected. It stays in sight.
pub(super) fn bar(listing: &Listing<'_>) -> Html {
    let (listed, page) = (listing.listed, listing.page);
    let number = page.selected.len() as u64;
    let is_selecting = number > 0;
    let count = match &listed.error {
        _ if listed.some.data.is_none() => String::new(),
        Some(error) => format!("{} {}", text::outdated(), text::error_line(error)),
        None if is_selecting => text::selected(number),
        None => text::shown_of(listed.total as u64, listed.total as u64),
    };
    let is_outdated = listed.error.is_some() && listed.some.data.is_some();
    let act = |make: fn() -> Act| listing.act.reform(move |_: MouseEvent| make());
    let checked = if page.paused { "false" } else { "true" };
    let can_delete = is_selecting && listing.can_delete;
    let can_compare = number > 1 && listing.can_compare;
    let compare = {
        let to = comparison(page.selected.iter().map(|job| job.id.as_str()));
        Callback::from(move |_: MouseEvent| browser::push_address(&to))
    };
    html! {
        <div class="list-bar">
            <span class="list-count" role="status">{ count }</span>
            { worded_button(listed.arrived > 0, "button small primary", text::new_jobs(listed.arrived), act(|| Act::CatchUp)) }
            { worded_button(is_outdated, "button small", text::retry(), act(|| Act::Refresh)) }
            <span class="list-space"></span>
            { worded_button(is_selecting, "button small", text::clear_selection(), act(|| Act::ClearSelection)) }
            { worded_button(can_compare, "button small", text::compare(), compare) }
            { worded_button(can_delete, "button small danger", text::delete_jobs(number), act(|| Act::DeleteSelected)) }
            <span class="list-tools" hidden={is_selecting}>
                <button type="button" class="switch" role="switch" aria-checked={checked} onclick={act(|| Act::Live)}>
                    <i aria-hidden="true"></i>{ text::live() }
                </button>
                { worded_button(true, "button small", text::refresh(), act(|| Act::Refresh)) }
                <span class="wide">
                    { icon_button(true, text::keyboard_shortcuts().to_owned(), Icon::Keyboard, act(|| Act::Help(true))) }
                </span>
            </span>
        </div>
    }
}
