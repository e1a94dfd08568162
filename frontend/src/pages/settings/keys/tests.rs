//! What a row and a new secret say.

use super::*;
use crate::{
    api::json,
    language::{Language, speak_in_test},
};

const KEYS: &str = r#"{"keys":[
    {"id":"key-1","name":"notebook","created_at":"2027-01-15T07:59:00Z"},
    {"id":"key-2","name":"boss","admin":true,"created_at":"2027-01-14T08:00:00Z","last_used_at":"2027-01-15T07:00:00Z"}]}"#;

#[component]
fn Rows() -> Html {
    let list: ApiKeyList = json::read(KEYS).expect("keys");
    let rows = (list.keys.iter()).map(|key| row(key, 1_800_000_000_000, &Callback::noop()));
    html! { <ul>{ for rows }</ul> }
}

#[component]
fn Secret() -> Html {
    let props = || SecretProps {
        id: SECRET,
        title: text::key_secret_title(),
        once: text::key_secret_once("http://127.0.0.1:8080/v1"),
        copy: (text::copy_key(), text::key_copied()),
        secret: "sk-attune-c2VjcmV0".to_owned(),
        done: Callback::noop(),
    };
    html! { <div>{ part(use_secret, props()) }</div> }
}

async fn draw<C: BaseComponent>() -> String
where
    C::Properties: Default,
{
    let html = yew::LocalServerRenderer::<C>::new().hydratable(false);
    html.render().await
}

#[tokio::test]
async fn a_row_tells_what_a_key_is_called_and_when_it_was_made_and_used() {
    let html = draw::<Rows>().await;
    for words in [
        "notebook",
        "key-1",
        "Made <time",
        "1 min ago",
        "Not used yet",
        "Last used <time",
        "1 h ago",
    ] {
        assert!(html.contains(words), "{words}: {html}");
    }
    assert_eq!(
        html.matches("<span hidden").count(),
        1,
        "one of them administers: {html}"
    );
    assert!(html.contains("aria-label=\"Delete boss\""), "{html}");
    speak_in_test(Language::German);
    let html = draw::<Rows>().await;
    speak_in_test(Language::English);
    for words in [
        "Erstellt <time",
        "Noch nicht benutzt",
        "Zuletzt benutzt <time",
        "boss löschen",
    ] {
        assert!(html.contains(words), "{words}: {html}");
    }
}

#[tokio::test]
async fn a_secret_is_shown_with_the_words_that_it_is_not_shown_again() {
    let html = draw::<Secret>().await;
    for words in [
        "sk-attune-c2VjcmV0",
        "this once",
        "Copy the key",
        "http://127.0.0.1:8080/v1",
    ] {
        assert!(html.contains(words), "{words}: {html}");
    }
}
