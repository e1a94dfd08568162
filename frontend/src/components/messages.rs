//! The messages of a training example.

use crate::text;
use shared::dataset::PreviewExample;
use yew::prelude::*;

/// The messages of an example, what is learnt from set off; of a preference pair the input and both answers.
pub fn messages(example: &PreviewExample) -> Html {
    let last = example.messages.len().saturating_sub(1);
    let other = example.non_preferred.as_ref();
    let messages = example
        .messages
        .iter()
        .chain(other)
        .enumerate()
        .map(|(index, message)| {
            let (class, role) = match (message.role.as_str(), other) {
                (_, Some(_)) if index > last => ("message", text::non_preferred()),
                (_, Some(_)) if index == last => ("message is-answer", text::preferred()),
                (role @ "assistant", None) => ("message is-answer", role),
                (role, _) => ("message", role),
            };
            html! {
                <div key={index} {class}>
                    <span class="message-role">{ role }</span>
                    <span class="message-text">{ message.content.as_str() }</span>
                </div>
            }
        });
    html! { <div class="messages">{ for messages }</div> }
}
