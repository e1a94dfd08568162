//! Notifications: each end of a job is told once, to its owner alone, until it was read.

use super::actions::job_in;
use crate::{Error, store::notifications::KEPT, testing::*};
use shared::{
    notification::{NotificationKind, NotificationList, NotificationQuery},
    status::JobStatus,
};

async fn list(engine: &TestEngine, query: &NotificationQuery) -> NotificationList {
    engine.service.list_notifications(&alice(), query).await.unwrap()
}

fn page(limit: u32, cursor: Option<String>) -> NotificationQuery {
    NotificationQuery {
        limit: Some(limit),
        cursor,
        unread: None,
    }
}

#[tokio::test]
async fn what_ends_a_job_is_told_once_and_stays_unread_until_it_is_read() {
    let engine = TestEngine::start().await;
    let mut jobs = Vec::new();
    for status in [JobStatus::Succeeded, JobStatus::Failed, JobStatus::Cancelled] {
        jobs.push(job_in(&engine, status).await.0);
    }
    let all = list(&engine, &NotificationQuery::default()).await;
    let told: Vec<_> = all
        .notifications
        .iter()
        .map(|it| (it.kind, &it.job_id, it.message.as_str(), it.read))
        .collect();
    assert_eq!(
        told,
        [
            (
                NotificationKind::Cancelled,
                &jobs[2],
                "The job was cancelled",
                false
            ),
            (NotificationKind::Failed, &jobs[1], "the loss is no number", false),
            (
                NotificationKind::Succeeded,
                &jobs[0],
                "The job has successfully completed",
                false
            ),
        ]
    );
    let name = engine.service.find_job(&alice(), &jobs[1]).await.unwrap().name;
    assert_eq!(all.notifications[1].job_name, name);
    assert_eq!((all.unread, all.next_cursor.as_deref()), (3, None));

    let id = &all.notifications[1].id;
    for _ in 0..2 {
        engine.service.read_notification(&alice(), id).await.unwrap();
    }
    let unread = NotificationQuery {
        unread: Some(true),
        ..NotificationQuery::default()
    };
    let left = list(&engine, &unread).await;
    let kinds: Vec<_> = left.notifications.iter().map(|it| it.kind).collect();
    assert_eq!(
        (kinds.as_slice(), left.unread),
        (
            [NotificationKind::Cancelled, NotificationKind::Succeeded].as_slice(),
            2
        )
    );
    engine.service.read_all_notifications(&alice()).await.unwrap();
    let read = list(&engine, &NotificationQuery::default()).await;
    assert!(read.unread == 0 && read.notifications.iter().all(|it| it.read));
    engine.service.delete_job(&alice(), &jobs[2]).await.unwrap();
    let kept = list(&engine, &NotificationQuery::default()).await;
    assert_eq!(kept.notifications.len(), 2, "a deleted job has nothing to say");
}

#[tokio::test]
async fn the_oldest_notifications_are_forgotten() {
    let engine = TestEngine::start().await;
    let (first, _) = job_in(&engine, JobStatus::Cancelled).await;
    let fill = format!(
        "WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {KEPT}) \
         INSERT INTO notifications (owner, job_id, created_at, kind, message) \
         SELECT owner, id, created_at, 'alert', 'full' FROM jobs, numbers"
    );
    let mut transaction = engine.service.inner.store.begin().await.unwrap();
    let fill = sqlx::AssertSqlSafe(fill);
    sqlx::query(fill).execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    let (last, _) = job_in(&engine, JobStatus::Succeeded).await;
    let newest = list(&engine, &page(1, None)).await;
    assert_eq!(newest.unread, u64::from(KEPT));
    assert_eq!(newest.notifications[0].job_id, last);
    let before_the_end = page(2, Some("4".to_owned()));
    let oldest = list(&engine, &before_the_end).await.notifications;
    let oldest: Vec<_> = oldest.iter().map(|it| (it.id.as_str(), it.kind)).collect();
    assert_eq!(oldest, [("3", NotificationKind::Alert)], "not the end of {first}");
}

#[tokio::test]
async fn notifications_come_in_pages_and_are_hidden_from_others() {
    let engine = TestEngine::start().await;
    for _ in 0..3 {
        job_in(&engine, JobStatus::Cancelled).await;
    }
    let all = list(&engine, &NotificationQuery::default()).await.notifications;
    let (mut cursor, mut paged) = (None, Vec::new());
    for place in 0..3 {
        let one = list(&engine, &page(1, cursor)).await;
        assert_eq!((one.notifications.len(), one.unread), (1, 3));
        assert_eq!(one.next_cursor.is_some(), place < 2);
        cursor = one.next_cursor;
        paged.extend(one.notifications);
    }
    assert_eq!(paged, all);

    for (query, field) in [
        (page(0, None), "limit"),
        (page(201, None), "limit"),
        (page(1, Some("none".to_owned())), "cursor"),
    ] {
        let refused = engine.service.list_notifications(&alice(), &query).await;
        assert!(refused.unwrap_err().fields().contains_key(field));
    }
    let others = engine
        .service
        .list_notifications(&mallory(), &NotificationQuery::default())
        .await
        .unwrap();
    assert!(others.notifications.is_empty() && others.unread == 0);
    engine.service.read_all_notifications(&mallory()).await.unwrap();
    for id in [all[0].id.as_str(), "0", "nonsense"] {
        let refused = engine.service.read_notification(&mallory(), id).await;
        assert!(matches!(refused, Err(Error::NotFound(_))), "{id}");
    }
    assert_eq!(list(&engine, &page(1, None)).await.unread, 3);
}
