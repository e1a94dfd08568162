//! The switch of the browser's own notifications.

use super::{segment, segments, setting};
use crate::{
    announce::{self, Permission},
    api,
    kept::use_kept,
    query::hooks::use_store,
    text,
};
use yew::prelude::*;

/// The switch.
#[hook]
pub(super) fn use_announcements() -> Html {
    let store = use_store();
    let permission = use_kept(announce::permission);
    let answers = use_kept(|| 0_u32);
    let on = announce::is_on();
    let switch = {
        let (permission, answers) = (permission.clone(), answers.clone());
        Callback::from(move |on: bool| {
            let (permission, answers, store) = (permission.clone(), answers.clone(), store.clone());
            wasm_bindgen_futures::spawn_local(async move {
                if on {
                    permission.set(announce::switch_on().await);
                } else {
                    announce::switch_off();
                }
                answers.set(*answers + 1);
                // The frame is drawn with what hangs on the switch.
                store.update(&api::notifications::unread(), |_| ());
            });
        })
    };
    let choice = |value: bool| {
        let (name, label) = if value {
            ("on", text::switched_on())
        } else {
            ("off", text::switched_off())
        };
        segment(
            "announcements",
            name,
            label,
            on == value,
            switch.reform(move |_| value),
        )
    };
    // After an answer drawn anew: the browser would go on showing what was chosen, though it may have said no.
    let control = html! {
        <div key={*answers}>{ segments(text::announcements(), [choice(false), choice(true)].into_iter().collect()) }</div>
    };
    let (hint, control) = match *permission {
        Permission::Impossible => (text::announcements_impossible(), Html::default()),
        Permission::Denied => (text::announcements_denied(), Html::default()),
        Permission::Open | Permission::Granted => (text::announcements_hint(), control),
    };
    setting(text::announcements(), hint.to_owned(), control)
}
