//! What somebody should know about their jobs: unread first, then what was read, page by page.

pub(crate) mod announcer;
#[cfg(test)]
mod tests;

use crate::{
    api,
    components::{
        button::{button_if, icon_button},
        card::{card, paragraph},
        face::{empty_view, error_view, face, skeleton_lines},
        icon::Icon,
        link::link,
        page_header::PageHeader,
        relative_time::relative_time,
        status_pill::pill,
        toast::use_toaster,
    },
    kept::use_kept,
    query::{
        Loaded, Poll, Query, Store,
        hooks::{use_now, use_store},
        use_queries, use_query,
    },
    route::Route,
    text,
};
use shared::notification::{Notification, NotificationKind, NotificationList, NotificationQuery};
use std::rc::Rc;
use yew::prelude::*;

const POLL: Poll = Poll::Every(15_000);
/// The server's most.
const UNREAD: u32 = 200;
const A_PAGE: u32 = 50;

fn page(cursor: Option<String>) -> NotificationQuery {
    NotificationQuery {
        limit: Some(A_PAGE),
        cursor,
        unread: None,
    }
}

/// The page.
#[hook]
pub fn use_notifications_page() -> Html {
    let now = use_now(30_000);
    let store = use_store();
    let toaster = use_toaster();
    let pages = use_kept(|| 1_usize);
    let unread = NotificationQuery {
        limit: Some(UNREAD),
        cursor: None,
        unread: Some(true),
    };
    let unread = use_query(api::notifications::list(&unread), POLL).data;
    let (first, further) = {
        let mut all = use_queries(chain(&store, *pages), POLL).into_iter();
        (
            all.next().unwrap_or_else(Loaded::nothing),
            all.collect::<Vec<_>>(),
        )
    };
    let read = Callback::from(move |id: Option<String>| {
        let (store, toaster) = (store.clone(), toaster.clone());
        wasm_bindgen_futures::spawn_local(async move {
            if let Err(error) = store.read_notification(id.as_deref()).await {
                toaster.tell(Err(error));
            }
        });
    });
    let last = further.last().unwrap_or(&first);
    let has_more = (last.data.as_ref()).is_some_and(|list| list.next_cursor.is_some());
    let failed = further
        .iter()
        .find(|page| page.data.is_none() && page.error.is_some());
    let failed = failed.and_then(|page| Some(error_view(page.error.as_ref()?, page.retry.clone())));
    let more = Callback::from(move |_: MouseEvent| pages.set(*pages + 1));
    let some = first.data.as_ref().is_some_and(|list| list.unread > 0);
    let mark_all = read.reform(|_: MouseEvent| None);
    let ready = |first: &Rc<NotificationList>| {
        let further = further.iter().filter_map(|page| page.data.as_deref());
        let known: Vec<_> = [&**first].into_iter().chain(further).collect();
        html! {
            <div class="stack">
                { sections(unread.as_deref().unwrap_or(first), &known, now, &read) }
                <div>{ failed }</div>
                { button_if(has_more, "button", text::older_notifications(), more) }
            </div>
        }
    };
    let shown = face(&first, || skeleton_lines(4), no_notifications, ready);
    html! {
        <div class="page">
            <PageHeader title={text::notifications()}>
                { button_if(some, "button", text::mark_all_read(), mark_all) }
            </PageHeader>
            { shown }
        </div>
    }
}

/// The first pages, as far as what is known tells where the next one begins. Where something new has come, all of them
/// begin elsewhere, and are asked for anew.
fn chain(store: &Store, pages: usize) -> Vec<Query<NotificationList>> {
    let mut queries = vec![api::notifications::list(&page(None))];
    while queries.len() < pages {
        let known = queries.last().and_then(|query| store.read(query));
        let Some(cursor) = known.and_then(|list| list.next_cursor.clone()) else {
            break;
        };
        queries.push(api::notifications::list(&page(Some(cursor))));
    }
    queries
}

fn no_notifications(list: &NotificationList) -> Option<Html> {
    list.notifications.is_empty().then(|| {
        let settings = link(&Route::Settings, "button", text::choose_alerts());
        empty_view(
            text::no_notifications_title(),
            text::no_notifications_body(),
            settings,
        )
    })
}

/// What is unread, and below what was read.
fn sections(
    new: &NotificationList,
    pages: &[&NotificationList],
    now: i64,
    read: &Callback<Option<String>>,
) -> Html {
    let known = || pages.iter().flat_map(|page| &page.notifications);
    // Of more than the server tells at once, the older ones come with the pages.
    let oldest = new.next_cursor.as_ref().and(new.notifications.last());
    let is_older = |one: &&Notification| {
        oldest.is_some_and(|oldest| one.created_at <= oldest.created_at)
            && !new.notifications.iter().any(|told| told.id == one.id)
    };
    let unread = new.notifications.iter().chain(known().filter(is_older));
    let unread = unread.filter(|one| !one.read);
    let unread: Vec<_> = unread.map(|one| item(one, now, read)).collect();
    let earlier = known().filter(|one| one.read);
    let earlier: Vec<_> = earlier.map(|one| item(one, now, read)).collect();
    html! {
        <>
            { section(text::unread_notifications(), unread) }
            { section(text::read_notifications(), earlier) }
        </>
    }
}

fn section(title: &'static str, items: Vec<Html>) -> Html {
    if items.is_empty() {
        return Html::default();
    }
    card(
        title,
        Html::default(),
        html! { <ul class="notifications">{ for items }</ul> },
    )
}

fn item(notification: &Notification, now: i64, read: &Callback<Option<String>>) -> Html {
    let class = match notification.kind {
        NotificationKind::Succeeded => "is-ok",
        NotificationKind::Failed => "is-bad",
        NotificationKind::Cancelled => "is-off",
        NotificationKind::Alert => "is-warn",
    };
    let id = notification.id.clone();
    let mark = read.reform(move |_: MouseEvent| Some(id.clone()));
    let job = link(
        &Route::Job(notification.job_id.to_string()),
        "row-link",
        notification.job_name.clone(),
    );
    html! {
        <li key={notification.id.as_str()}>
            <div class="notification-words">
                <div class="notification-head">
                    { pill(class, text::notification_title(notification)) }
                    { job }
                    <span class="dim">{ relative_time(now, notification.created_at) }</span>
                </div>
                { paragraph("sub", text::sentence(&notification.message)) }
            </div>
            { icon_button(!notification.read, text::mark_read(&notification.job_name), Icon::Check, mark) }
        </li>
    }
}
