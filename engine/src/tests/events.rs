//! A job's log: paged, searched, and how much of it fits.

use crate::testing::*;
use shared::{
    event::{EventList, EventQuery, Level},
    id::JobId,
    run::RunEvent,
};

/// Every page of what fits, put together, after each of them told the same total.
async fn all(engine: &TestEngine, id: &JobId, level: Option<Level>, q: &str) -> (Vec<String>, u64) {
    let mut query = EventQuery {
        limit: Some(4),
        level,
        q: Some(q.to_owned()),
        cursor: None,
    };
    let (mut messages, mut totals) = (Vec::new(), Vec::new());
    loop {
        let page: EventList = engine.service.list_events(&alice(), id, &query).await.unwrap();
        totals.push(page.total);
        messages.extend(page.events.into_iter().map(|event| event.message));
        let Some(next) = page.next_cursor else {
            totals.dedup();
            assert_eq!(totals.len(), 1);
            return (messages, totals[0]);
        };
        query.cursor = Some(next);
    }
}

#[tokio::test]
async fn level_and_words_are_looked_for_on_every_page_and_the_total_is_told() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.job_at_step(&alice(), "told", 1).await;
    for number in 1..=10_u64 {
        let level = match number % 5 {
            0 => Level::Error,
            1 => Level::Warn,
            _ => Level::Info,
        };
        let message = format!("Line {number}: 100% of Ärger_{number}");
        let step = 1;
        trainer.say(RunEvent::Log { step, level, message }).await;
    }
    trainer.step(2).await;
    engine.wait_step(&alice(), &id, 2).await;
    let (everything, total) = all(&engine, &id, None, "").await;
    assert_eq!(
        (everything.len() as u64, everything[0].contains("Line 10")),
        (total, true)
    );
    assert!(total > 12);
    let (graver, total) = all(&engine, &id, Some(Level::Warn), " ").await;
    assert_eq!((graver.len(), total), (4, 4));
    let (gravest, _) = all(&engine, &id, Some(Level::Error), "LINE").await;
    assert_eq!(gravest.len(), 2);
    assert_eq!(
        all(&engine, &id, None, "0% OF").await.1,
        10,
        "no sign is a wildcard"
    );
    assert_eq!(
        all(&engine, &id, None, "ärger_1").await.1,
        0,
        "in the database's lower case"
    );
    assert_eq!(all(&engine, &id, None, "Ärger_1").await.1, 2);
    assert_eq!(all(&engine, &id, None, "LineX1").await.1, 0);
}
