//! What the list shows.

use super::*;
use crate::language::{Language, speak_in_test};

/// Notifications that were made in these seconds and were read or not, newest first.
pub(super) fn list(made: &[(i64, bool)]) -> NotificationList {
    let one = |(second, read): &(i64, bool)| Notification {
        id: format!("n{second}"),
        created_at: shared::timestamp::Timestamp::from_unix_ms(second * 1000),
        kind: NotificationKind::Alert,
        job_id: shared::id::JobId::new(format!("ftjob-{second}")),
        job_name: format!("job-{second}"),
        condition: Some(shared::alert::AlertCondition::Divergence),
        message: "the loss is 3 times its running level".to_owned(),
        read: *read,
    };
    NotificationList {
        unread: made.iter().filter(|(_, read)| !read).count() as u64,
        notifications: made.iter().map(one).collect(),
        next_cursor: None,
    }
}

#[component]
fn Sections() -> Html {
    let all = list(&[(4, true), (3, false), (2, true), (1, false)]);
    let unread = list(&[(3, false), (1, false)]);
    sections(&unread, &[&all], 60_000, &Callback::noop())
}

/// As where the server tells one unread notification at once.
#[component]
fn ManySections() -> Html {
    let all = list(&[(5, false), (4, true), (3, false), (2, true), (1, false)]);
    let mut unread = list(&[(3, false)]);
    unread.next_cursor = Some("n3".to_owned());
    sections(&unread, &[&all], 60_000, &Callback::noop())
}

#[tokio::test]
async fn unread_ones_beyond_those_that_are_told_at_once_come_with_the_pages() {
    let html = yew::LocalServerRenderer::<ManySections>::new()
        .hydratable(false)
        .render()
        .await;
    let shown = [1, 2, 3, 4].map(|job| html.matches(&format!("job-{job}<")).count());
    assert_eq!(shown, [1; 4], "{html}");
    assert!(html.find("job-1<") < html.find("job-4<"), "it is unread: {html}");
    assert!(
        !html.contains("job-5<"),
        "it was read since its page was told: {html}"
    );
}

async fn draw() -> String {
    yew::LocalServerRenderer::<Sections>::new()
        .hydratable(false)
        .render()
        .await
}

#[tokio::test]
async fn unread_ones_come_first_and_each_leads_to_its_job() {
    let html = draw().await;
    let places: Vec<_> = ["job-3<", "job-1<", "job-4<", "job-2<"]
        .iter()
        .map(|name| html.find(name))
        .collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{places:?} {html}"
    );
    assert!(html.contains("/jobs/ftjob-3"), "{html}");
    assert!(html.contains("The loss is 3 times its running level."), "{html}");
    assert_eq!(html.matches("Loss diverges").count(), 4, "{html}");
    // Only what is unread can be marked.
    assert!(
        !html
            .split("Mark job-3 as read")
            .nth(1)
            .is_none_or(|rest| rest.starts_with("\" hidden")),
        "{html}"
    );
    speak_in_test(Language::German);
    let html = draw().await;
    speak_in_test(Language::English);
    assert!(
        html.contains("Ungelesen") && html.contains("Loss divergiert"),
        "{html}"
    );
}

#[test]
fn further_pages_begin_where_those_before_them_end() {
    let store = Store::default();
    assert_eq!(chain(&store, 3).len(), 1, "nothing is known yet");
    let mut first = list(&[(3, false)]);
    first.next_cursor = Some("a/b".to_owned());
    store.put(&api::notifications::list(&page(None)), first);
    let queries = chain(&store, 3);
    let paths: Vec<_> = queries.iter().map(Query::path).collect();
    assert_eq!(
        paths,
        [
            "/api/notifications?limit=50",
            "/api/notifications?limit=50&cursor=a%2Fb"
        ]
    );
    store.put(&queries[1], list(&[(2, true)]));
    assert_eq!(chain(&store, 3).len(), 2, "there is no third one");
}
