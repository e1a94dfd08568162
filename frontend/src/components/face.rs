//! The four faces of every view: loading, empty, error, ready. One function renders them all.

use crate::{
    api::ApiError,
    components::{
        button::button,
        card::paragraph,
        icon::{Icon, icon},
    },
    query::Loaded,
    text,
};
use std::rc::Rc;
use yew::prelude::*;

/// Renders what is known: a skeleton of the view's size, its emptiness with the next action, what went wrong, or the
/// view itself. An answer that could not be renewed stays, with a note above it.
pub fn face<T>(
    loaded: &Loaded<T>,
    skeleton: impl FnOnce() -> Html,
    empty: impl FnOnce(&T) -> Option<Html>,
    ready: impl FnOnce(&Rc<T>) -> Html,
) -> Html {
    let shown = match (&loaded.data, &loaded.error) {
        (Some(data), _) => match empty(data) {
            Some(empty) => Shown::Empty(empty),
            None => Shown::Ready(ready(data)),
        },
        (None, Some(_)) => Shown::Nothing,
        (None, None) => Shown::Skeleton(skeleton()),
    };
    frame(shown, loaded.error.as_ref(), &loaded.retry)
}

enum Shown {
    Skeleton(Html),
    Empty(Html),
    Ready(Html),
    Nothing,
}

/// The part of [`face`] that is the same for all types, so that it is compiled once.
fn frame(shown: Shown, error: Option<&ApiError>, retry: &Callback<()>) -> Html {
    let note = error.map(|error| outdated_note(error, retry.clone()));
    let (name, content) = match shown {
        Shown::Empty(view) => ("empty", html! { <><div>{ note }</div>{ view }</> }),
        Shown::Ready(view) => ("ready", html! { <><div>{ note }</div>{ view }</> }),
        Shown::Nothing => (
            "error",
            error
                .map(|error| error_view(error, retry.clone()))
                .unwrap_or_default(),
        ),
        Shown::Skeleton(view) => (
            "loading",
            html! { <><span class="visually-hidden" role="status">{ text::loading() }</span>{ view }</> },
        ),
    };
    html! {
        <div class="face" aria-busy={(name == "loading").then_some("true")}>
            <div key={name} class={format!("face-view face-{name}")}>{ content }</div>
        </div>
    }
}

/// What went wrong, what to do, and a way to try again.
pub fn error_view(error: &ApiError, retry: Callback<()>) -> Html {
    let again = Callback::from(move |_: MouseEvent| retry.emit(()));
    html! {
        <div class="notice notice-error" role="alert">
            <span class="notice-icon">{ icon(Icon::Alert) }</span>
            <div>
                { paragraph("notice-title", text::error_title(error)) }
                { paragraph("notice-body", text::error_advice(error)) }
                { button("button", text::retry(), again) }
            </div>
        </div>
    }
}

fn outdated_note(error: &ApiError, retry: Callback<()>) -> Html {
    let again = Callback::from(move |_: MouseEvent| retry.emit(()));
    html! {
        <div class="outdated" role="status">
            { icon(Icon::Alert) }
            <span>{ format!("{} {}", text::outdated(), text::error_line(error)) }</span>
            { button("button small", text::retry(), again) }
        </div>
    }
}

/// Nothing is there yet: says so and offers what to do next.
pub fn empty_view(title: &'static str, body: &'static str, actions: Html) -> Html {
    html! {
        <div class="empty">
            { paragraph("empty-title", title) }
            { paragraph("empty-body", body) }
            <div class="buttons">{ actions }</div>
        </div>
    }
}

/// So many grey lines.
pub fn skeleton_lines(count: usize) -> Html {
    html! {
        <div class="skeleton-lines" aria-hidden="true">
            { for (0..count).map(|line| html! { <div key={line} class="skeleton-line"></div> }) }
        </div>
    }
}

/// A grey block of the size that a class gives it.
pub fn skeleton_block(class: &'static str) -> Html {
    html! { <div class={format!("skeleton {class}")} aria-hidden="true"></div> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[component]
    fn Host(props: &Props) -> Html {
        let loaded = Loaded {
            data: props.data.map(Rc::new),
            error: props.error.then_some(ApiError::Unreachable),
            fetching: false,
            retry: Callback::noop(),
        };
        face(
            &loaded,
            || skeleton_lines(2),
            |data| (*data == 0).then(|| empty_view("Nothing here", "Do this.", Html::default())),
            |data| html! { <p>{ format!("value {data}") }</p> },
        )
    }

    #[derive(Properties, PartialEq)]
    struct Props {
        data: Option<u32>,
        error: bool,
    }

    async fn render(data: Option<u32>, error: bool) -> String {
        yew::ServerRenderer::<Host>::with_props(move || Props { data, error })
            .hydratable(false)
            .render()
            .await
    }

    #[tokio::test]
    async fn each_of_the_four_faces_is_shown() {
        let loading = render(None, false).await;
        assert!(
            loading.contains("aria-busy=\"true\"") && loading.contains("skeleton-line"),
            "{loading}"
        );
        assert!(render(Some(0), false).await.contains("Nothing here"));
        let error = render(None, true).await;
        assert!(error.contains("reached") && error.contains("Retry"), "{error}");
        assert!(render(Some(7), false).await.contains("value 7"));
    }

    #[tokio::test]
    async fn an_answer_stays_when_it_cannot_be_renewed() {
        let html = render(Some(7), true).await;
        assert!(
            html.contains("value 7") && html.contains("out of date") && html.contains("Retry"),
            "{html}"
        );
    }
}
