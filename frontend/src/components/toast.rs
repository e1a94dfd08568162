//! Short notices at the edge of the page, read aloud, gone after a while; one may offer to undo.

use crate::{
    app::Services,
    components::icon::{Icon, icon},
    part::keyed_part,
    text,
};
use gloo_timers::callback::Timeout;
use std::rc::Rc;
use yew::prelude::*;

const SHOWN_MS: u32 = 6_000;
const SHOWN_WITH_ACTION_MS: u32 = 12_000;

/// One notice.
#[derive(Clone, PartialEq)]
pub struct Toast {
    id: u32,
    message: AttrValue,
    bad: bool,
    action: Option<(AttrValue, Callback<()>)>,
}

/// What can happen to the notices.
pub enum ToastAction {
    /// Show one.
    Show {
        /// What it says.
        message: AttrValue,
        /// It tells of a failure.
        bad: bool,
        /// A button and what it does.
        action: Option<(AttrValue, Callback<()>)>,
    },
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
            ToastAction::Show { message, bad, action } => {
                last += 1;
                toasts.retain(|toast| toast.message != message);
                toasts.push(Toast {
                    id: last,
                    message,
                    bad,
                    action,
                });
                if toasts.len() > 4 {
                    toasts.remove(0);
                }
            }
            ToastAction::Close(id) => toasts.retain(|toast| toast.id != id),
        }
        Rc::new(Self { last, toasts })
    }
}

/// Handle through which anything shows a notice.
#[derive(Clone, PartialEq)]
pub struct Toaster(UseReducerDispatcher<ToastList>);

impl Toaster {
    /// A handle to the list of notices.
    #[must_use]
    pub const fn new(list: UseReducerDispatcher<ToastList>) -> Self {
        Self(list)
    }

    /// Tells that something went well.
    pub fn good(&self, message: impl Into<AttrValue>) {
        self.0.dispatch(ToastAction::Show {
            message: message.into(),
            bad: false,
            action: None,
        });
    }

    /// Tells that something failed.
    pub fn bad(&self, message: impl Into<AttrValue>) {
        self.0.dispatch(ToastAction::Show {
            message: message.into(),
            bad: true,
            action: None,
        });
    }

    /// Tells what was done and offers to undo it.
    pub fn undoable(&self, message: impl Into<AttrValue>, undo: Callback<()>) {
        let action = Some((AttrValue::from(text::undo()), undo));
        self.0.dispatch(ToastAction::Show {
            message: message.into(),
            bad: false,
            action,
        });
    }
}

/// The way to show notices.
#[hook]
pub fn use_toaster() -> Option<Toaster> {
    use_context::<Services>().map(|services| services.toaster)
}

/// The notices that are shown, and the place where they appear.
pub trait ToastPlace {
    /// Draws them.
    fn view(&self) -> Html;
}

impl ToastPlace for UseReducerHandle<ToastList> {
    fn view(&self) -> Html {
        let shown = self.toasts.iter().map(|toast| {
            let (list, id) = (self.dispatcher(), toast.id);
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
        let shown = if toast.action.is_some() {
            SHOWN_WITH_ACTION_MS
        } else {
            SHOWN_MS
        };
        use_effect_with((), move |()| {
            let timer = Timeout::new(shown, move || close.emit(()));
            move || drop(timer)
        });
    }
    let action = toast.action.clone().map(|(label, act)| {
        let close = props.close.clone();
        let onclick = Callback::from(move |_: MouseEvent| {
            act.emit(());
            close.emit(());
        });
        html! { <button type="button" class="button small" {onclick}>{ label }</button> }
    });
    html! {
        <div class={classes!("toast", toast.bad.then_some("is-bad"))}>
            <span class="toast-icon">{ icon(if toast.bad { Icon::Alert } else { Icon::Check }) }</span>
            <span class="toast-message">{ toast.message.clone() }</span>
            <span class="toast-action">{ action }</span>
            <button type="button" class="icon-button" aria-label={text::dismiss()} onclick={props.close.reform(|_: MouseEvent| ())}>
                { icon(Icon::Close) }
            </button>
        </div>
    }
}
