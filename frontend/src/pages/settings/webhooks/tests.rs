//! The states of the card and of a log.

use super::*;
use crate::{
    api::{ApiError, json},
    language::{Language, speak_in_test},
    query::Loaded,
};
use shared::webhook::DeliveryList;

#[derive(Properties, PartialEq)]
struct HostProps {
    text: Option<&'static str>,
    failed: bool,
}

#[component]
fn Log(host: &HostProps) -> Html {
    let loaded = Loaded::<DeliveryList> {
        data: (host.text).map(|text| Rc::new(json::read(text).expect("deliveries"))),
        error: host.failed.then_some(ApiError::Unreachable),
        fetching: false,
        retry: Callback::noop(),
    };
    row::log(&loaded, 1_800_000_000_000)
}

async fn draw(text: Option<&'static str>, failed: bool) -> String {
    yew::LocalServerRenderer::<Log>::with_props(HostProps { text, failed })
        .hydratable(false)
        .render()
        .await
}

const DELIVERIES: &str = r#"{"deliveries":[
    {"event_id":"evt_1","event":"fine_tuning.job.failed","job_id":"ftjob-1","created_at":"2027-01-15T07:59:00Z",
     "status":"pending","tries":2,"tried_at":"2027-01-15T07:59:30Z","next_try_at":"2027-01-15T09:00:00Z",
     "response_status":503,"error":"the address answered 503"},
    {"event_id":"evt_2","event":"fine_tuning.job.succeeded","job_id":"ftjob-2","created_at":"2027-01-14T08:00:00Z",
     "status":"delivered","tries":1,"response_status":204}]}"#;

#[tokio::test]
async fn a_log_tells_when_what_and_what_came_of_it() {
    let html = draw(Some(DELIVERIES), false).await;
    for words in [
        "1 min ago",
        "Job failed",
        "Waiting",
        "The address answered 503.",
        "Next try: 2027-01-15T09:00:00Z",
        "Job completed",
        "Delivered",
        "HTTP 204",
    ] {
        assert!(html.contains(words), "{words}: {html}");
    }
    speak_in_test(Language::German);
    let html = draw(Some(DELIVERIES), false).await;
    speak_in_test(Language::English);
    for words in ["Job fehlgeschlagen", "Wartet", "Zugestellt", "Nächster Versuch"] {
        assert!(html.contains(words), "{words}: {html}");
    }
}

#[tokio::test]
async fn a_log_is_loading_empty_or_out_of_reach() {
    assert!(draw(None, false).await.contains("aria-busy=\"true\""));
    assert!(
        draw(Some(r#"{"deliveries":[]}"#), false)
            .await
            .contains("Nothing was sent yet")
    );
    let failed = draw(None, true).await;
    assert!(
        failed.contains("can't be reached") || failed.contains("can&#x27;t be reached"),
        "{failed}"
    );
    assert!(failed.contains("Retry"), "{failed}");
}
