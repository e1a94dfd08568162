//! One model's answer, as it comes.

use super::{
    Asked,
    tokens::{self, Piece},
};
use crate::{
    api::{
        ApiError,
        chat::{Came, ask},
    },
    browser,
    components::{
        button::{button_if, icon_button},
        face::error_view,
        icon::Icon,
        toast::use_toaster,
    },
    kept::use_kept,
    part::use_change,
    text,
};
use shared::chat::{ChatDone, ChatModelKind, ChatModelList, ChatRequest};
use std::{cell::RefCell, rc::Rc};
use web_sys::AbortController;
use yew::prelude::*;

#[derive(PartialEq)]
pub(super) struct AnswerProps {
    pub(super) models: Rc<ChatModelList>,
    pub(super) model: String,
    /// What is asked; another number asks again.
    pub(super) asked: Option<Asked>,
    /// Each token tells how likely it was.
    pub(super) probabilities: bool,
    pub(super) choose: Callback<String>,
    /// Takes the column away, where another stays.
    pub(super) remove: Option<Callback<()>>,
}

/// How far an answer is.
#[derive(Debug, Clone, Default, PartialEq)]
enum State {
    #[default]
    Nothing,
    Coming,
    Whole(ChatDone),
    Stopped,
    Failed(ApiError),
}

/// What has come of an answer.
#[derive(Debug, Clone, Default)]
struct Said {
    text: String,
    pieces: Vec<Piece>,
}

/// An answer on its way; giving it up closes the request, which ends the work at the server.
struct Running(Option<AbortController>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}

#[hook]
pub(super) fn use_answer(props: Rc<AnswerProps>) -> Html {
    let toaster = use_toaster();
    let said = use_memo((), |()| RefCell::new(Said::default()));
    let pointed = use_kept(|| None::<usize>);
    let column = use_memo(props.model.clone(), |model| tokens::column_id(model));
    let state = use_kept(State::default);
    let again = use_kept(|| 0_u32);
    let stop = use_memo((), |()| RefCell::new(Running(None)));
    let redraw = use_force_update();
    {
        let (said, state, stop) = (Rc::clone(&said), state.setter(), Rc::clone(&stop));
        let pointed = pointed.setter();
        let asked = props.asked.clone();
        let model = props.model.clone();
        let on = (asked.as_ref().map(|asked| asked.number), model.clone(), *again);
        use_change(on, move |_| {
            let asked = asked?;
            said.replace(Said::default());
            pointed.set(None);
            state.set(State::Coming);
            let controller = AbortController::new().ok()?;
            let signal = controller.signal();
            stop.replace(Running(Some(controller.clone())));
            wasm_bindgen_futures::spawn_local(async move {
                let request = ChatRequest {
                    model,
                    ..asked.request
                };
                let mut done = None;
                let outcome = ask(&request, &signal, |came| match came {
                    Came::Text(came) => {
                        let mut said = said.borrow_mut();
                        said.pieces.extend(tokens::pieces(&came));
                        said.text.push_str(&came.text);
                        drop(said);
                        redraw.force_update();
                    }
                    Came::Done(told) => done = Some(told),
                })
                .await;
                // Whoever stopped it has said so already.
                if signal.aborted() {
                    return;
                }
                state.set(match (outcome, done) {
                    (Ok(()), Some(done)) => State::Whole(done),
                    (Err(error), _) => State::Failed(error),
                    (Ok(()), None) => State::Failed(ApiError::Unreachable),
                });
            });
            Some(Box::new(Running(Some(controller))))
        });
    }
    let halt = {
        let (state, stop) = (state.setter(), Rc::clone(&stop));
        Callback::from(move |_: MouseEvent| {
            drop(stop.replace(Running(None)));
            state.set(State::Stopped);
        })
    };
    let retry = {
        let again = again.clone();
        Callback::from(move |()| again.set(*again + 1))
    };
    let copy = {
        let (said, toaster) = (Rc::clone(&said), toaster.clone());
        Callback::from(move |_: MouseEvent| {
            let (words, toaster) = (said.borrow().text.clone(), toaster.clone());
            wasm_bindgen_futures::spawn_local(async move {
                if browser::copy(&words).await {
                    toaster.good(text::copied());
                } else {
                    toaster.bad(text::copy_refused());
                }
            });
        })
    };
    let choose = props.choose.reform(|event: Event| browser::typed(&event));
    let remove = props
        .remove
        .clone()
        .map(|remove| remove.reform(|_: MouseEvent| ()));
    let Said { text: words, pieces } = said.borrow().clone();
    let shows_tokens = props.probabilities && !pieces.is_empty();
    let point = {
        let pointed = pointed.setter();
        Callback::from(move |index| pointed.set(index))
    };
    let name = text::tokens_of(&props.model);
    let tokens = shows_tokens.then(|| tokens::view(&column, name, &pieces, *pointed, &point));
    let (note, failure) = match &*state {
        State::Nothing => (text::answer_waits().to_owned(), None),
        State::Coming if words.is_empty() => (text::answer_thinks().to_owned(), None),
        State::Coming => (String::new(), None),
        State::Whole(done) => (text::answer_figures(done), None),
        State::Stopped => (text::answer_stopped().to_owned(), None),
        State::Failed(error) => (String::new(), Some(error_view(error, retry))),
    };
    let coming = *state == State::Coming;
    html! {
        <section class="card answer" aria-label={text::answer_of(&props.model)}>
            <div class="answer-head">
                <div class="control is-select"><select aria-label={text::model()} onchange={choose}>{ options(&props.models, &props.model) }</select></div>
                { icon_button(remove.is_some(), text::answer_remove().to_owned(), Icon::Close, remove.unwrap_or_default()) }
            </div>
            <div class="answer-body" aria-live="polite" aria-busy={coming.then_some("true")}>
                <p class={if coming { "answer-words is-coming" } else { "answer-words" }} hidden={words.is_empty() || shows_tokens}>{ words.clone() }</p>
                <div hidden={!shows_tokens}>{ tokens }</div>
                <div>{ failure }</div>
            </div>
            <div class="answer-foot">
                <span class="dim">{ note }</span>
                { button_if(coming, "button small", text::answer_stop(), halt) }
                { icon_button(!coming && !words.is_empty(), text::copy_answer().to_owned(), Icon::Copy, copy) }
            </div>
        </section>
    }
}

/// The models to choose from, by kind; one that is gone stays named.
fn options(list: &ChatModelList, chosen: &str) -> Html {
    let groups = [ChatModelKind::Base, ChatModelKind::Tuned, ChatModelKind::Checkpoint].map(|kind| {
        let options = list.models.iter().filter(|model| model.kind == kind).map(|model| {
            let label = text::chat_model_label(model);
            html! { <option key={model.id.clone()} value={model.id.clone()} selected={model.id == chosen}>{ label }</option> }
        });
        let options: Vec<Html> = options.collect();
        let label = text::chat_model_kind(kind);
        (!options.is_empty()).then(|| html! { <optgroup key={label} {label}>{ for options }</optgroup> })
    });
    let is_known = list.models.iter().any(|model| model.id == chosen);
    let gone = (!is_known).then(|| html! { <option key="gone" value={chosen.to_owned()} selected=true>{ chosen.to_owned() }</option> });
    gone.into_iter().chain(groups.into_iter().flatten()).collect()
}
