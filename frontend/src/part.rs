//! One component for all views that stand once.
//!
//! Every type of component brings its own copy of yew's life cycle into the module (4 kB before compression), and
//! nearly all of our views stand in one place each. So a view is written as a hook that draws (`#[hook] fn
//! use_jobs_page(props: Rc<Props>) -> Html`), and [`part`] gives it a place in the tree with state of its own. What is
//! used all over (links, fields, dialogs) stays a component, because there the shorter syntax is worth its size.
//!
//! The key of a part holds the view's own type, so that one view is never taken for another.

use crate::app::Services;
use std::{
    any::{Any, TypeId},
    hash::{DefaultHasher, Hash, Hasher as _},
    rc::Rc,
};
use yew::{
    functional::{Hook, HookContext},
    prelude::*,
};

trait Draw: Any {
    fn draw(&self, context: &mut HookContext) -> Html;
    fn is_same(&self, other: &dyn Any) -> bool;
    fn as_any(&self) -> &dyn Any;
}

struct Bound<P, F> {
    props: Rc<P>,
    view: F,
}

impl<P, F, H> Draw for Bound<P, F>
where
    P: PartialEq + 'static,
    F: Fn(Rc<P>) -> H + 'static,
    H: Hook<Output = Html>,
{
    fn draw(&self, context: &mut HookContext) -> Html {
        (self.view)(Rc::clone(&self.props)).run(context)
    }

    fn is_same(&self, other: &dyn Any) -> bool {
        other
            .downcast_ref::<Self>()
            .is_some_and(|other| other.props == self.props)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[derive(Properties, Clone)]
struct PartProps {
    drawn: Rc<dyn Draw>,
}

impl PartialEq for PartProps {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.drawn, &other.drawn) || self.drawn.is_same(other.drawn.as_any())
    }
}

struct Drawing(Rc<dyn Draw>);

impl Hook for Drawing {
    type Output = Html;

    fn run(self, context: &mut HookContext) -> Html {
        self.0.draw(context)
    }
}

fn use_drawing(drawn: Rc<dyn Draw>) -> Drawing {
    Drawing(drawn)
}

#[component]
fn Part(props: &PartProps) -> Html {
    // Draws with the same props again where another language is spoken.
    let _ = use_context::<Services>();
    use_drawing(Rc::clone(&props.drawn))
}

/// What an effect holds until it is over: dropping it cleans up.
pub type Held = Option<Box<dyn Any>>;

struct Change {
    to: Rc<dyn Any>,
    is_same: fn(&dyn Any, &dyn Any) -> bool,
}

impl PartialEq for Change {
    fn eq(&self, other: &Self) -> bool {
        (self.is_same)(self.to.as_ref(), other.to.as_ref())
    }
}

/// Does something once after drawing, and again whenever `on` is another than before; what it holds is dropped before
/// the next time, and when the view goes. The same as yew's `use_effect_with`, compiled once.
#[hook]
pub fn use_change<T: PartialEq + 'static>(on: T, effect: impl FnOnce(&T) -> Held + 'static) {
    let is_same = |one: &dyn Any, other: &dyn Any| {
        one.downcast_ref::<T>()
            .zip(other.downcast_ref::<T>())
            .is_some_and(|(one, other)| one == other)
    };
    let on = Rc::new(on);
    let to: Rc<dyn Any> = on.clone();
    use_any_change(Change { to, is_same }, Box::new(move || effect(&on)));
}

#[hook]
fn use_any_change(change: Change, effect: Box<dyn FnOnce() -> Held>) {
    use_effect_with(change, move |_| {
        let held = effect();
        move || drop(held)
    });
}

/// A view that is given nothing, with state of its own.
pub fn plain_part<F, H>(view: F) -> Html
where
    F: Fn() -> H + 'static,
    H: Hook<Output = Html> + 'static,
{
    part(move |_: Rc<()>| view(), ())
}

/// A view with state of its own.
pub fn part<P, F, H>(view: F, props: P) -> Html
where
    P: PartialEq + 'static,
    F: Fn(Rc<P>) -> H + 'static,
    H: Hook<Output = Html> + 'static,
{
    keyed_part("", view, props)
}

/// A view with state of its own that belongs to `key`: another key is another view.
pub fn keyed_part<P, F, H>(key: &str, view: F, props: P) -> Html
where
    P: PartialEq + 'static,
    F: Fn(Rc<P>) -> H + 'static,
    H: Hook<Output = Html> + 'static,
{
    let mut hasher = DefaultHasher::new();
    (TypeId::of::<F>(), key).hash(&mut hasher);
    let drawn: Rc<dyn Draw> = Rc::new(Bound {
        props: Rc::new(props),
        view,
    });
    html! { <Part key={hasher.finish()} {drawn} /> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[hook]
    fn use_greeting(name: Rc<String>) -> Html {
        let greeting = use_state(|| "Good day".to_owned());
        html! { <p>{ format!("{}, {name}", *greeting) }</p> }
    }

    #[component]
    fn Host() -> Html {
        html! { <div>{ part(use_greeting, "Ada".to_owned()) }{ keyed_part("2", use_greeting, "Emmy".to_owned()) }</div> }
    }

    #[tokio::test]
    async fn a_part_draws_with_hooks_from_its_props() {
        let html = yew::ServerRenderer::<Host>::new()
            .hydratable(false)
            .render()
            .await;
        assert_eq!(html, "<div><p>Good day, Ada</p><p>Good day, Emmy</p></div>");
    }

    #[test]
    fn equal_props_of_the_same_view_are_the_same() {
        let bound = |name: &str| Bound {
            props: Rc::new(name.to_owned()),
            view: use_greeting,
        };
        assert!(bound("a").is_same(bound("a").as_any()));
        assert!(!bound("a").is_same(bound("b").as_any()));
    }
}
