//! Alerts: what was planted is found, told once whatever happens to the server, and pauses the job where that is asked.

use crate::{
    Error,
    executor::Exit,
    played::{Played, metrics},
    store::{attempts, steps},
    testing::*,
};
use shared::{
    alert::{
        AlertAction::{self, Notify, Pause},
        AlertCondition::{self, Divergence, Late, LowDisk, NoProgress, NotFinite, Plateau, ValidationRising},
        AlertParameters, AlertRule, AlertRules,
    },
    attempt::AttemptOutcome,
    id::JobId,
    notification::{Notification, NotificationKind, NotificationQuery},
    run::{RunEvent, StepMetrics, exit_code},
    status::JobStatus,
};
use std::time::Duration;

fn rule(condition: AlertCondition, count: Option<u32>, action: AlertAction) -> AlertRule {
    AlertRule {
        condition,
        parameters: AlertParameters {
            count,
            ..AlertParameters::default()
        },
        action,
    }
}

/// Makes new jobs begin with these.
async fn watch_for(engine: &TestEngine, rules: Vec<AlertRule>) {
    let rules = AlertRules { rules };
    let set = engine.service.set_alert_defaults(&alice(), rules.clone()).await;
    assert_eq!(set.unwrap(), rules);
}

fn measured(step: u64, train_loss: f64, valid_loss: Option<f64>) -> StepMetrics {
    StepMetrics {
        total_steps: 1000,
        train_loss,
        valid_loss,
        ..metrics(step)
    }
}

/// Steps from `first` on with these losses.
async fn train(trainer: &Played, first: u64, losses: &[(f64, Option<f64>)]) {
    for (step, (loss, valid)) in (first..).zip(losses) {
        trainer
            .say(RunEvent::Metrics(measured(step, *loss, *valid)))
            .await;
    }
}

/// A training loss that falls, then is ninefold; it diverges by the seventh step where the level is that of four.
const DIVERGING: [(f64, Option<f64>); 7] = [
    (4.0, None),
    (3.0, Some(1.0)),
    (2.0, None),
    (1.0, None),
    (36.0, None),
    (27.0, None),
    (18.0, None),
];

async fn alerts(engine: &TestEngine) -> Vec<Notification> {
    let query = NotificationQuery::default();
    let list = engine.service.list_notifications(&alice(), &query).await.unwrap();
    list.notifications
        .into_iter()
        .filter(|it| it.kind == NotificationKind::Alert)
        .collect()
}

/// What was found in a job, oldest first, once it is so much.
async fn found(engine: &TestEngine, id: &JobId, count: usize) -> Vec<AlertCondition> {
    let mut changed = engine.service.inner.jobs_changed.subscribe(id.as_str());
    loop {
        let alerts = alerts(engine).await;
        if alerts.len() >= count {
            assert!(alerts.iter().all(|it| it.job_id == *id && !it.read));
            return alerts.iter().rev().filter_map(|it| it.condition).collect();
        }
        changed.changed().await.unwrap();
    }
}

#[tokio::test]
async fn what_was_planted_in_the_losses_is_found_once_each() {
    let engine = TestEngine::start().await;
    let rules = vec![
        rule(Divergence, Some(4), Notify),
        rule(Plateau, Some(3), Notify),
        rule(ValidationRising, Some(2), Notify),
    ];
    watch_for(&engine, rules.clone()).await;
    let (id, trainer) = engine.running_job(&alice(), "watched").await;
    let own = engine.service.job_alerts(&alice(), &id).await.unwrap();
    assert_eq!(own.rules, rules);
    trainer.train_from(0).await;
    train(&trainer, 1, &DIVERGING[..4]).await;
    train(&trainer, 5, &[(1.0, None), (1.0, None)]).await;
    train(&trainer, 7, &[(9.0, None), (9.0, None), (9.0, Some(1.1))]).await;
    train(
        &trainer,
        10,
        &[(9.0, Some(0.9)), (9.0, Some(1.1)), (9.0, Some(1.1))],
    )
    .await;
    // Long since told.
    train(
        &trainer,
        13,
        &[(99.0, Some(3.0)), (99.0, Some(3.0)), (99.0, Some(3.0))],
    )
    .await;
    engine.wait_step(&alice(), &id, 15).await;
    assert_eq!(
        found(&engine, &id, 3).await,
        [Plateau, Divergence, ValidationRising]
    );
    let events = engine.events(&alice(), &id).await;
    let told: Vec<_> = events.iter().filter(|it| it.starts_with("Alert: ")).collect();
    assert_eq!(told.len(), 3, "{events:?}");
    assert_eq!(
        told[1],
        "Alert: the training loss is more than 2 times its level of the 4 steps before"
    );
    trainer.finish(15).await;
    engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    assert_eq!(alerts(&engine).await.len(), 3);
}

#[tokio::test]
async fn an_alert_that_pauses_really_pauses_and_only_once() {
    let engine = TestEngine::start().await;
    watch_for(&engine, vec![rule(Divergence, Some(4), Pause)]).await;
    let (id, trainer) = engine.running_job(&alice(), "watched").await;
    trainer.train_from(0).await;
    train(&trainer, 1, &DIVERGING).await;
    trainer.pause_when_asked(7).await;
    engine.wait_status(&alice(), &id, JobStatus::Paused).await;
    let events = engine.events(&alice(), &id).await;
    let alert = events.iter().position(|it| it.starts_with("Alert: "));
    let pause = events
        .iter()
        .position(|it| it == "Pausing: the trainer is asked to save a checkpoint");
    assert!(alert.is_some() && alert < pause, "{events:?}");

    engine.service.resume_job(&alice(), &id).await.unwrap();
    let trainer = engine.trainer().await;
    trainer.train_from(7).await;
    train(&trainer, 8, &[(99.0, None), (99.0, None), (99.0, None)]).await;
    trainer.finish(10).await;
    engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    assert_eq!(found(&engine, &id, 1).await, [Divergence]);
}

#[tokio::test]
async fn a_restart_repeats_nothing_and_forgets_nothing() {
    let engine = TestEngine::start().await;
    let rules = vec![
        rule(Divergence, Some(4), Notify),
        rule(ValidationRising, Some(2), Notify),
    ];
    watch_for(&engine, rules).await;
    let (id, first) = engine.running_job(&alice(), "watched").await;
    first.train_from(0).await;
    train(&first, 1, &DIVERGING).await;
    assert_eq!(found(&engine, &id, 1).await, [Divergence]);
    let engine = engine.crash_and_restart().await;
    let second = engine.trainer().await;
    second.train_from(0).await;
    train(&second, 1, &DIVERGING).await;
    // Above what was validated before the restart.
    train(&second, 8, &[(99.0, Some(2.0)), (99.0, Some(2.0))]).await;
    assert_eq!(found(&engine, &id, 2).await, [Divergence, ValidationRising]);
    let events = engine.events(&alice(), &id).await;
    let told = events.iter().filter(|it| it.starts_with("Alert: ")).count();
    assert_eq!(told, 2, "{events:?}");
    drop(first);
}

#[tokio::test]
async fn what_was_recorded_and_not_looked_at_is_looked_at_by_the_next_server() {
    let engine = TestEngine::start().await;
    watch_for(&engine, vec![rule(Divergence, Some(4), Notify)]).await;
    let (id, first) = engine.running_job(&alice(), "watched").await;
    let mut transaction = engine.service.inner.store.begin().await.unwrap();
    let diverging = (1..).zip(DIVERGING);
    let recorded = diverging.map(|(step, (loss, valid))| measured(step, loss, valid));
    // A better step after it, so that the newest alone don't show it.
    let better = measured(8, 0.1, None);
    let after = (8..12).map(|step| StepMetrics {
        step,
        ..better.clone()
    });
    for told in recorded.chain(after) {
        let seq = i64::try_from(told.step).unwrap() + 1000;
        let now = engine.service.now();
        steps::insert(&mut transaction, id.as_str(), &alice(), seq, now, &told)
            .await
            .unwrap();
    }
    transaction.commit().await.unwrap();
    assert!(alerts(&engine).await.is_empty());
    let engine = engine.crash_and_restart().await;
    let second = engine.trainer().await;
    assert_eq!(found(&engine, &id, 1).await, [Divergence]);
    drop((first, second));
}

#[tokio::test]
async fn time_and_room_are_looked_at_without_a_step_and_by_rules_that_come_late() {
    let engine = TestEngine::start_with(|config| {
        config.alert_interval = Duration::from_millis(10);
        config.lease = Duration::from_secs(100_000);
    })
    .await;
    let (id, trainer) = engine.running_job(&alice(), "watched").await;
    trainer.train_from(0).await;
    let none = engine.service.job_alerts(&alice(), &id).await.unwrap();
    assert_eq!(none.rules, [], "nothing is watched unless it is asked for");
    let mut low_disk = rule(LowDisk, None, Notify);
    low_disk.parameters.bytes = Some(u64::MAX);
    let rules = AlertRules {
        rules: vec![low_disk, rule(NoProgress, None, Notify), rule(Late, None, Notify)],
    };
    engine.service.set_job_alerts(&alice(), &id, rules).await.unwrap();
    assert_eq!(found(&engine, &id, 1).await, [LowDisk]);
    // Eleven steps within 33 seconds, then none for two hours.
    for step in 1..=11 {
        engine.clock.advance(Duration::from_secs(3));
        trainer.say(RunEvent::Metrics(measured(step, 1.0, None))).await;
        engine.wait_step(&alice(), &id, step).await;
    }
    assert_eq!(alerts(&engine).await.len(), 1);
    engine.clock.advance(Duration::from_secs(7200));
    let mut all = found(&engine, &id, 3).await;
    all.sort_unstable();
    assert_eq!(all, [NoProgress, LowDisk, Late]);
    drop(trainer);
}

#[tokio::test]
async fn a_run_that_fails_of_its_numbers_raises_its_alert_once() {
    let engine = TestEngine::start().await;
    watch_for(&engine, vec![rule(NotFinite, None, Notify)]).await;
    let (id, trainer) = engine.job_at_step(&alice(), "watched", 2).await;
    trainer
        .say(RunEvent::Failed {
            step: 3,
            code: "nan_loss".to_owned(),
            message: "the loss of step 3 is NaN".to_owned(),
            line: None,
        })
        .await;
    trainer.exit(Exit::Code(i32::from(exit_code::DIVERGED)));
    engine.wait_status(&alice(), &id, JobStatus::Failed).await;
    assert_eq!(found(&engine, &id, 1).await, [NotFinite]);
    let events = engine.events(&alice(), &id).await;
    assert_eq!(
        events[events.len() - 2..],
        [
            "Alert: the loss or the gradient is not a number",
            "the loss of step 3 is NaN"
        ]
    );
}

#[tokio::test]
async fn the_first_pace_is_that_of_one_attempt() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "retried").await;
    let mut transaction = engine.service.inner.store.begin().await.unwrap();
    let start = engine.service.now();
    let at = |seconds: i64| start.plus_ms(seconds * 1000);
    // A retry takes 100 steps over at once, trains five, and rests for two hours.
    let taken_over = (1_u32..=100).map(|step| (step, 0));
    let first = (101..=105).map(|step| (step, 8 * (i64::from(step) - 100)));
    let second = (106..=120).map(|step| (step, 7200 + 4 * (i64::from(step) - 105)));
    attempts::set_from_step(&mut transaction, id.as_str(), 1, 100)
        .await
        .unwrap();
    let mut pace = None;
    for (step, seconds) in taken_over.chain(first).chain(second) {
        if step == 106 {
            assert_eq!(pace, None, "five steps are none");
            let paused = attempts::Ended::well(AttemptOutcome::Paused);
            attempts::end(&mut transaction, id.as_str(), at(45), paused)
                .await
                .unwrap();
            attempts::begin(&mut transaction, id.as_str(), &alice(), 2, at(7200))
                .await
                .unwrap();
            attempts::set_from_step(&mut transaction, id.as_str(), 2, 105)
                .await
                .unwrap();
        }
        let told = measured(step.into(), 1.0, None);
        steps::insert(
            &mut transaction,
            id.as_str(),
            &alice(),
            1000 + i64::from(step),
            at(seconds),
            &told,
        )
        .await
        .unwrap();
        pace = steps::first_pace(&mut *transaction, id.as_str(), 10, 30_000)
            .await
            .unwrap();
    }
    assert_eq!(pace, Some((40_000, 10)));
    drop(trainer);
}

#[tokio::test]
async fn rules_that_can_not_be_meant_are_refused_and_others_jobs_are_not_there() {
    let engine = TestEngine::start().await;
    let job = engine.job(&alice(), "watched").await;
    let good = AlertRules {
        rules: vec![rule(Plateau, Some(50), Notify)],
    };
    for (rules, code) in [
        (vec![rule(Plateau, Some(0), Notify)], "parameter_out_of_range"),
        (
            vec![rule(Divergence, Some(10_001), Notify)],
            "parameter_out_of_range",
        ),
        (vec![rule(LowDisk, Some(3), Notify)], "unknown_parameter"),
        (
            vec![rule(Plateau, None, Notify), rule(Plateau, None, Pause)],
            "duplicate",
        ),
        (vec![rule(NotFinite, None, Pause)], "action_not_possible"),
    ] {
        let rules = AlertRules { rules };
        let defaults = engine.service.set_alert_defaults(&alice(), rules.clone()).await;
        let own = engine.service.set_job_alerts(&alice(), &job.id, rules).await;
        for refused in [defaults, own] {
            let Err(Error::Invalid(findings)) = refused else {
                panic!("{refused:?}");
            };
            assert_eq!(findings["rules"].code, code);
        }
    }
    let (service, id) = (&engine.service, &job.id);
    service.set_job_alerts(&alice(), id, good.clone()).await.unwrap();
    let read = service.job_alerts(&mallory(), id).await;
    assert!(matches!(read, Err(Error::NotFound(_))));
    let write = service
        .set_job_alerts(&mallory(), id, AlertRules::default())
        .await;
    assert!(matches!(write, Err(Error::NotFound(_))));
    assert_eq!(service.job_alerts(&alice(), id).await.unwrap(), good);
    service.set_alert_defaults(&alice(), good.clone()).await.unwrap();
    let others = service.alert_defaults(&mallory()).await.unwrap();
    assert_eq!(others, AlertRules::default());
    assert_eq!(service.alert_defaults(&alice()).await.unwrap(), good);
}
