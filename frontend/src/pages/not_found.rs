//! What an unknown address shows.

use crate::{
    components::{card::words, link::link, page_header::PageHeader},
    route::Route,
    text,
};
use yew::prelude::*;

/// What an unknown address shows.
#[hook]
pub fn use_not_found_page() -> Html {
    html! {
        <div class="page">
            <PageHeader title={text::not_found_title()} sub={words(text::not_found_body())} />
            { link(&Route::Dashboard, "button", text::go_to_dashboard()) }
        </div>
    }
}
