//! Theme, session, and what this is.

use crate::{
    api,
    components::{
        button::button,
        card::{facts, padded_card, paragraph, words},
        page_header::PageHeader,
        toast::use_toaster,
    },
    kept::use_kept,
    query::{Poll, hooks::use_store, use_query},
    route::Section,
    text,
    theme::{self, Theme},
};
use yew::prelude::*;

/// Theme, session, and what this is.
#[hook]
pub fn use_settings_page() -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let theme = use_kept(theme::stored);
    let session = use_query(api::session::session(), Poll::Never).data;
    let capabilities = use_query(api::capabilities::capabilities(), Poll::Never).data;
    let choices = Theme::ALL.into_iter().map(|choice| {
        let theme = theme.clone();
        let checked = *theme == choice;
        let onchange = Callback::from(move |_: Event| {
            theme::choose(choice);
            theme.set(choice);
        });
        html! {
            <label key={choice.as_str()} class="segment">
                <input type="radio" name="theme" value={choice.as_str()} {checked} {onchange} />
                <span>{ text::theme_label(choice) }</span>
            </label>
        }
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
    let themes = html! {
        <fieldset class="segments"><legend class="visually-hidden">{ text::theme() }</legend>{ for choices }</fieldset>
    };
    let about = vec![
        (text::version(), words(env!("CARGO_PKG_VERSION"))),
        (text::upstream(), words(upstream)),
    ];
    html! {
        <div class="page narrow">
            <PageHeader title={text::section_label(Section::Settings)} />
            { setting(text::theme(), text::theme_hint().to_owned(), themes) }
            { setting(text::session(), text::signed_in_as(&who), button("button", text::sign_out(), sign_out)) }
            { padded_card(text::about(), Html::default(), facts(about)) }
        </div>
    }
}

fn setting(title: &'static str, hint: String, control: Html) -> Html {
    html! {
        <section class="card" aria-label={title}>
            <div class="card-body setting"><div><h2>{ title }</h2>{ paragraph("sub", hint) }</div>{ control }</div>
        </section>
    }
}
