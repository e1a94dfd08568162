//! The form that makes a webhook.

use crate::{
    api::ApiError,
    browser,
    components::{
        button::button,
        field::{FieldProps, control_id, text_field},
        toast::use_toaster,
    },
    kept::use_kept,
    query::hooks::use_store,
    text,
};
use shared::webhook::{NewWebhook, WebhookEvent};
use std::rc::Rc;
use yew::prelude::*;

const URL: &str = "webhook_url";
/// The id of the first event's box.
const FIRST_EVENT: &str = "webhook-first-event";

#[derive(PartialEq)]
pub(super) struct AddingProps {
    /// It was made, with this secret.
    pub(super) made: Callback<String>,
    /// The form was given up.
    pub(super) cancel: Callback<()>,
}

/// What stands under the fields: the address's, the choice's.
#[derive(Clone, Default)]
struct Errors {
    url: Option<String>,
    events: bool,
}

impl Errors {
    /// The id of the first control that one stands under.
    fn first(&self) -> Option<String> {
        if self.url.is_some() {
            return Some(control_id(URL));
        }
        self.events.then(|| FIRST_EVENT.to_owned())
    }
}

#[hook]
pub(super) fn use_adding(props: Rc<AddingProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let url = use_kept(String::new);
    let events = use_kept(|| WebhookEvent::ALL.to_vec());
    let errors = use_kept(Errors::default);
    let sending = use_kept(|| false);
    let onsubmit = {
        let (props, url, events) = (Rc::clone(&props), url.clone(), events.clone());
        let (errors, sending) = (errors.setter(), sending.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let webhook = NewWebhook {
                url: url.trim().to_owned(),
                events: (*events).clone(),
            };
            let found = errors_before(&webhook);
            let wrong = found.first();
            errors.set(found);
            if let Some(id) = wrong {
                browser::focus_id(&id);
                return;
            }
            if *sending {
                return;
            }
            sending.set(true);
            let (store, toaster, props) = (store.clone(), toaster.clone(), Rc::clone(&props));
            let (errors, sending) = (errors.clone(), sending.setter());
            wasm_bindgen_futures::spawn_local(async move {
                match store.create_webhook(&webhook).await {
                    Ok(created) => props.made.emit(created.secret),
                    Err(error) => {
                        sending.set(false);
                        match refused_url(&error) {
                            Some(url) => {
                                errors.set(Errors {
                                    url: Some(url),
                                    events: false,
                                });
                                browser::focus_id(&control_id(URL));
                            }
                            None => toaster.tell(Err(error)),
                        }
                    }
                }
            });
        })
    };
    let field = FieldProps {
        field: URL,
        label: text::webhook_url(),
        hint: text::hint_webhook_url(),
        error: errors.url.clone(),
        value: (*url).clone(),
        required: true,
        on_change: {
            let url = url.setter();
            Callback::from(move |typed| url.set(typed))
        },
        ..FieldProps::default()
    };
    let choices = WebhookEvent::ALL.map(|event| {
        let checked = events.contains(&event);
        let id = (event == WebhookEvent::ALL[0]).then_some(FIRST_EVENT);
        let onchange = {
            let events = events.clone();
            Callback::from(move |_: Event| {
                let now = |known: &WebhookEvent| events.contains(known) != (*known == event);
                events.set(WebhookEvent::ALL.into_iter().filter(now).collect());
            })
        };
        html! {
            <label key={event.as_str()} class="check-line">
                <input type="checkbox" {id} {checked} {onchange} />{ text::webhook_event_label(event) }
            </label>
        }
    });
    let send = if *sending { "true" } else { "false" };
    html! {
        <form class="card-body stack-small setting-form" novalidate=true {onsubmit}>
            { text_field(&field) }
            <fieldset class="choices" aria-describedby="webhook-events-error">
                <legend>{ text::webhook_events() }</legend>
                { for choices }
                <p class="field-error" id="webhook-events-error">{ if errors.events { text::webhook_events_missing() } else { "" } }</p>
            </fieldset>
            <div class="buttons">
                <button type="submit" class="button primary" aria-busy={send}>{ text::create_webhook() }</button>
                { button("button", text::cancel(), props.cancel.reform(|_| ())) }
            </div>
        </form>
    }
}

/// What can be told before the server is asked. No event at all would mean every one to it.
fn errors_before(webhook: &NewWebhook) -> Errors {
    Errors {
        url: (webhook.url.is_empty()).then(|| text::webhook_url_missing().to_owned()),
        events: webhook.events.is_empty(),
    }
}

/// What the server has against the address, if that is what it refused.
fn refused_url(error: &ApiError) -> Option<String> {
    let ApiError::Problem(problem) = error else {
        return None;
    };
    let code = problem.field_codes.get("url").map(|code| code.code.as_str());
    let known = match code {
        Some("invalid_url") => text::webhook_url_unreadable(),
        Some("https_required") => text::webhook_url_not_encrypted(),
        Some("private_address") => text::webhook_url_private(),
        _ => return problem.fields.get("url").map(|message| text::sentence(message)),
    };
    Some(known.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(field: &str, code: &str) -> ApiError {
        let json = format!(
            r#"{{"title":"t","status":400,"code":"invalid","fields":{{"{field}":"said so"}},"field_codes":{{"{field}":{{"code":"{code}"}}}}}}"#
        );
        crate::api::refusal(400, &json)
    }

    #[test]
    fn what_the_server_has_against_an_address_stands_under_it() {
        let told = |code| refused_url(&refusal("url", code)).expect("it is about the address");
        let codes = ["invalid_url", "https_required", "private_address", "made_later"];
        let all: std::collections::BTreeSet<_> = codes.map(told).into_iter().collect();
        assert_eq!(all.len(), codes.len(), "{all:?}");
        assert_eq!(told("made_later"), "Said so.");
        assert_eq!(refused_url(&refusal("name", "too_long")), None);
        assert_eq!(refused_url(&ApiError::Unreachable), None);
    }

    #[test]
    fn an_empty_address_and_no_event_are_told_before_the_server_is_asked() {
        let nothing = NewWebhook {
            url: String::new(),
            events: Vec::new(),
        };
        let found = errors_before(&nothing);
        assert!(found.url.is_some() && found.events);
        assert_eq!(found.first(), Some(control_id(URL)));
        let url = None;
        assert_eq!(Errors { url, ..found }.first().as_deref(), Some(FIRST_EVENT));
        let full = NewWebhook {
            url: "https://a.example".to_owned(),
            events: vec![WebhookEvent::JobFailed],
        };
        let found = errors_before(&full);
        assert_eq!(found.first(), None);
    }
}
