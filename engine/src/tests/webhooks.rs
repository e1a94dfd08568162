//! Webhooks: told when a job ends, however often it takes, and never into the operator's network.

mod receiver;

use crate::{
    error::Error,
    executor::Exit,
    store::deliveries::{self, Due, Tried},
    testing::{TestEngine, alice, mallory},
};
use receiver::Receiver;
use serde_json::json;
use shared::{
    id::WebhookId,
    run::RunEvent,
    status::JobStatus,
    webhook::{CreatedWebhook, Delivery, DeliveryStatus, NewWebhook, WebhookEvent},
};
use std::time::Duration;

async fn engine() -> TestEngine {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    TestEngine::start_with(|config| config.webhooks.private_hosts = vec!["127.0.0.1".to_owned()]).await
}

async fn add(engine: &TestEngine, url: &str, events: &[WebhookEvent]) -> CreatedWebhook {
    let new = NewWebhook {
        url: url.to_owned(),
        events: events.to_vec(),
    };
    engine.service.create_webhook(&alice(), new).await.unwrap()
}

/// The newest delivery once it is as wanted.
async fn delivery(engine: &TestEngine, id: &WebhookId, wanted: impl Fn(&Delivery) -> bool) -> Delivery {
    let found = async {
        loop {
            let list = engine.service.list_deliveries(&alice(), id).await.unwrap();
            if let Some(found) = list.deliveries.into_iter().next().filter(&wanted) {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), found)
        .await
        .expect("the delivery comes to that")
}

#[tokio::test]
async fn an_end_is_told_again_after_refusals_and_restarts_until_it_is_taken() {
    let mut receiver = Receiver::start().await;
    receiver.answers.lock().unwrap().extend([500, 302]);
    let engine = engine().await;
    let created = add(&engine, &receiver.url, &[]).await;
    assert_eq!(created.webhook.events, WebhookEvent::ALL);
    let job = engine.job(&alice(), "told").await;
    let trainer = engine.trainer().await;
    engine.service.cancel_job(&alice(), &job.id).await.unwrap();
    drop(trainer);

    let first = receiver.next().await;
    let event = first.event(&created.secret);
    assert_eq!(
        (&event["type"], &event["data"]),
        (&json!("fine_tuning.job.cancelled"), &json!({"id": job.id}))
    );
    assert_eq!(
        (&event["object"], &event["id"]),
        (&json!("event"), &json!(first.header("webhook-id")))
    );
    let refused = delivery(&engine, &created.webhook.id, |delivery| delivery.tries == 1).await;
    assert_eq!(
        (refused.status, refused.response_status),
        (DeliveryStatus::Pending, Some(500))
    );
    let wait = refused.next_try_at.unwrap().unix_ms() - refused.tried_at.unwrap().unix_ms();
    assert_eq!(wait, 5_000);

    // The next server goes on, each time after three times as long.
    engine.clock.advance(Duration::from_secs(5));
    let engine = engine.restart().await;
    let second = receiver.next().await;
    assert_eq!(second.header("webhook-id"), first.header("webhook-id"));
    assert_ne!(
        second.header("webhook-timestamp"),
        first.header("webhook-timestamp")
    );
    assert_eq!(second.event(&created.secret), event);
    let redirected = delivery(&engine, &created.webhook.id, |delivery| delivery.tries == 2).await;
    assert_eq!(
        redirected.error.as_deref(),
        Some("the address redirects, which isn't followed")
    );
    let wait = redirected.next_try_at.unwrap().unix_ms() - redirected.tried_at.unwrap().unix_ms();
    assert_eq!(wait, 15_000);
    engine.clock.advance(Duration::from_secs(15));
    let engine = engine.restart().await;
    receiver.next().await;
    let taken = delivery(&engine, &created.webhook.id, |delivery| delivery.tries == 3).await;
    assert_eq!(
        (taken.status, taken.response_status, taken.next_try_at),
        (DeliveryStatus::Delivered, Some(200), None)
    );
    assert!(
        receiver.received.try_recv().is_err(),
        "no redirect was followed, nothing came twice"
    );
}

#[tokio::test]
async fn each_way_to_end_is_told_to_those_who_asked_for_it() {
    let (mut all, mut successes) = (Receiver::start().await, Receiver::start().await);
    let engine = engine().await;
    let every = add(&engine, &all.url, &[]).await;
    let success = add(
        &engine,
        &successes.url,
        &[WebhookEvent::JobSucceeded, WebhookEvent::JobSucceeded],
    )
    .await;
    let (done, trainer) = engine.job_at_step(&alice(), "done", 1).await;
    trainer.checkpoint(1).await;
    trainer.finish(1).await;
    engine.wait_status(&alice(), &done, JobStatus::Succeeded).await;
    // What succeeds is given an instant of its own, which may lie a little ahead of the clock.
    engine.clock.advance(Duration::from_secs(1));
    assert_eq!(
        all.next().await.event(&every.secret)["type"],
        "fine_tuning.job.succeeded"
    );
    assert_eq!(
        successes.next().await.event(&success.secret)["data"]["id"],
        done.as_str()
    );
    let (failed, trainer) = engine.running_job(&alice(), "broken").await;
    let told = RunEvent::Failed {
        step: 0,
        code: "nan_loss".to_owned(),
        message: "the loss is not a number".to_owned(),
        line: None,
    };
    trainer.say(told).await;
    trainer.exit(Exit::Code(3));
    engine.wait_status(&alice(), &failed, JobStatus::Failed).await;
    let event = all.next().await.event(&every.secret);
    assert_eq!(
        (&event["type"], &event["data"]["id"]),
        (&json!("fine_tuning.job.failed"), &json!(failed))
    );
    // Somebody else's end is told to nobody here.
    let theirs = engine.job(&mallory(), "theirs").await.id;
    engine.service.cancel_job(&mallory(), &theirs).await.unwrap();
    let engine = engine.restart().await;
    let told = engine
        .service
        .list_deliveries(&alice(), &every.webhook.id)
        .await
        .unwrap();
    assert_eq!(told.deliveries.len(), 2);
    assert!(successes.received.try_recv().is_err());
}

#[tokio::test]
async fn an_end_that_can_not_be_put_into_the_outbox_does_not_come_about() {
    let receiver = Receiver::start().await;
    let engine = engine().await;
    add(&engine, &receiver.url, &[]).await;
    let job = engine.job(&alice(), "undecided").await;
    let mut transaction = engine.service.inner.store.begin().await.unwrap();
    sqlx::query("CREATE TRIGGER refusal BEFORE INSERT ON deliveries BEGIN SELECT RAISE(ABORT, 'full'); END")
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert!(engine.service.cancel_job(&alice(), &job.id).await.is_err());
    assert!(
        !engine
            .service
            .find_job(&alice(), &job.id)
            .await
            .unwrap()
            .status
            .is_terminal()
    );
}

#[tokio::test]
async fn nothing_is_told_into_a_private_network_that_the_operator_has_not_listed() {
    let mut receiver = Receiver::start().await;
    let refused = async |engine: &TestEngine, url: &str| {
        let new = NewWebhook {
            url: url.to_owned(),
            events: Vec::new(),
        };
        match engine.service.create_webhook(&alice(), new).await {
            Err(Error::Invalid(findings)) => findings["url"].code.clone(),
            other => panic!("{:?}", other.map(|created| created.webhook)),
        }
    };
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let strict = TestEngine::start().await;
    assert_eq!(refused(&strict, "https://127.0.0.1/").await, "private_address");
    assert_eq!(refused(&strict, "http://example.com/").await, "https_required");
    assert_eq!(
        refused(&strict, "https://me:word@example.com/").await,
        "invalid_url"
    );
    // A name looks innocent until it is resolved, and that is when it is looked at.
    let inside = receiver.url.replace("http://127.0.0.1", "https://localhost");
    let created = add(&strict, &inside, &[]).await;
    let tested = strict
        .service
        .test_webhook(&alice(), &created.webhook.id)
        .await
        .unwrap();
    assert_eq!((tested.status, tested.tries), (DeliveryStatus::Failed, 1));
    assert!(tested.error.unwrap().contains("private network"));
    assert!(receiver.received.try_recv().is_err());

    // What was allowed once and isn't any more goes nowhere either.
    let engine = engine().await;
    let created = add(&engine, &receiver.url, &[]).await;
    let tested = engine
        .service
        .test_webhook(&alice(), &created.webhook.id)
        .await
        .unwrap();
    assert_eq!(
        (tested.status, tested.response_status),
        (DeliveryStatus::Delivered, Some(200))
    );
    assert_eq!(
        receiver.next().await.event(&created.secret)["data"]["id"],
        "ftjob-test"
    );
    let strict = engine
        .restart_with(|config| config.webhooks.private_hosts.clear())
        .await;
    let tested = strict
        .service
        .test_webhook(&alice(), &created.webhook.id)
        .await
        .unwrap();
    assert_eq!(tested.status, DeliveryStatus::Failed);
    assert!(receiver.received.try_recv().is_err());
}

#[tokio::test]
async fn a_delivery_is_given_up_after_three_days_and_at_once_where_the_address_is_gone() {
    let mut receiver = Receiver::start().await;
    receiver.answers.lock().unwrap().extend([500, 500, 410]);
    let mut engine = engine().await;
    let created = add(&engine, &receiver.url, &[]).await;
    let id = &created.webhook.id;
    let ended = engine.job(&alice(), "late").await.id;
    engine.service.cancel_job(&alice(), &ended).await.unwrap();
    receiver.next().await;
    delivery(&engine, id, |delivery| delivery.tries == 1).await;
    engine.clock.advance(Duration::from_secs(72 * 3600));
    engine = engine.restart().await;
    receiver.next().await;
    let given_up = delivery(&engine, id, |delivery| delivery.tries == 2).await;
    assert_eq!(
        (given_up.status, given_up.next_try_at),
        (DeliveryStatus::Failed, None)
    );

    let ended = engine.job(&alice(), "gone").await.id;
    engine.service.cancel_job(&alice(), &ended).await.unwrap();
    receiver.next().await;
    let gone = delivery(&engine, id, |delivery| {
        delivery.job_id == ended.as_str() && delivery.tries == 1
    })
    .await;
    assert_eq!(
        (gone.status, gone.response_status),
        (DeliveryStatus::Failed, Some(410))
    );
    engine.clock.advance(Duration::from_secs(31 * 24 * 3600));
    engine.service.sweep().await.unwrap();
    let left = engine.service.list_deliveries(&alice(), id).await.unwrap();
    assert!(left.deliveries.is_empty());
}

#[tokio::test]
async fn webhooks_are_their_owners_and_their_secrets_are_told_once() {
    let engine = engine().await;
    let created = add(&engine, "https://example.com/a", &[WebhookEvent::JobFailed]).await;
    assert!(created.secret.starts_with("whsec_") && created.secret.len() == 50);
    let id = &created.webhook.id;
    let list = engine.service.list_webhooks(&alice()).await.unwrap();
    assert_eq!(list.webhooks, std::slice::from_ref(&created.webhook));
    assert!(!serde_json::to_string(&list).unwrap().contains("whsec_"));
    let service = &engine.service;
    assert!(
        service
            .list_webhooks(&mallory())
            .await
            .unwrap()
            .webhooks
            .is_empty()
    );
    assert!(matches!(
        service.list_deliveries(&mallory(), id).await,
        Err(Error::NotFound(_))
    ));
    assert!(matches!(
        service.test_webhook(&mallory(), id).await,
        Err(Error::NotFound(_))
    ));
    assert!(matches!(
        service.delete_webhook(&mallory(), id).await,
        Err(Error::NotFound(_))
    ));
    service.delete_webhook(&alice(), id).await.unwrap();
    assert!(matches!(
        service.delete_webhook(&alice(), id).await,
        Err(Error::NotFound(_))
    ));
    for number in 0..20 {
        add(&engine, &format!("https://example.com/{number}"), &[]).await;
    }
    let new = NewWebhook {
        url: "https://example.com/more".to_owned(),
        events: Vec::new(),
    };
    let more = service.create_webhook(&alice(), new).await;
    assert_eq!(more.err().map(|error| error.code()), Some("too_many_webhooks"));
}

#[tokio::test]
async fn what_is_done_with_is_neither_sent_again_nor_recorded_anew() {
    let mut receiver = Receiver::start().await;
    let engine = engine().await;
    let created = add(&engine, &receiver.url, &[]).await;
    let id = &created.webhook.id;
    let job = engine.job(&alice(), "told").await;
    let trainer = engine.trainer().await;
    engine.service.cancel_job(&alice(), &job.id).await.unwrap();
    drop(trainer);
    receiver.next().await;
    let delivered = delivery(&engine, id, |it| it.status == DeliveryStatus::Delivered).await;
    // As a look at the outbox found it before it was sent.
    let due = Due {
        webhook: id.clone(),
        url: receiver.url.clone(),
        secret: created.secret.clone(),
        delivery: delivered.clone(),
    };
    receiver.answers.lock().unwrap().push_back(500);
    engine.service.deliver(&due).await.unwrap();
    assert!(receiver.received.try_recv().is_err());
    let failed = Tried {
        status: DeliveryStatus::Failed,
        next_try_at: None,
        response_status: Some(500),
        error: Some("late"),
    };
    let now = engine.service.now();
    let mut transaction = engine.service.inner.store.begin().await.unwrap();
    deliveries::record(&mut transaction, id, &delivered.event_id, &failed, now)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(delivery(&engine, id, |_| true).await, delivered);
}
