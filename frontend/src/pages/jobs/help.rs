//! The list of keys, and the switch of the single letters.

use super::keys;
use crate::{
    components::{
        button::button,
        dialog::{DialogProps, use_dialog},
    },
    kept::use_kept,
    text,
};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq)]
pub(super) struct HelpProps {
    pub(super) open: bool,
    pub(super) on_close: Callback<()>,
}

#[hook]
pub(super) fn use_help(props: Rc<HelpProps>) -> Html {
    let on = use_kept(keys::are_on);
    let toggle = {
        let on = on.clone();
        Callback::from(move |_: MouseEvent| {
            keys::switch(!*on);
            on.set(!*on);
        })
    };
    let rows = text::keys().map(|(key, does)| {
        html! { <div key={key}><dt><kbd>{ key }</kbd></dt><dd>{ does }</dd></div> }
    });
    let content = html! {
        <>
            <dl class="facts keys">{ for rows }</dl>
            <label class="check-line">
                <input type="checkbox" checked={*on} onclick={toggle} />
                { text::single_keys() }
            </label>
            <div class="buttons">{ button("button", text::close(), props.on_close.reform(|_| ())) }</div>
        </>
    };
    use_dialog(Rc::new(DialogProps {
        open: props.open,
        title: text::keyboard_shortcuts().to_owned(),
        description: String::new(),
        content,
        on_close: props.on_close.clone(),
    }))
}
