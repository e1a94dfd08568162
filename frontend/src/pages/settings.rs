//! Theme, language, alerts, keys, webhooks, session, and what this is.

mod announcements;
mod keys;
mod making;
mod secret;
mod vitals;
mod webhooks;

use crate::{
    api,
    app::Services,
    components::{
        alert_rules::{AlertRulesProps, use_alert_rules},
        button::button,
        card::{card, facts, padded_card, paragraph, words},
        link::link,
        page_header::PageHeader,
        toast::use_toaster,
    },
    kept::use_kept,
    language::{self, Language},
    part::{part, plain_part},
    query::{Poll, hooks::use_store, use_query},
    route::{Route, Section},
    text,
    theme::{self, Theme},
};
use announcements::use_announcements;
use keys::use_keys;
use shared::capabilities::Capabilities;
use vitals::use_vitals;
use webhooks::use_webhooks;
use yew::prelude::*;

/// Theme, language, session, and what this is.
#[hook]
pub fn use_settings_page() -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let services = use_context::<Services>();
    let theme = use_kept(theme::stored);
    let session = use_query(api::session::session(), Poll::Never).data;
    let capabilities = use_query(api::capabilities::capabilities(), Poll::Never).data;
    let theme_choices = Theme::ALL.map(|choice| {
        let onchange = {
            let theme = theme.setter();
            Callback::from(move |_: Event| {
                theme::choose(choice);
                theme.set(choice);
            })
        };
        segment(
            "theme",
            choice.as_str(),
            text::theme_label(choice),
            *theme == choice,
            onchange,
        )
    });
    let language_choices = [None].into_iter().chain(Language::ALL.map(Some)).map(|choice| {
        let services = services.clone();
        let onchange = Callback::from(move |_: Event| {
            if let Some(services) = &services {
                services.choose_language(choice);
            }
        });
        let code = choice.map_or("system", Language::code);
        segment(
            "language",
            code,
            text::language_label(choice),
            language::stored() == choice,
            onchange,
        )
    });
    let sign_out = Callback::from(move |_: MouseEvent| {
        let (store, toaster) = (store.clone(), toaster.clone());
        wasm_bindgen_futures::spawn_local(async move {
            let outcome = store.sign_out().await;
            toaster.tell(outcome.map(|()| text::signed_out().to_owned()));
            store.refresh(&api::session::session());
        });
    });
    let who = session
        .map(|session| session.subject.to_string())
        .unwrap_or_default();
    let upstream = capabilities
        .as_deref()
        .map(text::upstream_label)
        .unwrap_or_default();
    let themes = segments(text::theme(), theme_choices.into_iter().collect());
    let languages = segments(text::language(), language_choices.collect());
    let has = |what: fn(&Capabilities) -> bool| capabilities.as_deref().is_some_and(what);
    let (has_alerts, has_webhooks) = (has(|known| known.alerts), has(|known| known.webhooks));
    let has_keys = has(|known| known.keys);
    let is_asked = has(|known| known.browser_reports);
    let about = vec![
        (text::version(), words(env!("CARGO_PKG_VERSION"))),
        (text::upstream(), words(upstream)),
    ];
    html! {
        <div class="page narrow">
            <PageHeader title={text::section_label(Section::Settings)} />
            { setting(text::theme(), text::theme_hint().to_owned(), themes) }
            { setting(text::language(), text::language_hint().to_owned(), languages) }
            <div class="stack" hidden={!has_alerts}>{ if has_alerts { alerts() } else { Html::default() } }</div>
            <div hidden={!has_keys}>{ has_keys.then(|| plain_part(use_keys)) }</div>
            <div hidden={!has_webhooks}>{ has_webhooks.then(|| plain_part(use_webhooks)) }</div>
            <div hidden={!is_asked}>{ is_asked.then(|| plain_part(use_vitals)) }</div>
            { setting(text::session(), text::signed_in_as(&who), button("button", text::sign_out(), sign_out)) }
            { padded_card(text::about(), Html::default(), facts(about)) }
        </div>
    }
}

/// What new jobs are watched for, and where it is told.
fn alerts() -> Html {
    let beside = link(&Route::Notifications, "quiet-link", text::notifications());
    let body = html! {
        <>
            { paragraph("card-body sub", text::default_alerts_hint()) }
            <div>{ part(use_alert_rules, AlertRulesProps { job: None }) }</div>
        </>
    };
    html! {
        <>
            { card(text::default_alerts(), beside, body) }
            <div>{ plain_part(use_announcements) }</div>
        </>
    }
}

/// One of several choices that exclude each other.
fn segment(
    name: &'static str,
    value: &'static str,
    label: &'static str,
    checked: bool,
    onchange: Callback<Event>,
) -> Html {
    html! {
        <label key={value} class="segment">
            <input type="radio" {name} {value} {checked} {onchange} />
            <span>{ label }</span>
        </label>
    }
}

fn segments(title: &'static str, choices: Html) -> Html {
    html! {
        <fieldset class="segments"><legend class="visually-hidden">{ title }</legend>{ choices }</fieldset>
    }
}

fn setting(title: &'static str, hint: String, control: Html) -> Html {
    html! {
        <section class="card" aria-label={title}>
            <div class="card-body setting"><div><h2>{ title }</h2>{ paragraph("sub", hint) }</div>{ control }</div>
        </section>
    }
}
