//! Pages, sorts, searches and counts of jobs.

use crate::{Error, testing::*};
use shared::{id::Subject, job::JobQuery, status::JobStatus, timestamp::Timestamp};

#[tokio::test]
async fn lists_page_sort_search_and_count() {
    let engine = TestEngine::start().await;
    let dataset = engine.dataset(&alice(), &lines(12)).await;
    let mut created = Vec::new();
    for number in 0..7 {
        let name = format!("{}-{number}", if number % 2 == 0 { "even" } else { "odd" });
        created.push(
            engine
                .service
                .create_job(&alice(), new_job(&name, &dataset.id), None)
                .await
                .unwrap()
                .job
                .id,
        );
    }
    created.reverse();
    // Newest first, three a page, with a job that arrives in mid-way and changes nothing.
    let mut query = JobQuery {
        limit: Some(3),
        ..JobQuery::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = engine.service.list_jobs(&alice(), &query).await.unwrap();
        seen.extend(page.jobs.into_iter().map(|job| job.id));
        if seen.len() == 3 {
            engine
                .service
                .create_job(&alice(), new_job("late", &dataset.id), None)
                .await
                .unwrap();
        }
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => break,
        }
    }
    assert_eq!(seen, created);

    let search = JobQuery {
        q: Some("EVEN".to_owned()),
        sort: Some("name".to_owned()),
        ..JobQuery::default()
    };
    let found = engine.service.list_jobs(&alice(), &search).await.unwrap();
    let names: Vec<_> = found.jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["even-0", "even-2", "even-4", "even-6"]);
    assert_eq!(found.summary.total, 4);

    // A cursor of another order is refused, not misread.
    query.sort = Some("name".to_owned());
    assert!(matches!(
        engine.service.list_jobs(&alice(), &query).await,
        Err(Error::Invalid(_))
    ));
    for (limit, fine) in [(0, false), (1, true), (200, true), (201, false)] {
        let query = JobQuery {
            limit: Some(limit),
            ..JobQuery::default()
        };
        assert_eq!(
            engine.service.list_jobs(&alice(), &query).await.is_ok(),
            fine,
            "{limit}"
        );
    }
    // The summary ignores the status filter.
    let failed = JobQuery {
        status: Some("failed".to_owned()),
        ..JobQuery::default()
    };
    let found = engine.service.list_jobs(&alice(), &failed).await.unwrap();
    assert_eq!((found.jobs.len(), found.summary.total), (0, 8));
    // From the middle, and up to an instant: what came later isn't counted.
    let whole = engine
        .service
        .list_jobs(&alice(), &JobQuery::default())
        .await
        .unwrap();
    let middle = JobQuery {
        offset: Some(6),
        ..JobQuery::default()
    };
    let middle = engine.service.list_jobs(&alice(), &middle).await.unwrap();
    assert_eq!(
        (&middle.jobs[..], middle.summary),
        (&whole.jobs[6..], whole.summary)
    );
    assert_eq!(whole.newest, Some(whole.jobs[0].created_at));
    let oldest = whole.jobs[7].created_at;
    let old = JobQuery {
        created_to: Some(oldest),
        ..JobQuery::default()
    };
    let old = engine.service.list_jobs(&alice(), &old).await.unwrap();
    assert!(old.jobs.iter().all(|job| job.created_at <= oldest) && old.newest == Some(oldest));
    let none = JobQuery {
        created_from: Some(Timestamp::from_unix_ms(oldest.unix_ms() + 3_600_000)),
        ..JobQuery::default()
    };
    let none = engine.service.list_jobs(&alice(), &none).await.unwrap();
    assert_eq!((none.summary.total, none.newest), (0, None));
    let everywhere = engine
        .service
        .list_jobs(&Subject::new("nobody"), &JobQuery::default())
        .await
        .unwrap();
    assert_eq!(everywhere.summary.total, 0);
}

/// The bff's test `every_sort_has_the_engines_order` expects the same of a hosted API's jobs.
#[tokio::test]
async fn every_sort_has_one_order_that_other_upstreams_keep_too() {
    let engine = TestEngine::start().await;
    // While somebody else's job is at work, these wait and stay as they are put.
    let (_other, _trainer) = engine.running_job(&mallory(), "busy").await;
    let rows = [
        ("One", "a", "succeeded"),
        ("two", "B", "failed"),
        ("one", "a", "queued"),
        ("Two", "C", "validating_files"),
        ("three", "B", "cancelled"),
    ];
    let mut ids = Vec::new();
    for _ in rows {
        let id = engine.job(&alice(), "ordered").await.id;
        engine.wait_status(&alice(), &id, JobStatus::Queued).await;
        ids.push(id);
    }
    ids.sort();
    let mut transaction = engine.service.inner.store.begin().await.unwrap();
    for (id, (name, base_model, status)) in ids.iter().zip(rows) {
        sqlx::query(
            "UPDATE jobs SET created_at = 5, name = $2, name_key = lower($2), base_model = $3, status = $4 \
             WHERE id = $1",
        )
        .bind(id.as_str())
        .bind(name)
        .bind(base_model)
        .bind(status)
        .execute(&mut *transaction)
        .await
        .unwrap();
    }
    transaction.commit().await.unwrap();
    for (sort, expected) in [
        ("created_at", [1, 2, 3, 4, 5]),
        ("name", [1, 3, 5, 2, 4]),
        ("status", [5, 2, 3, 1, 4]),
        ("base_model", [2, 5, 4, 1, 3]),
    ] {
        let mut turned = expected;
        turned.reverse();
        for (sort, expected) in [(sort.to_owned(), expected), (format!("-{sort}"), turned)] {
            let query = JobQuery {
                sort: Some(sort.clone()),
                ..JobQuery::default()
            };
            let list = engine.service.list_jobs(&alice(), &query).await.unwrap();
            let found = list
                .jobs
                .iter()
                .map(|job| 1 + ids.binary_search(&job.id).unwrap());
            assert!(found.eq(expected), "{sort}");
        }
    }
}
