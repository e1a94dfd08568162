//! A link to a page of the app. Unlike the router's own it can carry `aria-current` and a name.

use crate::route::Route;
use web_sys::MouseEvent;
use yew::prelude::*;
use yew_router::prelude::*;

/// What a link shows and where it leads.
#[derive(Properties, PartialEq)]
pub struct LinkProps {
    /// Where it leads.
    pub to: Route,
    /// Parameters of the address.
    #[prop_or_default]
    pub parameters: Vec<(&'static str, &'static str)>,
    /// Its classes.
    #[prop_or_default]
    pub class: Classes,
    /// It leads to the page that is shown.
    #[prop_or_default]
    pub current: bool,
    /// Its accessible name, where its content isn't one.
    #[prop_or_default]
    pub label: Option<AttrValue>,
    /// Its content.
    #[prop_or_default]
    pub children: Html,
}

/// A link to a page of the app.
#[component]
pub fn Link(props: &LinkProps) -> Html {
    let navigator = use_navigator();
    let follow = {
        let (to, parameters) = (props.to.clone(), props.parameters.clone());
        Callback::from(move |event: MouseEvent| {
            let elsewhere = event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key();
            if let (false, Some(navigator)) = (elsewhere, &navigator) {
                event.prevent_default();
                if parameters.is_empty() {
                    navigator.push(&to);
                } else {
                    let _ = navigator.push_with_query(&to, &parameters);
                }
            }
        })
    };
    let href = parameters_of(&props.to, &props.parameters);
    html! {
        <a
            {href}
            class={props.class.clone()}
            aria-current={props.current.then_some("page")}
            aria-label={props.label.clone()}
            onclick={follow}
        >
            { props.children.clone() }
        </a>
    }
}

fn parameters_of(to: &Route, parameters: &[(&str, &str)]) -> String {
    let parameters: Vec<_> = parameters
        .iter()
        .map(|(name, value)| (*name, Some((*value).to_owned())))
        .collect();
    format!("{}{}", to.to_path(), crate::api::query_string(&parameters))
}
