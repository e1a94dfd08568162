//! Which rows of a long list are drawn: those near the viewport, and the one that has the focus.

use crate::browser;
use std::ops::Range;
use wasm_bindgen::JsCast as _;
use web_sys::Element;
use yew::prelude::*;

/// Rows drawn beyond each edge of the viewport.
const MARGIN: usize = 12;
/// The window moves by so many rows at once, so that most frames of a scroll draw nothing.
const STEP: usize = 8;
/// The height of a row before one was measured.
const ROW: f64 = 49.0;

/// What is drawn, and how high a row is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Window {
    pub(super) rows: Range<usize>,
    pub(super) row_height: f64,
}

/// Where the list stands in the viewport, in pixels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    /// How far the list begins below the viewport's upper edge.
    pub(super) top: f64,
    viewport: f64,
    /// What to draw here.
    pub(super) window: Window,
}

impl Place {
    /// From one frame to the next the list went past so fast that each row is in sight for three frames at most. Nobody
    /// can read those, so they needn't be drawn.
    pub(super) fn flies_past(&self, top_before: f64) -> bool {
        (self.top - top_before).abs() * 3.0 > self.viewport
    }
}

/// A part of the list from top to bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// So many rows that aren't drawn.
    Gap(usize),
    /// The row with this index.
    Row(usize),
}

/// The rows to draw where the list begins `top` pixels below the viewport's upper edge.
fn rows_near(top: f64, row_height: f64, viewport: f64) -> Range<usize> {
    let first = (-top / row_height).max(0.0) as usize;
    let seen = (viewport / row_height).ceil() as usize + 1;
    let start = first.saturating_sub(MARGIN) / STEP * STEP;
    start..(first + seen + MARGIN).div_ceil(STEP) * STEP
}

impl Default for Window {
    fn default() -> Self {
        Self {
            rows: rows_near(0.0, ROW, 900.0),
            row_height: ROW,
        }
    }
}

/// The whole list in pieces. `kept` is drawn wherever it is, so that it keeps the focus.
pub(super) fn pieces(rows: &Range<usize>, kept: Option<usize>, total: usize) -> Vec<Piece> {
    let window = rows.start.min(total)..rows.end.min(total);
    let kept = kept.filter(|row| *row < total && !window.contains(row));
    let before = kept.filter(|row| *row < window.start);
    let after = kept.filter(|row| *row >= window.end);
    let mut pieces = Vec::with_capacity(window.len() + 4);
    let mut drawn = 0;
    for row in before.into_iter().chain(window).chain(after) {
        if row > drawn {
            pieces.push(Piece::Gap(row - drawn));
        }
        pieces.push(Piece::Row(row));
        drawn = row + 1;
    }
    if drawn < total {
        pieces.push(Piece::Gap(total - drawn));
    }
    pieces
}

/// The table's rows and where they begin.
fn body(table: &NodeRef) -> Option<Element> {
    table.cast::<Element>()?.query_selector("tbody").ok()?
}

/// Where the list stands now, where the table is there.
pub(super) fn measure(table: &NodeRef) -> Option<Place> {
    let body = body(table)?;
    let row_height = body
        .query_selector("tr.job-row")
        .ok()?
        .map_or(ROW, |row| row.get_bounding_client_rect().height())
        .max(1.0);
    let viewport = browser::window()?.inner_height().ok()?.as_f64()?;
    let top = body.get_bounding_client_rect().top();
    Some(Place {
        top,
        viewport,
        window: Window {
            rows: rows_near(top, row_height, viewport),
            row_height,
        },
    })
}

/// The index of the row that holds the focus.
pub(super) fn focused_row() -> Option<usize> {
    let row = browser::document()?
        .active_element()?
        .closest("tr.job-row")
        .ok()??;
    row.get_attribute("aria-rowindex")?
        .parse::<usize>()
        .ok()?
        .checked_sub(2)
}

/// Gives a row's link the focus; false where the row isn't drawn.
pub(super) fn focus_row(table: &NodeRef, row: usize) -> bool {
    let selector = format!("tr[aria-rowindex=\"{}\"] .row-link", row + 2);
    let link = body(table).and_then(|body| body.query_selector(&selector).ok()?);
    link.is_some_and(|link| link.unchecked_into::<web_sys::HtmlElement>().focus().is_ok())
}

/// Scrolls so that a row is about in the middle of the viewport.
pub(super) fn scroll_to_row(table: &NodeRef, row: usize, row_height: f64) {
    let Some((body, window)) = body(table).zip(browser::window()) else {
        return;
    };
    let half = window
        .inner_height()
        .ok()
        .and_then(|height| height.as_f64())
        .unwrap_or(0.0)
        / 2.0;
    let top = body.get_bounding_client_rect().top() + window.scroll_y().unwrap_or(0.0);
    window.scroll_to_with_x_and_y(0.0, top + row as f64 * row_height - half);
}

/// The first row below the upper edge of the viewport.
pub(super) fn first_visible(table: &NodeRef, row_height: f64) -> usize {
    let top = body(table).map_or(0.0, |body| body.get_bounding_client_rect().top());
    (-top / row_height).max(0.0).ceil() as usize
}

/// Somebody points at a row or has the focus in one, so that no row may move.
pub(super) fn is_held(table: &NodeRef) -> bool {
    body(table).is_some_and(|body| body.matches(":hover, :focus-within").unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_covers_the_viewport_and_some_more() {
        for scrolled in [0.0, 10.0, 500.0, 123_456.0, 4_899_000.0] {
            let rows = rows_near(200.0 - scrolled, 49.0, 900.0);
            let first = ((scrolled - 200.0) / 49.0).max(0.0) as usize;
            let last = ((scrolled - 200.0 + 900.0) / 49.0).max(0.0) as usize;
            assert!(rows.start <= first && last < rows.end, "{scrolled}: {rows:?}");
            assert!(rows.len() < 60, "{scrolled}: {rows:?}");
        }
    }

    #[test]
    fn only_what_nobody_can_read_flies_past() {
        let at = |top: f64| Place {
            top,
            viewport: 900.0,
            window: Window::default(),
        };
        assert!(!at(-1_000.0).flies_past(-1_000.0));
        assert!(!at(-1_300.0).flies_past(-1_000.0) && !at(-700.0).flies_past(-1_000.0));
        assert!(at(-1_301.0).flies_past(-1_000.0) && at(-699.0).flies_past(-1_000.0));
    }

    #[test]
    fn the_pieces_are_as_high_as_the_whole_list() {
        for (rows, kept, total) in [
            (0..40, None, 0),
            (0..40, None, 7),
            (0..40, None, 1000),
            (96..144, Some(3), 1000),
            (96..144, Some(100), 1000),
            (96..144, Some(999), 1000),
            (96..144, Some(2000), 1000),
            (2000..2040, Some(5), 1000),
        ] {
            let pieces = pieces(&rows, kept, total);
            let mut next = 0;
            for piece in &pieces {
                match piece {
                    Piece::Gap(rows) => next += rows,
                    Piece::Row(row) => {
                        assert_eq!(*row, next);
                        next += 1;
                    }
                }
            }
            assert_eq!(next, total, "{rows:?} {kept:?}");
            assert!(kept.is_none_or(|kept| kept >= total || pieces.contains(&Piece::Row(kept))));
        }
    }
}
