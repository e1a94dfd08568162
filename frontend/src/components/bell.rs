//! The bell: how many notifications are unread, at every page. It comes with the first visit, so it holds nothing else; what
//! shows the notifications themselves comes later.

use crate::{
    announce, api, chunk,
    components::{
        icon::{Icon, icon},
        link::Link,
    },
    part::plain_part,
    query::{Poll, use_query},
    route::Route,
    text,
};
use yew::prelude::*;

/// The bell, and whoever shows new notifications outside of the page, if that is wanted.
#[hook]
pub fn use_bell() -> Html {
    let unread = use_query(api::notifications::unread(), Poll::Every(15_000)).data;
    let unread = unread.map_or(0, |list| list.unread);
    let link = Link {
        to: Route::Notifications.path(),
        class: "bell icon-button",
        label: Some(text::bell(unread)),
        content: html! { <>{ icon(Icon::Bell) }<span class="bell-count" hidden={unread == 0}>{ text::format::count(unread) }</span></> },
        ..Link::default()
    };
    let announcer = announce::is_on().then(|| plain_part(chunk::use_announcer));
    html! { <header class="bell-place">{ link.view() }<div hidden=true>{ announcer }</div></header> }
}
