//! What an unknown address shows.

use crate::{
    components::{link::Link, page_header::PageHeader},
    route::Route,
    text,
};
use yew::prelude::*;

/// What an unknown address shows.
#[hook]
pub fn use_not_found_page() -> Html {
    html! {
        <div class="page">
            <PageHeader title={text::not_found_title()} sub={html! { text::not_found_body() }} />
            <Link to={Route::Dashboard} class="button">{ text::go_to_dashboard() }</Link>
        </div>
    }
}
