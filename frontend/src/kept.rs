//! What a view keeps between drawings.
//!
//! The same as yew's `use_state`, which comes into the module once for each type that is kept (1 kB before compression).
//! Here the type is left open beneath, so that all of it is compiled once.

use std::{any::Any, marker::PhantomData, ops::Deref, rc::Rc};
use yew::{
    functional::{Hook, HookContext},
    prelude::*,
};

/// A value as it was when the view was drawn.
pub struct Kept<T> {
    value: Rc<T>,
    setter: Setter<T>,
}

impl<T: 'static> Kept<T> {
    /// Keeps another value, and draws the view with it.
    pub fn set(&self, value: T) {
        self.setter.set(value);
    }

    /// The way to set it, without the value.
    #[must_use]
    pub fn setter(&self) -> Setter<T> {
        self.setter.clone()
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self {
            value: Rc::clone(&self.value),
            setter: self.setter.clone(),
        }
    }
}

/// Sets what is kept.
pub struct Setter<T> {
    setter: UseStateSetter<Rc<dyn Any>>,
    kind: PhantomData<fn(T)>,
}

impl<T: 'static> Setter<T> {
    /// Keeps another value, and draws the view with it.
    pub fn set(&self, value: T) {
        self.setter.set(Rc::new(value));
    }
}

impl<T> Clone for Setter<T> {
    fn clone(&self) -> Self {
        Self {
            setter: self.setter.clone(),
            kind: PhantomData,
        }
    }
}

/// Keeps a value, at first what `begin` makes.
#[hook]
pub fn use_kept<T: 'static>(begin: impl FnOnce() -> T) -> Kept<T> {
    let state = use_any(Box::new(move || Rc::new(begin())));
    let Ok(value) = Rc::clone(&state).downcast::<T>() else {
        unreachable!("what is kept has one type")
    };
    let setter = Setter {
        setter: state.setter(),
        kind: PhantomData,
    };
    Kept { value, setter }
}

type Begin<'a> = Box<dyn FnOnce() -> Rc<dyn Any> + 'a>;

struct AnyState<'a>(Begin<'a>);

impl Hook for AnyState<'_> {
    type Output = UseStateHandle<Rc<dyn Any>>;

    fn run(self, context: &mut HookContext) -> Self::Output {
        use_state(self.0).run(context)
    }
}

fn use_any(begin: Begin<'_>) -> AnyState<'_> {
    AnyState(begin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[component]
    fn Host() -> Html {
        let (count, word, again) = (use_kept(|| 1), use_kept(|| "one".to_owned()), use_kept(|| 2));
        html! { <p>{ format!("{} {} {}", *count, word.clone().as_str(), *again) }</p> }
    }

    #[tokio::test]
    async fn each_value_is_kept_as_what_it_began_with() {
        let html = yew::ServerRenderer::<Host>::new()
            .hydratable(false)
            .render()
            .await;
        assert_eq!(html, "<p>1 one 2</p>");
    }
}
