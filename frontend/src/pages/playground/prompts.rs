//! What the models are asked: typed, pinned in this browser, or an example of a dataset.

use crate::{
    api::{self, json},
    browser,
    components::{
        button::{button_if, icon_button},
        card::paragraph,
        icon::Icon,
        select::select,
    },
    kept::use_kept,
    query::{Poll, hooks::use_optional_query, use_query},
    text,
};
use shared::{
    chat::{ChatMessage, ChatRole},
    dataset::PreviewExample,
    id::DatasetId,
};
use std::rc::Rc;
use yew::prelude::*;

/// Where pinned prompts are kept.
const KEY: &str = "attune.prompts";
const PINNED_AT_MOST: usize = 50;

/// What is asked.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub(super) struct Prompt {
    /// Sets the scene.
    pub(super) system: String,
    /// What was said before, in turns.
    #[serde(skip)]
    pub(super) earlier: Vec<ChatMessage>,
    /// The question.
    pub(super) user: String,
    /// What the dataset answers.
    pub(super) expected: String,
}

#[derive(PartialEq)]
pub(super) struct PromptsProps {
    pub(super) prompt: Prompt,
    /// The dataset whose examples are offered; empty for none.
    pub(super) dataset: String,
    pub(super) on_prompt: Callback<Prompt>,
    pub(super) on_dataset: Callback<String>,
    pub(super) on_ask: Callback<()>,
}

#[hook]
pub(super) fn use_prompts(props: Rc<PromptsProps>) -> Html {
    let pinned = use_kept(stored);
    let datasets = use_query(api::datasets::list(), Poll::Never).data;
    let chosen = Some(&props.dataset)
        .filter(|id| !id.is_empty())
        .map(|id| DatasetId::new(id.as_str()));
    let preview = use_optional_query(chosen.as_ref().map(api::datasets::preview), Poll::Never).data;
    let change = |change: fn(Prompt, String) -> Prompt| {
        let (prompt, on_prompt) = (props.prompt.clone(), props.on_prompt.clone());
        Callback::from(move |event: InputEvent| {
            on_prompt.emit(change(prompt.clone(), browser::typed(&event)));
        })
    };
    let onkeydown = {
        let ask = props.on_ask.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
                event.prevent_default();
                ask.emit(());
            }
        })
    };
    let pin = {
        let (pinned, prompt) = (pinned.clone(), props.prompt.clone());
        Callback::from(move |_: MouseEvent| {
            let mut next: Vec<Prompt> = pinned
                .iter()
                .filter(|known| known.user != prompt.user)
                .cloned()
                .collect();
            next.insert(0, prompt.clone());
            next.truncate(PINNED_AT_MOST);
            browser::store(KEY, json::write(&next).ok().as_deref());
            pinned.set(next);
        })
    };
    let is_pinned = pinned.iter().any(|known| known.user == props.prompt.user);
    let can_pin = !props.prompt.user.trim().is_empty() && props.prompt.earlier.is_empty() && !is_pinned;
    let rows = pinned.iter().enumerate().map(|(index, prompt)| {
        let (use_it, taken) = (props.on_prompt.clone(), prompt.clone());
        let onclick = Callback::from(move |_: MouseEvent| use_it.emit(taken.clone()));
        let unpin = {
            let pinned = pinned.clone();
            Callback::from(move |_: MouseEvent| {
                let mut next = (*pinned).clone();
                next.remove(index);
                browser::store(KEY, json::write(&next).ok().as_deref());
                pinned.set(next);
            })
        };
        html! {
            <li key={prompt.user.clone()} class="prompt-row">
                <button type="button" class="prompt-pick" {onclick}>{ prompt.user.clone() }</button>
                { icon_button(true, text::unpin(&prompt.user), Icon::Close, unpin) }
            </li>
        }
    });
    let rows: Vec<Html> = rows.collect();
    let examples = preview
        .as_ref()
        .map(|preview| preview.examples.as_slice())
        .unwrap_or_default();
    let examples = examples.iter().filter_map(|example| {
        let prompt = of_example(example)?;
        let (use_it, taken) = (props.on_prompt.clone(), prompt.clone());
        let onclick = Callback::from(move |_: MouseEvent| use_it.emit(taken.clone()));
        Some(html! {
            <li key={example.line} class="prompt-row">
                <button type="button" class="prompt-pick" {onclick}>{ prompt.user }</button>
            </li>
        })
    });
    let examples: Vec<Html> = examples.collect();
    let choices = datasets.as_ref().map(|list| {
        let named = list
            .datasets
            .iter()
            .map(|dataset| (dataset.id.to_string(), dataset.name.clone()));
        std::iter::once((String::new(), text::no_dataset().to_owned()))
            .chain(named)
            .collect::<Vec<_>>()
    });
    let choose = props.on_dataset.reform(|event: Event| browser::typed(&event));
    let earlier = props.prompt.earlier.iter().enumerate().map(|(index, message)| {
        html! { <p key={index} class="prompt-earlier"><b>{ text::chat_role(message.role) }</b>{ " " }{ message.content.clone() }</p> }
    });
    let expected = &props.prompt.expected;
    let has_prompts = !rows.is_empty();
    html! {
        <div class="prompts">
            <section class="card prompt-card" aria-label={text::prompt()}>
                <label class="prompt-field"><span>{ text::system_prompt() }</span>
                    <textarea rows="2" value={props.prompt.system.clone()} oninput={change(|prompt, system| Prompt { system, ..prompt })} onkeydown={onkeydown.clone()} />
                </label>
                <div>{ for earlier }</div>
                <label class="prompt-field"><span>{ text::prompt() }</span>
                    <textarea id="prompt-user" rows="5" value={props.prompt.user.clone()} placeholder={text::prompt_hint()}
                        oninput={change(|prompt, user| Prompt { user, expected: String::new(), ..prompt })} {onkeydown} />
                </label>
                <div class="prompt-expected" hidden={expected.is_empty()}>
                    <h2>{ text::expected_answer() }</h2>
                    { paragraph("answer-words", expected.clone()) }
                </div>
                <div class="buttons">{ button_if(can_pin, "button small", text::pin_prompt(), pin) }</div>
            </section>
            <section class="card prompt-list" aria-label={text::prompts()}>
                <h2>{ text::pinned_prompts() }</h2>
                <ul hidden={!has_prompts}>{ for rows }</ul>
                <p class="dim" hidden={has_prompts}>{ text::nothing_pinned() }</p>
                <div hidden={choices.is_none()}>
                    { select(text::examples_of(), choices.unwrap_or_default(), &props.dataset, choose) }
                </div>
                <ul>{ for examples }</ul>
            </section>
        </div>
    }
}

/// The question of an example, with what leads to it and what it should be answered; nothing where nobody is asked.
fn of_example(example: &PreviewExample) -> Option<Prompt> {
    let last = example
        .messages
        .iter()
        .rposition(|message| message.role == "user")?;
    let mut prompt = Prompt::default();
    for message in &example.messages[..last] {
        match message.role.as_str() {
            "system" => message.content.clone_into(&mut prompt.system),
            "user" | "assistant" => prompt.earlier.push(ChatMessage {
                role: if message.role == "user" {
                    ChatRole::User
                } else {
                    ChatRole::Assistant
                },
                content: message.content.clone(),
            }),
            _ => {}
        }
    }
    example.messages[last].content.clone_into(&mut prompt.user);
    let answer = example.messages[last + 1..]
        .iter()
        .find(|message| message.role == "assistant");
    prompt.expected = answer.map(|message| message.content.clone()).unwrap_or_default();
    Some(prompt)
}

/// The prompts that this browser keeps; what can't be read is as if it wasn't there.
fn stored() -> Vec<Prompt> {
    let text = browser::stored(KEY).unwrap_or_default();
    let Ok(tree) = json::parse(&text) else {
        return Vec::new();
    };
    let field = |entry: &json::Tree<'_>, name: &str| {
        let value = entry.get(name).and_then(json::Tree::as_str);
        value.unwrap_or_default().to_owned()
    };
    let entries = tree.as_array().unwrap_or_default();
    let prompts = entries.iter().map(|entry| Prompt {
        system: field(entry, "system"),
        earlier: Vec::new(),
        user: field(entry, "user"),
        expected: field(entry, "expected"),
    });
    prompts.filter(|prompt| !prompt.user.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_becomes_its_last_question_with_what_leads_to_it() {
        let example = serde_json::json!({"line": 3, "messages": [
            {"role": "system", "content": "s"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"},
        ]});
        let example: PreviewExample = serde_json::from_value(example).expect("an example");
        let prompt = of_example(&example).expect("it asks");
        assert_eq!(
            (
                prompt.system.as_str(),
                prompt.user.as_str(),
                prompt.expected.as_str()
            ),
            ("s", "c", "d")
        );
        assert_eq!(prompt.earlier.len(), 2);
        let silent = serde_json::json!({"line": 1, "messages": [{"role": "assistant", "content": "b"}]});
        let silent: PreviewExample = serde_json::from_value(silent).expect("an example");
        assert!(of_example(&silent).is_none());
    }
}
