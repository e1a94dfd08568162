//! The training examples of one step: which step is asked for below the chart, and what it was made of in a box of its own.

use crate::{
    api::{self, ApiError},
    browser,
    components::{
        button::icon_button,
        card::paragraph,
        face::{face, skeleton_lines},
        icon::Icon,
        link::{Link, link},
        messages::messages,
    },
    kept::{Kept, Setter, use_kept},
    part::use_change,
    query::{Poll, hooks::use_optional_query},
    route::{Route, dataset_line},
    text,
};
use shared::{
    id::{DatasetId, JobId},
    step_examples::{StepExample, StepExamples},
};
use std::rc::Rc;
use yew::prelude::*;

/// Which step of which job.
pub(super) struct StepExamplesProps {
    pub(super) id: JobId,
    pub(super) dataset: Option<DatasetId>,
    /// The step that is shown.
    pub(super) step: Option<u64>,
    /// The last that is recorded.
    pub(super) last: u64,
    /// Steps whose loss stands out, with their losses.
    pub(super) spikes: Vec<(u64, f64)>,
    /// Shows another, or none.
    pub(super) set: Setter<Option<u64>>,
}

/// Where it is set is always the same.
impl PartialEq for StepExamplesProps {
    fn eq(&self, other: &Self) -> bool {
        (&self.id, &self.dataset, self.step, self.last) == (&other.id, &other.dataset, other.step, other.last)
            && self.spikes == other.spikes
    }
}

/// The step that the address names.
#[hook]
pub(super) fn use_picked_step() -> Kept<Option<u64>> {
    use_kept(|| step_of(&browser::address().parameter("step")))
}

/// A step as people type it, with or without signs between its digits.
fn step_of(typed: &str) -> Option<u64> {
    let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|step| *step > 0)
}

#[hook]
pub(super) fn use_step_examples(props: Rc<StepExamplesProps>) -> Html {
    let typed = use_kept(String::new);
    let query = props.step.map(|step| api::jobs::step_examples(&props.id, step));
    let examples = use_optional_query(query, Poll::Never);
    {
        let typed = typed.setter();
        use_change(props.step, move |step| {
            typed.set(step.map(|step| step.to_string()).unwrap_or_default());
            None
        });
    }
    let show = |step: u64| {
        let set = props.set.clone();
        Callback::from(move |_: MouseEvent| set.set(Some(step)))
    };
    let onsubmit = {
        let (set, typed) = (props.set.clone(), typed.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if let Some(step) = step_of(&typed) {
                set.set(Some(step));
            }
        })
    };
    let oninput = {
        let typed = typed.setter();
        Callback::from(move |event: InputEvent| typed.set(browser::typed(&event)))
    };
    let spikes = props.spikes.iter().map(|(step, loss)| {
        let onclick = show(*step);
        let pressed = if props.step == Some(*step) { "true" } else { "false" };
        html! { <button key={*step} type="button" class="chip" aria-pressed={pressed} {onclick}>{ text::spike(*step, *loss) }</button> }
    });
    let close = {
        let set = props.set.clone();
        move || {
            set.set(None);
            browser::focus_id("step-typed");
        }
    };
    let onkeydown = {
        let close = close.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                event.prevent_default();
                close();
            }
        })
    };
    let onclose = Callback::from(move |_: MouseEvent| close());
    let gone = examples
        .error
        .as_ref()
        .filter(|_| examples.data.is_none())
        .and_then(reason);
    let body = match gone {
        Some(reason) => html! { <div key="gone">{ paragraph("card-body dim", reason) }</div> },
        None => {
            html! { <div key="known">{ face(&examples, || skeleton_lines(6), |_| None, |told| list(props.dataset.as_ref(), told)) }</div> }
        }
    };
    let step = props.step.unwrap_or(0);
    let facts = examples.data.as_deref().map(facts).unwrap_or_default();
    let dataset = props.dataset.as_ref().map(|id| {
        link(
            &Route::Dataset(id.to_string()),
            "quiet-link",
            text::open_dataset(),
        )
    });
    html! {
        <div class="step-examples">
            <form class="step-form" {onsubmit}>
                <label for="step-typed">{ text::examples_of_step() }</label>
                <input id="step-typed" type="text" inputmode="numeric" autocomplete="off" size="7" value={(*typed).clone()} {oninput} />
                <button type="submit" class="button small">{ text::show_examples() }</button>
                <span class="step-spikes" role="group" aria-label={text::largest_spikes()} hidden={props.spikes.is_empty()}>
                    <span aria-hidden="true">{ text::largest_spikes() }</span>{ for spikes }
                </span>
            </form>
            <section class="card" aria-label={text::step_examples()} {onkeydown} hidden={props.step.is_none()}>
                <div class="card-head">
                    <h2>{ text::step_title(step) }</h2>
                    <span class="dim step-facts" role="status">{ facts }</span>
                    <span>{ dataset }</span>
                    <span class="step-turn">
                        { icon_button(step > 1, text::previous_step().to_owned(), Icon::Left, show(step.saturating_sub(1).max(1))) }
                        { icon_button(step < props.last, text::next_step().to_owned(), Icon::Right, show(step + 1)) }
                        { icon_button(true, text::close_examples().to_owned(), Icon::Close, onclose) }
                    </span>
                </div>
                { body }
            </section>
        </div>
    }
}

/// Why nothing can be shown, where trying again is of no use.
fn reason(error: &ApiError) -> Option<&'static str> {
    match error {
        ApiError::Problem(problem) if problem.code == "dataset_deleted" => Some(text::examples_gone()),
        ApiError::Problem(problem) if problem.status == 404 => Some(text::no_such_step()),
        _ => None,
    }
}

/// The epoch, and the tokens of all examples where they are counted.
fn facts(told: &StepExamples) -> String {
    let sum = told.examples.iter().try_fold((0, 0), |sum, example| {
        Some((sum.0 + example.tokens?, sum.1 + example.target_tokens?))
    });
    text::step_facts(told.epoch, told.examples.len() as u64, sum)
}

fn list(dataset: Option<&DatasetId>, told: &StepExamples) -> Html {
    html! {
        <div class="step-list" tabindex="0" role="group" aria-label={text::examples()}>
            <ol class="examples">{ for told.examples.iter().map(|told| example(dataset, told)) }</ol>
        </div>
    }
}

fn example(dataset: Option<&DatasetId>, told: &StepExample) -> Html {
    let StepExample {
        example,
        tokens,
        target_tokens,
    } = told;
    let tokens = tokens
        .zip(*target_tokens)
        .map(text::example_tokens)
        .unwrap_or_default();
    let line: Html = text::line_of_file(example.line).into();
    let line = match dataset {
        Some(id) => Link {
            to: dataset_line(id.as_str(), example.line),
            content: line,
            ..Link::default()
        }
        .view(),
        None => line,
    };
    let body = if example.messages.is_empty() {
        paragraph("dim", text::too_long_to_show())
    } else {
        messages(example)
    };
    html! {
        <li key={example.line}>
            <div class="step-example-head dim"><span>{ line }</span><span>{ tokens }</span></div>
            { body }
        </li>
    }
}

#[cfg(test)]
mod tests;
