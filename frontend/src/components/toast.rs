//! Short notices at the edge of the page, read aloud, gone after a while; one may offer to undo.

use crate::{
    api::ApiError,
    app::Services,
    components::{
        button::{button, icon_button},
        icon::{Icon, icon},
    },
    part::{keyed_part, use_change},
    text,
};
use gloo_timers::callback::Timeout;
use std::rc::Rc;
use yew::prelude::*;

const SHOWN_MS: u32 = 6_000;
const SHOWN_WITH_UNDO_MS: u32 = 12_000;
const SHOWN_AT_ONCE: usize = 4;

/// One notice.
#[derive(Clone, PartialEq)]
pub struct Toast {
    id: u32,
    message: String,
    bad: bool,
    undo: Option<Callback<()>>,
}

/// What can happen to the notices.
pub enum ToastAction {
    /// Show one: what it says, whether it tells of a failure, and what undoes it.
    Show(String, bool, Option<Callback<()>>),
    /// Close one.
    Close(u32),
}

/// The notices that are shown.
#[derive(Default, PartialEq)]
pub struct ToastList {
    last: u32,
    toasts: Vec<Toast>,
}

impl Reducible for ToastList {
    type Action = ToastAction;

    fn reduce(self: Rc<Self>, action: ToastAction) -> Rc<Self> {
        let mut toasts = self.toasts.clone();
        let mut last = self.last;
        match action {
            ToastAction::Show(message, bad, undo) => {
                last += 1;
                toasts.retain(|toast| toast.message != message);
                toasts.push(Toast {
                    id: last,
                    message,
                    bad,
                    undo,
                });
                if toasts.len() > SHOWN_AT_ONCE {
                    toasts.remove(0);
                }
            }
            ToastAction::Close(id) => toasts.retain(|toast| toast.id != id),
        }
        Rc::new(Self { last, toasts })
    }
}

/// Handle through which anything shows a notice. Without an app around it (in tests) nothing is shown.
#[derive(Clone, PartialEq, Default)]
pub struct Toaster(Option<UseReducerDispatcher<ToastList>>);

impl Toaster {
    /// A handle to the list of notices.
    #[must_use]
    pub const fn new(list: UseReducerDispatcher<ToastList>) -> Self {
        Self(Some(list))
    }

    fn show(&self, message: String, bad: bool, undo: Option<Callback<()>>) {
        if let Some(list) = &self.0 {
            list.dispatch(ToastAction::Show(message, bad, undo));
        }
    }

    /// Tells that something went well.
    pub fn good(&self, message: &str) {
        self.show(message.to_owned(), false, None);
    }

    /// Tells that something failed.
    pub fn bad(&self, message: &str) {
        self.show(message.to_owned(), true, None);
    }

    /// Tells how something ended.
    pub fn tell(&self, outcome: Result<String, ApiError>) {
        match outcome {
            Ok(message) => self.show(message, false, None),
            Err(error) => self.show(text::error_line(&error), true, None),
        }
    }

    /// Tells what was done and offers to undo it.
    pub fn undoable(&self, message: &str, undo: Callback<()>) {
        self.show(message.to_owned(), false, Some(undo));
    }
}

/// The way to show notices.
#[hook]
pub fn use_toaster() -> Toaster {
    use_context::<Services>()
        .map(|services| services.toaster)
        .unwrap_or_default()
}

/// Draws the notices.
pub fn toasts(list: &UseReducerHandle<ToastList>) -> Html {
    let shown = list.toasts.iter().map(|toast| {
        let (list, id) = (list.dispatcher(), toast.id);
        let close = Callback::from(move |()| list.dispatch(ToastAction::Close(id)));
        keyed_part(
            &id.to_string(),
            use_toast_view,
            ToastViewProps {
                toast: toast.clone(),
                close,
            },
        )
    });
    html! { <div class="toasts" role="status" aria-live="polite">{ for shown }</div> }
}

#[derive(PartialEq)]
struct ToastViewProps {
    toast: Toast,
    close: Callback<()>,
}

#[hook]
fn use_toast_view(props: Rc<ToastViewProps>) -> Html {
    let toast = &props.toast;
    {
        let close = props.close.clone();
        let shown = if toast.undo.is_some() {
            SHOWN_WITH_UNDO_MS
        } else {
            SHOWN_MS
        };
        use_change((), move |()| {
            Some(Box::new(Timeout::new(shown, move || close.emit(()))))
        });
    }
    let undo = toast.undo.clone().map(|undo| {
        let close = props.close.clone();
        let act = Callback::from(move |_: MouseEvent| {
            undo.emit(());
            close.emit(());
        });
        button("button small", text::undo(), act)
    });
    let close = props.close.reform(|_: MouseEvent| ());
    html! {
        <div class={if toast.bad { "toast is-bad" } else { "toast" }}>
            <span class="toast-icon">{ icon(if toast.bad { Icon::Alert } else { Icon::Check }) }</span>
            <span class="toast-message">{ toast.message.clone() }</span>
            <span class="toast-action">{ undo }</span>
            { icon_button(true, text::dismiss().to_owned(), Icon::Close, close) }
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(list: Rc<ToastList>, message: &str) -> Rc<ToastList> {
        list.reduce(ToastAction::Show(message.to_owned(), false, None))
    }

    #[test]
    fn the_same_notice_is_not_shown_twice_and_only_a_few_at_once() {
        let mut list = Rc::new(ToastList::default());
        for message in ["a", "b", "a", "c", "d", "e"] {
            list = show(list, message);
        }
        let shown: Vec<&str> = list.toasts.iter().map(|toast| toast.message.as_str()).collect();
        assert_eq!(shown, ["a", "c", "d", "e"]);
        let last = list.toasts.last().map(|toast| toast.id).unwrap_or_default();
        let list = list.reduce(ToastAction::Close(last));
        assert_eq!(list.toasts.len(), 3);
    }
}
