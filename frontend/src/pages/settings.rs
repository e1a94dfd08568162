//! Theme, session, and what this is.

use crate::{
    api,
    components::{page_header::PageHeader, toast::use_toaster},
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
    let theme = use_state(theme::stored);
    let session = use_query(api::session::session(), Poll::Never);
    let capabilities = use_query(api::capabilities::capabilities(), Poll::Never);
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
    let sign_out = {
        let store = store.clone();
        Callback::from(move |_: MouseEvent| {
            let (store, toaster) = (store.clone(), toaster.clone());
            wasm_bindgen_futures::spawn_local(async move {
                let outcome = store.sign_out().await;
                let Some(toaster) = toaster else { return };
                match outcome {
                    Ok(()) => toaster.good(text::signed_out()),
                    Err(error) => toaster.bad(text::error_line(&error)),
                }
                store.refresh(&api::session::session());
            });
        })
    };
    let who = session
        .data
        .as_ref()
        .map(|session| session.subject.to_string())
        .unwrap_or_default();
    let upstream = capabilities
        .data
        .as_deref()
        .map(text::upstream_label)
        .unwrap_or_default();
    html! {
        <div class="page narrow">
            <PageHeader title={text::section_label(Section::Settings)} />
            <section class="card" aria-labelledby="settings-theme">
                <div class="card-body setting">
                    <div><h2 id="settings-theme">{ text::theme() }</h2><p class="sub">{ text::theme_hint() }</p></div>
                    <fieldset class="segments"><legend class="visually-hidden">{ text::theme() }</legend>{ for choices }</fieldset>
                </div>
            </section>
            <section class="card" aria-labelledby="settings-session">
                <div class="card-body setting">
                    <div><h2 id="settings-session">{ text::session() }</h2><p class="sub">{ text::user() }{ " " }<b>{ who }</b></p></div>
                    <button type="button" class="button" onclick={sign_out}>{ text::sign_out() }</button>
                </div>
            </section>
            <section class="card" aria-labelledby="settings-about">
                <div class="card-head"><h2 id="settings-about">{ text::about() }</h2></div>
                <div class="card-body">
                    <dl class="facts">
                        <div><dt>{ text::version() }</dt><dd>{ env!("CARGO_PKG_VERSION") }</dd></div>
                        <div><dt>{ text::upstream() }</dt><dd>{ upstream }</dd></div>
                    </dl>
                </div>
            </section>
        </div>
    }
}
