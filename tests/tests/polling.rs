//! A hundred open dashboards are not a hundred pollers of the hosted API behind them.

use axum::{Json, Router, routing::get};
use futures_util::future::join_all;
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tests::{api::Api, server::Setup};
use tokio::{net::TcpListener, time::interval};

const DASHBOARDS: usize = 100;
const SECONDS: usize = 4;

#[tokio::test]
async fn a_hundred_dashboards_ask_the_upstream_once_a_second() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let list = move || {
        let counter = Arc::clone(&counter);
        async move {
            counter.fetch_add(1, Ordering::SeqCst);
            Json(json!({"jobs": []}))
        }
    };
    let router = Router::new().route("/api/jobs", get(list));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let upstream = format!("http://{}/api", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    let server = Setup::new()
        .with("ATTUNE_UPSTREAM__KIND", "job-training-api")
        .with("ATTUNE_UPSTREAM__BASE_URL", upstream)
        .with("ATTUNE_UPSTREAM__API_KEY", "a-key")
        .start()
        .await;
    let api = Api::signed_in(&server).await;

    let begun = Instant::now();
    let dashboards = (0..DASHBOARDS).map(|_| async {
        let mut ticks = interval(Duration::from_millis(250));
        let mut answers = 0;
        while begun.elapsed() < Duration::from_secs(SECONDS as u64) {
            ticks.tick().await;
            assert_eq!(api.get("/api/jobs?limit=6").await.status, 200);
            answers += 1;
        }
        answers
    });
    let answers: usize = join_all(dashboards).await.into_iter().sum();
    let seconds = usize::try_from(begun.elapsed().as_secs()).expect("a short time");
    assert!(answers >= DASHBOARDS * 2, "{answers} answers");
    let asked = asked.load(Ordering::SeqCst);
    assert!(
        (2..=seconds + 1).contains(&asked),
        "{asked} calls of the upstream in {seconds} s for {answers} answers"
    );
}
