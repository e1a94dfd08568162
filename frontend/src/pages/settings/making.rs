//! What is done in a card of things that have a secret: one is made, and its secret is shown once.

use crate::{browser, kept::use_kept, part::use_change};
use std::{cell::Cell, rc::Rc};
use yew::prelude::*;

/// What is done in the card besides looking.
#[derive(Clone, Default)]
pub(super) enum Doing {
    #[default]
    Nothing,
    Adding,
    /// A secret is shown; it is nowhere else.
    Showing(Rc<str>),
}

/// How that stands, and what moves it on.
pub(super) struct Making {
    pub(super) doing: Doing,
    /// Opens the form.
    pub(super) begin: Callback<MouseEvent>,
    /// Closes the form, or what shows the secret.
    pub(super) end: Callback<()>,
    /// Takes the secret of what was made.
    pub(super) made: Callback<String>,
}

impl Making {
    /// Nothing is done. A secret that is shown would be gone with another form.
    pub(super) const fn is_idle(&self) -> bool {
        matches!(self.doing, Doing::Nothing)
    }
}

/// Whoever works with the keyboard is led to what has come, and back: these are the ids of the button that begins, of the
/// form's first field, and of the secret.
#[hook]
pub(super) fn use_making(button: &'static str, field: &'static str, secret: &'static str) -> Making {
    let doing = use_kept(Doing::default);
    let to = match *doing {
        Doing::Nothing => button,
        Doing::Adding => field,
        Doing::Showing(_) => secret,
    };
    let was = use_kept(|| Cell::new(button));
    use_change(to, move |to| {
        if was.replace(to) != *to {
            browser::focus_id(to);
        }
        None
    });
    let (begin, end, made) = (doing.setter(), doing.setter(), doing.setter());
    Making {
        doing: (*doing).clone(),
        begin: Callback::from(move |_| begin.set(Doing::Adding)),
        end: Callback::from(move |()| end.set(Doing::Nothing)),
        made: Callback::from(move |secret: String| made.set(Doing::Showing(secret.into()))),
    }
}
