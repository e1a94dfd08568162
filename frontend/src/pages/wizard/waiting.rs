//! An unfinished draft, told where jobs are listed: whoever went to make room for it finds the way back.

use crate::{components::link::link, draft::DraftHandle, route::Route, text};
use yew::prelude::*;

/// Says that a draft waits and leads back to it, to the first step that isn't finished.
pub(crate) fn waiting_draft(draft: Option<DraftHandle>) -> Html {
    let waiting = draft.filter(|draft| !draft.is_pristine() && draft.used_up.is_none());
    let name = waiting.as_ref().map_or("", |draft| draft.draft.name.as_str());
    html! {
        <div class="waiting" hidden={waiting.is_none()}>
            <span>{ text::draft_waits(name) }</span>
            { link(&Route::Review, "button small", text::continue_draft()) }
        </div>
    }
}
