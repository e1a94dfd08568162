//! Curves of very many steps.

use crate::{
    curves::{LEVELS, level_for},
    executor::Exit,
    store::{curve_blocks, steps},
    testing::*,
};
use futures_util::StreamExt as _;
use shared::{
    decimate::{m4, m4_by},
    id::JobId,
    metrics::{Metrics, MetricsQuery, Series, SeriesSet},
    run::StepMetrics,
    status::JobStatus,
    timestamp::Timestamp,
};
use std::time::Duration;

const STEPS: u64 = 70_000;

/// A noisy curve with spikes, a hole of no numbers, and validation now and then.
fn measured(step: u64) -> StepMetrics {
    let noise = (step.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f64 / 1e8;
    let train_loss = match step {
        60_000..60_010 => f64::NAN,
        step if step.is_multiple_of(977) => 50.0 + step as f64 / 1e4,
        step => 1000.0 / (step as f64 + 400.0) + noise,
    };
    StepMetrics {
        step,
        total_steps: STEPS,
        epoch: step as f64 / 1e4,
        train_loss,
        train_token_accuracy: 0.5,
        learning_rate: 1e-3,
        gradient_norm: 1.0 + noise,
        tokens: 50 + step % 7,
        trained_tokens: None,
        valid_loss: step.is_multiple_of(5_000).then_some(2.0),
        valid_token_accuracy: None,
        rewards: None,
        valid_rewards: None,
    }
}

async fn record(engine: &TestEngine, id: &JobId, steps: impl Iterator<Item = u64>) {
    let mut transaction = engine.service.inner.store.begin().await.unwrap();
    for step in steps {
        let seq = i64::try_from(step).unwrap() + 1_000_000;
        let now = engine.service.now();
        steps::insert(&mut transaction, id.as_str(), &alice(), seq, now, &measured(step))
            .await
            .unwrap();
    }
    transaction.commit().await.unwrap();
}

async fn look(engine: &TestEngine, id: &JobId, from: u64, to: u64, columns: u32) -> Metrics {
    let query = MetricsQuery {
        from: Some(from),
        to: Some(to),
        points: Some(columns),
        ..MetricsQuery::default()
    };
    engine.service.job_metrics(&alice(), id, &query).await.unwrap()
}

#[tokio::test]
async fn a_long_curve_in_small_is_what_its_steps_themselves_give() {
    let engine = TestEngine::start().await;
    let (id, _trainer) = engine.running_job(&alice(), "long").await;
    // A step is missing at first: no block is made across the hole, and all of the curve is told nonetheless.
    record(&engine, &id, (1..=STEPS).filter(|step| *step != 9_000)).await;
    let store = &engine.service.inner.store;
    for round in ["with a hole", "whole"] {
        for (from, to, columns) in [
            (1, STEPS, 800),
            (1, STEPS, 100),
            (3_333, 59_999, 150),
            (60_001, 69_000, 40),
            (69_000, 500_000, 10),
        ] {
            let metrics = look(&engine, &id, from, to, columns).await;
            let end = to.min(STEPS);
            let looked_at = [Series::TrainLoss, Series::Tokens, Series::ValidLoss];
            for curve in metrics
                .curves
                .iter()
                .filter(|curve| looked_at.contains(&curve.series))
            {
                let wanted = SeriesSet::of(&[curve.series]);
                let mut read = steps::points(store.read(), &alice(), &id, wanted, from, end)
                    .await
                    .unwrap();
                let (_, points) = read.remove(0);
                let expected = match level_for(end - from + 1, columns) {
                    None => m4(&points, from, to, columns),
                    Some((_, width)) => m4_by(&points, |step| step / width),
                };
                assert_eq!(
                    curve.total_points,
                    points.len() as u64,
                    "{round} {:?} {from} to {to}",
                    curve.series
                );
                let told: Vec<_> = curve
                    .steps
                    .iter()
                    .copied()
                    .zip(curve.values.iter().copied())
                    .collect();
                let expected: Vec<_> = expected
                    .into_iter()
                    .map(|(step, value)| (step, value.is_finite().then_some(value)))
                    .collect();
                assert_eq!(told, expected, "{round} {:?} {from} to {to}", curve.series);
            }
            assert!(
                metrics
                    .curves
                    .iter()
                    .any(|curve| curve.series == Series::TrainLoss)
            );
        }
        let made = curve_blocks::made(store.read(), &id, LEVELS[0].width)
            .await
            .unwrap();
        let complete = i64::try_from((STEPS + 1) / LEVELS[0].block).unwrap();
        assert_eq!(made, if round == "whole" { complete } else { 2 }, "{round}");
        record(&engine, &id, 9_000..=9_000).await;
    }
    let coarse = curve_blocks::made(store.read(), &id, LEVELS[1].width)
        .await
        .unwrap();
    assert_eq!(coarse, 1);
}

#[tokio::test]
async fn blocks_go_with_their_job() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "short-lived").await;
    trainer.train_from(0).await;
    trainer.step(1).await;
    engine.wait_step(&alice(), &id, 1).await;
    record(&engine, &id, 2..=5_000).await;
    look(&engine, &id, 1, 5_000, 10).await;
    let store = &engine.service.inner.store;
    assert_eq!(
        curve_blocks::made(store.read(), &id, LEVELS[0].width)
            .await
            .unwrap(),
        1
    );
    trainer.finish(10).await;
    engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    engine.service.delete_job(&alice(), &id).await.unwrap();
    assert_eq!(
        curve_blocks::made(store.read(), &id, LEVELS[0].width)
            .await
            .unwrap(),
        0
    );
}

#[tokio::test]
async fn every_point_that_is_kept_has_the_time_at_which_it_was_recorded() {
    let engine = TestEngine::start().await;
    let (id, _trainer) = engine.running_job(&alice(), "long").await;
    let last = 12_000;
    // A step takes 100 ms; in the midst of it all, training rested for an hour.
    let at = |step: u64| 100 * (step - 1) + if step > 5_000 { 3_600_000 } else { 0 };
    let mut transaction = engine.service.inner.store.begin().await.unwrap();
    for step in 1..=last {
        let seq = i64::try_from(step).unwrap() + 1_000_000;
        let now = Timestamp::from_unix_ms(1_800_000_000_000 + i64::try_from(at(step)).unwrap());
        steps::insert(&mut transaction, id.as_str(), &alice(), seq, now, &measured(step))
            .await
            .unwrap();
    }
    transaction.commit().await.unwrap();
    for (from, to) in [(1, last), (4_000, 9_000), (100, 220)] {
        let query = MetricsQuery {
            from: Some(from),
            to: Some(to),
            points: Some(200),
            series: Some(SeriesSet::of(&[Series::TrainLoss, Series::ValidLoss])),
            times: true,
        };
        let metrics = engine.service.job_metrics(&alice(), &id, &query).await.unwrap();
        let times = metrics.times.unwrap();
        let known: std::collections::BTreeMap<_, _> =
            times.steps.iter().copied().zip(times.elapsed_ms).collect();
        assert!(known.iter().all(|(step, elapsed)| *elapsed == at(*step)));
        assert!(known.contains_key(&from) && known.contains_key(&to));
        let kept = metrics.curves.iter().flat_map(|curve| &curve.steps);
        assert!(kept.into_iter().all(|step| known.contains_key(step)));
        assert!(known.len() <= 1_000, "{} are few", known.len());
    }
    assert_eq!(look(&engine, &id, 1, last, 200).await.times, None, "nobody asked");
}

#[tokio::test]
async fn the_times_at_both_sides_of_a_pause_are_told_whatever_else_is_kept() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.job_at_step(&alice(), "rested", 3).await;
    trainer.exit(Exit::Signal(9));
    let trainer = engine.trainer().await;
    // Not as long as the lease.
    engine.clock.advance(Duration::from_secs(20));
    trainer.train_from(3).await;
    for step in 4..=9 {
        trainer.step(step).await;
    }
    engine.wait_step(&alice(), &id, 9).await;
    let query = MetricsQuery {
        points: Some(1),
        series: Some(SeriesSet::of(&[Series::Tokens])),
        times: true,
        ..MetricsQuery::default()
    };
    let times = engine
        .service
        .job_metrics(&alice(), &id, &query)
        .await
        .unwrap()
        .times
        .unwrap();
    let place = |step| times.steps.iter().position(|known| *known == step).unwrap();
    let (before, after) = (times.elapsed_ms[place(3)], times.elapsed_ms[place(4)]);
    assert!(after - before >= 20_000, "{times:?}");
    let csv: Vec<_> = engine
        .service
        .metrics_csv(&alice(), &id)
        .await
        .unwrap()
        .collect()
        .await;
    let csv = csv
        .into_iter()
        .map(|part| String::from_utf8(part.unwrap().to_vec()).unwrap())
        .collect::<String>();
    let rows: Vec<&str> = csv.lines().collect();
    assert!(
        rows[0].starts_with("step,recorded_at,epoch,") && rows.len() == 10,
        "{csv}"
    );
    assert!(rows[4].starts_with("4,2027-01-15T"), "{csv}");
    assert!(
        rows.iter()
            .all(|row| row.split(',').count() == rows[0].split(',').count()),
        "{csv}"
    );
}
