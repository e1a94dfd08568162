//! Models side by side, asked the same: a base model beside what was tuned from it, beside any checkpoint.
//!
//! Which models, and which dataset's examples are offered, stands in the address. Pinned prompts stay in this browser.

mod answer;
mod prompts;
mod tokens;

use crate::{
    api, browser,
    components::{
        button::button_if,
        card::{paragraph, words},
        face::face,
        page_header::PageHeader,
    },
    kept::{Kept, use_kept},
    part::{keyed_part, part, use_change},
    query::{Poll, use_query},
    route::{self, Section},
    text,
};
use answer::{AnswerProps, use_answer};
use prompts::{Prompt, PromptsProps, use_prompts};
use shared::chat::{ChatMessage, ChatModel, ChatModelKind, ChatModelList, ChatRequest, ChatRole};
use std::rc::Rc;
use yew::prelude::*;

/// More columns nobody reads side by side.
const MOST: usize = 4;
const FRESH_MS: u32 = 10_000;
/// What else could have stood at a token's place.
const ALTERNATIVES: u32 = 5;

/// How the models are to answer.
#[derive(Debug, Clone, PartialEq)]
struct Manner {
    temperature: f64,
    top_p: f64,
    max_tokens: u32,
    seed: Option<i64>,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_p: 1.0,
            max_tokens: shared::chat::DEFAULT_MAX_TOKENS,
            seed: None,
        }
    }
}

/// What is asked, and how often it was: another number asks again.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) number: u64,
    pub(super) request: ChatRequest,
}

/// Models side by side.
#[hook]
pub fn use_playground_page() -> Html {
    let models = use_query(api::chat::models(), Poll::Every(FRESH_MS));
    let address = route::use_address();
    let named = (named(&address.parameter("models")), address.parameter("dataset"));
    let chosen = use_kept(|| numbered(&named.0));
    let dataset = use_kept(|| named.1.clone());
    let prompt = use_kept(Prompt::default);
    let manner = use_kept(Manner::default);
    let asked = use_kept(|| None::<Asked>);
    let probabilities = use_kept(|| false);
    let columns = columns(&chosen, models.data.as_deref());
    {
        // Led here again, by a link or by going back, it shows what the address says.
        let is_shown = named == (shown(&columns), (*dataset).clone());
        let (chosen, dataset) = (chosen.setter(), dataset.setter());
        use_change(named, move |(models, named_dataset)| {
            if !is_shown {
                chosen.set(numbered(models));
                dataset.set(named_dataset.clone());
            }
            None
        });
    }
    {
        let (told, dataset) = (shown(&columns), (*dataset).clone());
        let known = models.data.is_some();
        use_change((told, dataset, known), |(columns, dataset, known)| {
            let dataset = Some(dataset.as_str()).filter(|id| !id.is_empty());
            let address = route::playground(columns.iter().map(String::as_str), dataset);
            if *known {
                browser::replace_address(&address);
            }
            None
        });
    }
    let ask = {
        let (asked, prompt, manner) = (asked.clone(), (*prompt).clone(), (*manner).clone());
        Callback::from(move |()| {
            if prompt.user.trim().is_empty() {
                browser::focus_id("prompt-user");
                return;
            }
            asked.set(Some(Asked {
                number: asked.as_ref().map_or(1, |asked| asked.number + 1),
                request: request(&prompt, &manner),
            }));
        })
    };
    let body = face(
        &models,
        || crate::components::face::skeleton_block("skeleton-list"),
        |list| {
            list.models
                .is_empty()
                .then(|| paragraph("empty-body", text::playground_no_models()))
        },
        |list| {
            let answers = columns.iter().enumerate().map(|(index, column)| {
                let choose = {
                    let (set, columns) = (chosen.setter(), columns.clone());
                    Callback::from(move |model: String| set.set(with_column(&columns, index, Some(model))))
                };
                let remove = {
                    let (set, columns) = (chosen.setter(), columns.clone());
                    Callback::from(move |()| set.set(with_column(&columns, index, None)))
                };
                let remove = (columns.len() > 1).then_some(remove);
                let props = AnswerProps {
                    models: Rc::clone(list),
                    model: column.model.clone(),
                    asked: (*asked).clone(),
                    probabilities: *probabilities,
                    choose,
                    remove,
                };
                keyed_part(&column.number.to_string(), use_answer, props)
            });
            let answers: Html = answers.collect();
            let next = list
                .models
                .iter()
                .find(|model| columns.iter().all(|column| column.model != model.id))
                .or(list.models.first());
            let next = next.map(|model| model.id.clone());
            let add = {
                let (set, columns) = (chosen.setter(), columns.clone());
                Callback::from(move |_: MouseEvent| {
                    set.set(with_column(&columns, columns.len(), next.clone()));
                })
            };
            html! {
                <>
                    <div class="answers">{ answers }</div>
                    <div class="answers-more">{ button_if(columns.len() < MOST, "button", text::playground_add(), add) }</div>
                </>
            }
        },
    );
    let prompts = PromptsProps {
        prompt: (*prompt).clone(),
        dataset: (*dataset).clone(),
        on_prompt: {
            let prompt = prompt.setter();
            Callback::from(move |next| prompt.set(next))
        },
        on_dataset: {
            let dataset = dataset.setter();
            Callback::from(move |next| dataset.set(next))
        },
        on_ask: ask.clone(),
    };
    html! {
        <div class="page">
            <PageHeader title={text::section_label(Section::Playground)} sub={words(text::playground_sub())} />
            <div class="playground">
                { part(use_prompts, prompts) }
                { manner_bar(&manner, &probabilities, &ask) }
                { body }
            </div>
        </div>
    }
}

/// One of the models side by side. Its number stays with it, so that its answer does where another column goes.
#[derive(Debug, Clone, PartialEq)]
struct Column {
    number: usize,
    model: String,
}

/// The models that an address names.
fn named(list: &str) -> Vec<String> {
    let models = list.split(',').filter(|id| !id.is_empty());
    models.map(ToOwned::to_owned).take(MOST).collect()
}

fn numbered(models: &[String]) -> Vec<Column> {
    let column = |(number, model): (usize, &String)| Column {
        number,
        model: model.clone(),
    };
    models.iter().enumerate().map(column).collect()
}

fn shown(columns: &[Column]) -> Vec<String> {
    columns.iter().map(|column| column.model.clone()).collect()
}

/// The columns with another model in one of them, with one more, or without one.
fn with_column(columns: &[Column], index: usize, model: Option<String>) -> Vec<Column> {
    let mut next = columns.to_vec();
    let number = next.iter().map(|column| column.number + 1).max().unwrap_or(0);
    match (model, index < next.len()) {
        (Some(model), true) => next[index].model = model,
        (Some(model), false) => next.push(Column { number, model }),
        (None, true) => drop(next.remove(index)),
        (None, false) => {}
    }
    next
}

/// The shown models: those of the address, unless it names none; then the newest tuned one beside its base, or the first.
fn columns(chosen: &[Column], list: Option<&ChatModelList>) -> Vec<Column> {
    if !chosen.is_empty() {
        return chosen.to_vec();
    }
    let models = list.map(|list| list.models.as_slice()).unwrap_or_default();
    let tuned = models.iter().find(|model| model.kind == ChatModelKind::Tuned);
    let base = |model: &ChatModel| {
        let bases = models.iter().filter(|base| base.kind == ChatModelKind::Base);
        bases
            .clone()
            .find(|base| base.id == model.base_model)
            .map(|base| base.id.clone())
    };
    let proposed: Vec<String> = match (tuned, models.first()) {
        (Some(tuned), _) => base(tuned).into_iter().chain([tuned.id.clone()]).collect(),
        (None, first) => first.map(|model| model.id.clone()).into_iter().collect(),
    };
    numbered(&proposed)
}

fn request(prompt: &Prompt, manner: &Manner) -> ChatRequest {
    let message = |role: ChatRole, content: &str| ChatMessage {
        role,
        content: content.to_owned(),
    };
    let system = (!prompt.system.trim().is_empty()).then(|| message(ChatRole::System, &prompt.system));
    let messages = system
        .into_iter()
        .chain(prompt.earlier.iter().cloned())
        .chain([message(ChatRole::User, &prompt.user)]);
    ChatRequest {
        model: String::new(),
        messages: messages.collect(),
        max_tokens: Some(manner.max_tokens),
        temperature: manner.temperature,
        top_p: manner.top_p,
        seed: manner.seed,
        stop: Vec::new(),
        // Asked for always, so that they can be shown of an answer that is there.
        top_logprobs: ALTERNATIVES,
    }
}

fn manner_bar(manner: &Kept<Manner>, probabilities: &Kept<bool>, ask: &Callback<()>) -> Html {
    let field = |label: &'static str,
                 value: String,
                 bounds: (&'static str, &'static str, &'static str),
                 take: fn(Manner, Option<f64>) -> Manner| {
        let (set, chosen) = (manner.setter(), (**manner).clone());
        let onchange = Callback::from(move |event: Event| {
            set.set(take(
                chosen.clone(),
                shared::number::parse(&browser::typed(&event)),
            ));
        });
        html! {
            <label key={label} class="manner">
                <span>{ label }</span>
                <span class="control"><input type="number" inputmode="decimal" min={bounds.0} max={bounds.1} step={bounds.2} {value} {onchange} /></span>
            </label>
        }
    };
    let ask = ask.reform(|_: MouseEvent| ());
    let checked = if **probabilities { "true" } else { "false" };
    let show = {
        let probabilities = probabilities.clone();
        Callback::from(move |_: MouseEvent| probabilities.set(!*probabilities))
    };
    html! {
        <div class="manners">
            { field(text::temperature(), shared::number::text(manner.temperature), ("0", "2", "0.1"), |manner, value| Manner {
                temperature: value.unwrap_or(0.0).clamp(0.0, shared::chat::MAX_TEMPERATURE), ..manner
            }) }
            { field(text::top_p(), shared::number::text(manner.top_p), ("0.01", "1", "0.01"), |manner, value| Manner {
                top_p: value.unwrap_or(1.0).clamp(0.01, 1.0), ..manner
            }) }
            { field(text::max_tokens(), manner.max_tokens.to_string(), ("1", "4096", "1"), |manner, value| Manner {
                max_tokens: value.unwrap_or(256.0).clamp(1.0, 4096.0) as u32, ..manner
            }) }
            { field(text::seed(), manner.seed.map(|seed| seed.to_string()).unwrap_or_default(), ("0", "2147483647", "1"), |manner, value| Manner {
                seed: value.filter(|seed| *seed >= 0.0).map(|seed| seed as i64), ..manner
            }) }
            <button type="button" class="switch" role="switch" aria-checked={checked} onclick={show}>
                <i aria-hidden="true"></i>{ text::show_probabilities() }
            </button>
            <button type="button" class="button primary manners-run" onclick={ask}>{ text::playground_run() }</button>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::timestamp::Timestamp;

    fn model(id: &str, kind: ChatModelKind, base: &str) -> ChatModel {
        ChatModel {
            id: id.into(),
            kind,
            name: id.into(),
            base_model: base.into(),
            job_id: None,
            step: None,
            created_at: Timestamp::from_unix_ms(0),
        }
    }

    #[test]
    fn a_tuned_model_stands_beside_its_base_unless_the_address_says_otherwise() {
        let list = ChatModelList {
            models: vec![
                model("tiny", ChatModelKind::Base, "tiny"),
                model("small", ChatModelKind::Base, "small"),
                model("ft:small:2:ckpt-step-9", ChatModelKind::Checkpoint, "small"),
                model("ft:small:1", ChatModelKind::Tuned, "small"),
            ],
        };
        let columns = |chosen: &[Column], list| shown(&columns(chosen, list));
        assert_eq!(columns(&[], Some(&list)), ["small", "ft:small:1"]);
        assert_eq!(columns(&numbered(&named("tiny")), Some(&list)), ["tiny"]);
        let only_base = ChatModelList {
            models: vec![model("tiny", ChatModelKind::Base, "tiny")],
        };
        assert_eq!(columns(&[], Some(&only_base)), ["tiny"]);
        assert!(columns(&[], None).is_empty());
    }

    #[test]
    fn a_column_keeps_its_number_whatever_becomes_of_the_others() {
        let of = |columns: &[Column]| -> Vec<(usize, String)> {
            columns.iter().map(|it| (it.number, it.model.clone())).collect()
        };
        let columns = numbered(&named("a,b,,c"));
        let fewer = with_column(&columns, 0, None);
        assert_eq!(of(&fewer), [(1, "b".into()), (2, "c".into())]);
        let more = with_column(&fewer, 2, Some("d".into()));
        assert_eq!(of(&more)[2], (3, "d".into()), "a number that nobody had");
        assert_eq!(of(&with_column(&more, 0, Some("e".into())))[0], (1, "e".into()));
    }

    #[test]
    fn an_empty_system_prompt_is_not_sent() {
        let prompt = Prompt {
            user: "hello".into(),
            ..Prompt::default()
        };
        let sent = request(&prompt, &Manner::default());
        assert_eq!(sent.messages.len(), 1);
        let sent = request(
            &Prompt {
                system: "be brief".into(),
                ..prompt
            },
            &Manner::default(),
        );
        assert_eq!(sent.messages[0].role, ChatRole::System);
    }
}
