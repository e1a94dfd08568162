//! Shows what is new in the browser's own notifications as long as the console is open, also while nobody looks at it.

use crate::{
    announce, api,
    kept::use_kept,
    part::use_change,
    query::{Poll, use_query},
    route::Route,
    text,
};
use shared::notification::{Notification, NotificationList, NotificationQuery};
use std::cell::Cell;
use yew::prelude::*;

/// A hidden tab asks as seldom as this, or less often where the browser slows its clock.
const POLL: Poll = Poll::EvenHidden(30_000);

/// Draws nothing.
#[hook]
pub fn use_announcer() -> Html {
    let query = NotificationQuery {
        limit: Some(20),
        unread: Some(true),
        ..NotificationQuery::default()
    };
    let list = use_query(api::notifications::list(&query), POLL).data;
    let known = use_kept(|| Cell::new(None));
    use_change(list, move |list| {
        if let Some(list) = list {
            // Another tab may have switched them off since.
            for notification in news(list, &known).into_iter().filter(|_| announce::is_on()) {
                let path = Route::Job(notification.job_id.to_string()).path();
                announce::show(text::notification_title(notification), notification, path);
            }
        }
        None
    });
    Html::default()
}

/// What came after the newest that is known, oldest first. What was there at the first look isn't new.
fn news<'a>(list: &'a NotificationList, known: &Cell<Option<i64>>) -> Vec<&'a Notification> {
    let made = |notification: &Notification| notification.created_at.unix_ms();
    let newest = list.notifications.iter().map(made).max().unwrap_or(i64::MIN);
    let before = known.replace(Some(known.get().map_or(newest, |known| known.max(newest))));
    let Some(before) = before else {
        return Vec::new();
    };
    let newer = list.notifications.iter().rev();
    newer
        .filter(|notification| made(notification) > before && !notification.read)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::notifications::tests::list;

    #[test]
    fn only_what_comes_while_the_console_is_open_is_shown_and_once() {
        let known = Cell::new(None);
        let ids = |list: &NotificationList| -> Vec<String> {
            news(list, &known).into_iter().map(|one| one.id.clone()).collect()
        };
        let none: [&str; 0] = [];
        assert_eq!(ids(&list(&[(1, false)])), none, "it was there before");
        assert_eq!(ids(&list(&[(3, false), (2, false), (1, false)])), ["n2", "n3"]);
        assert_eq!(ids(&list(&[(3, false), (2, false)])), none);
        assert_eq!(ids(&list(&[])), none, "all were read");
        assert_eq!(ids(&list(&[(3, false)])), none, "one that comes back isn't new");
        assert_eq!(ids(&list(&[(5, false), (4, true)])), ["n5"]);
        let known = Cell::new(None);
        assert!(news(&list(&[]), &known).is_empty());
        assert_eq!(
            news(&list(&[(1, false)]), &known).len(),
            1,
            "the first of all is new"
        );
    }
}
