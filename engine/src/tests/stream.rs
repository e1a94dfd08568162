//! The live stream: gap first, then live, each stored thing once.

use crate::testing::*;
use futures_util::StreamExt as _;
use shared::{event::StreamMessage, run::RunEvent, status::JobStatus};

#[tokio::test]
async fn a_reader_who_comes_back_gets_exactly_what_was_missed() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "followed").await;
    trainer.train_from(0).await;
    let mut live = engine.service.stream(&alice(), &id, None).await.unwrap();
    let (first, _) = live
        .next()
        .await
        .map(|(seq, message)| (seq, matches!(message, StreamMessage::Job { .. })))
        .unwrap();
    assert_eq!(first, None);
    for step in 1..=4 {
        trainer.step(step).await;
    }
    // Reads until step 2 and then goes away.
    let mut sequence = Vec::new();
    while let Some((seq, message)) = live.next().await {
        sequence.extend(seq);
        if matches!(&message, StreamMessage::Metrics { metrics } if metrics.step == 2) {
            break;
        }
    }
    drop(live);
    trainer.checkpoint(4).await;
    trainer.say(RunEvent::CheckpointRemoved { step: 4 }).await;
    for step in 5..=10 {
        trainer.step(step).await;
    }
    trainer.finish(10).await;
    engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    let rest = engine.whole_stream(&alice(), &id, sequence.last().copied()).await;
    assert!(matches!(rest.last(), Some((None, StreamMessage::End { .. }))));
    sequence.extend(rest.iter().filter_map(|(seq, _)| *seq));
    // No place in the record is missing or doubled.
    assert_eq!(sequence, (1..=sequence.len() as u64).collect::<Vec<_>>());
    assert!(
        rest.iter()
            .any(|(_, message)| matches!(message, StreamMessage::CheckpointRemoved { step: 4 }))
    );
    let whole = engine.whole_stream(&alice(), &id, None).await;
    assert_eq!(
        whole.iter().filter_map(|(seq, _)| *seq).collect::<Vec<_>>(),
        sequence
    );
}

#[tokio::test]
async fn a_slow_reader_of_a_long_job_misses_nothing() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "long").await;
    let mut stream = engine.service.stream(&alice(), &id, None).await.unwrap();
    trainer.train_from(0).await;
    // More than a page of the store and than any channel holds, before the reader reads anything.
    for step in 1..=1300 {
        trainer.step(step).await;
    }
    trainer.finish(1300).await;
    engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    let mut steps = Vec::new();
    let mut ended = false;
    while let Some((_, message)) = stream.next().await {
        match message {
            StreamMessage::Metrics { metrics } => steps.push(metrics.step),
            StreamMessage::End { .. } => ended = true,
            _ => {}
        }
    }
    assert!(ended);
    assert_eq!(steps, (1..=1300).collect::<Vec<_>>());
}

#[tokio::test]
async fn streams_end_when_the_service_goes_down() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "cut").await;
    let stream = engine.service.stream(&alice(), &id, None).await.unwrap();
    let service = engine.service.clone();
    let down = tokio::spawn(async move { service.shutdown().await });
    let told: Vec<_> = stream.collect().await;
    assert!(
        !told
            .iter()
            .any(|(_, message)| matches!(message, StreamMessage::End { .. }))
    );
    trainer.exit(crate::executor::Exit::Code(10));
    down.await.unwrap();
}
