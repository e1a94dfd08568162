//! The live stream: gap first, then live, each stored thing once.

use crate::testing::*;
use bytes::Bytes;
use futures_util::{StreamExt as _, future::ready};
use shared::{
    event::{StreamMessage, StreamStart},
    run::RunEvent,
    status::JobStatus,
};
use std::sync::Arc;

#[tokio::test]
async fn a_reader_who_comes_back_gets_exactly_what_was_missed() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "followed").await;
    trainer.train_from(0).await;
    let mut live = engine
        .service
        .stream(&alice(), &id, StreamStart::Beginning)
        .await
        .unwrap();
    let (first, _) = live
        .next()
        .await
        .map(|told| (told.seq, matches!(told.message, StreamMessage::Job { .. })))
        .unwrap();
    assert_eq!(first, None);
    for step in 1..=4 {
        trainer.step(step).await;
    }
    // Reads until step 2 and then goes away.
    let mut sequence = Vec::new();
    while let Some(told) = live.next().await {
        sequence.extend(told.seq);
        if matches!(&told.message, StreamMessage::Metrics { metrics } if metrics.step == 2) {
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
async fn a_stream_from_now_on_leaves_out_what_is_recorded_already() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "followed").await;
    trainer.train_from(0).await;
    for step in 1..=200 {
        trainer.step(step).await;
    }
    engine.wait_step(&alice(), &id, 200).await;
    let mut streams = Vec::new();
    // With a board that is made for it, and with one that another reader has.
    for _ in 0..2 {
        let stream = engine.service.stream(&alice(), &id, StreamStart::Now).await;
        streams.push(stream.unwrap());
    }
    for step in 201..=203 {
        trainer.step(step).await;
    }
    trainer.finish(203).await;
    engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    for stream in streams {
        let told: Vec<_> = stream.map(|told| told.message.clone()).collect().await;
        assert!(matches!(told.first(), Some(StreamMessage::Job { .. })));
        let steps = told.iter().filter_map(|message| match message {
            StreamMessage::Metrics { metrics } => Some(metrics.step),
            _ => None,
        });
        assert_eq!(steps.collect::<Vec<_>>(), [201, 202, 203]);
    }
    let stream = engine.service.stream(&alice(), &id, StreamStart::Now).await;
    let told: Vec<_> = stream.unwrap().map(|told| told.message.clone()).collect().await;
    assert!(matches!(
        &told[..],
        [StreamMessage::Job { .. }, StreamMessage::End { .. }]
    ));
}

#[tokio::test]
async fn a_slow_reader_of_a_long_job_misses_nothing() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "long").await;
    let mut stream = engine
        .service
        .stream(&alice(), &id, StreamStart::Beginning)
        .await
        .unwrap();
    trainer.train_from(0).await;
    // More than a page of the store and than any channel holds, before the reader reads anything.
    for step in 1..=1300 {
        trainer.step(step).await;
    }
    trainer.finish(1300).await;
    engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    let mut steps = Vec::new();
    let mut ended = false;
    while let Some(told) = stream.next().await {
        match &told.message {
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
    let stream = engine
        .service
        .stream(&alice(), &id, StreamStart::Beginning)
        .await
        .unwrap();
    let service = engine.service.clone();
    let down = tokio::spawn(async move { service.shutdown().await });
    let told: Vec<_> = stream.collect().await;
    assert!(
        !told
            .iter()
            .any(|told| matches!(told.message, StreamMessage::End { .. }))
    );
    trainer.exit(crate::executor::Exit::Code(10));
    down.await.unwrap();
}

#[tokio::test]
async fn what_is_told_is_read_and_rendered_once_for_all_who_follow() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "shared").await;
    let mut told = Vec::new();
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = engine
            .service
            .stream(&alice(), &id, StreamStart::Beginning)
            .await
            .unwrap();
        // Told only once the job was read: the step comes after that.
        stream.next().await.unwrap();
        streams.push(stream);
    }
    assert_eq!(engine.service.counters().await.unwrap().streams_open, 3);
    trainer.train_from(0).await;
    trainer.step(1).await;
    for stream in &mut streams {
        let mut steps = stream.filter(|told| ready(matches!(told.message, StreamMessage::Metrics { .. })));
        told.push(steps.next().await.unwrap());
    }
    assert_eq!(told[0].rendered(|_| Bytes::from_static(b"once")), "once");
    for other in &told[1..] {
        assert!(Arc::ptr_eq(&told[0], other));
        assert_eq!(other.rendered(|_| Bytes::from_static(b"again")), "once");
    }
    drop(streams);
    assert_eq!(engine.service.counters().await.unwrap().streams_open, 0);
}
