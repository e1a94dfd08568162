//! A secret that was just made: it is shown until it is let go, and nowhere else.

use crate::{
    browser,
    components::{button::button, card::paragraph, toast::use_toaster},
    text,
};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq)]
pub(super) struct SecretProps {
    /// Where the focus is led.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// That it isn't shown again, and who needs it.
    pub(super) once: String,
    /// The button that copies it, and what is told afterwards.
    pub(super) copy: (&'static str, &'static str),
    pub(super) secret: String,
    pub(super) done: Callback<()>,
}

#[hook]
pub(super) fn use_secret(props: Rc<SecretProps>) -> Html {
    let toaster = use_toaster();
    let (label, copied) = props.copy;
    let copy = {
        let secret = props.secret.clone();
        Callback::from(move |_: MouseEvent| {
            let (secret, toaster) = (secret.clone(), toaster.clone());
            wasm_bindgen_futures::spawn_local(async move {
                if browser::copy(&secret).await {
                    toaster.good(copied);
                } else {
                    toaster.bad(text::copy_refused());
                }
            });
        })
    };
    html! {
        <section id={props.id} class="secret" tabindex="-1" aria-label={props.title}>
            { paragraph("notice-title", props.title) }
            { paragraph("sub", props.once.clone()) }
            <p><code>{ props.secret.clone() }</code></p>
            <div class="buttons">
                { button("button primary", label, copy) }
                { button("button", text::secret_kept(), props.done.reform(|_| ())) }
            </div>
        </section>
    }
}
