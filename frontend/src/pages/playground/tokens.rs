//! An answer's tokens, each with how likely it was and what else could have stood there.
//!
//! How likely is told by the line below a token as well as by its ground, so not by colour alone. The pointer, a tap or
//! the arrow keys choose the token that is told about.

use crate::{
    browser,
    text::{self, format},
};
use shared::chat::{ChatText, TokenLogprob, TopLogprob};
use wasm_bindgen::JsCast as _;
use web_sys::Element;
use yew::prelude::*;

/// A part of an answer that is told about: a token, or several where only together they are whole characters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    text: String,
    /// Natural logarithm of its probability.
    logprob: f64,
    /// What could have stood there, the likeliest first.
    instead: Vec<TopLogprob>,
}

/// The pieces of what came at once.
pub(super) fn pieces(came: &ChatText) -> Vec<Piece> {
    let piece = |text: &str, tokens: &[TokenLogprob]| Piece {
        text: text.to_owned(),
        logprob: tokens.iter().map(|token| token.chosen.logprob).sum(),
        instead: tokens
            .first()
            .map(|token| token.top_logprobs.clone())
            .unwrap_or_default(),
    };
    let joined: String = came
        .logprobs
        .iter()
        .map(|token| token.chosen.token.as_str())
        .collect();
    if came.text.is_empty() {
        // The mark that ends an answer.
        Vec::new()
    } else if joined == came.text {
        let tokens = came
            .logprobs
            .iter()
            .filter(|token| !token.chosen.token.is_empty());
        tokens
            .map(|token| piece(&token.chosen.token, std::slice::from_ref(token)))
            .collect()
    } else {
        vec![piece(&came.text, &came.logprobs)]
    }
}

/// How likely something is, in four grades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grade {
    Sure,
    Likely,
    Open,
    Rare,
}

impl Grade {
    const ALL: [Self; 4] = [Self::Sure, Self::Likely, Self::Open, Self::Rare];

    fn of(logprob: f64) -> Self {
        match logprob.exp() {
            0.9.. => Self::Sure,
            0.5.. => Self::Likely,
            0.1.. => Self::Open,
            _ => Self::Rare,
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Sure => "token is-sure",
            Self::Likely => "token is-likely",
            Self::Open => "token is-open",
            Self::Rare => "token is-rare",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Sure => "≥ 90 %",
            Self::Likely => "≥ 50 %",
            Self::Open => "≥ 10 %",
            Self::Rare => "< 10 %",
        }
    }
}

/// White space as it can be seen.
fn visible(token: &str) -> String {
    token.replace('\n', "⏎").replace('\t', "⇥").replace(' ', "␣")
}

/// The tokens, and below them what is told about the chosen one. `column` tells this answer from those beside it.
pub(super) fn view(
    column: &str,
    label: String,
    pieces: &[Piece],
    chosen: Option<usize>,
    choose: &Callback<Option<usize>>,
) -> Html {
    let id = |index: usize| format!("token-{column}-{index}");
    let chosen = chosen.filter(|index| *index < pieces.len());
    let options = pieces.iter().enumerate().map(|(index, piece)| {
        let is_chosen = chosen == Some(index);
        let name = text::token_probability(&visible(&piece.text), piece.logprob.exp());
        html! {
            <li key={index} id={id(index)} role="option" aria-selected={if is_chosen { "true" } else { "false" }} aria-label={name}
                class={Grade::of(piece.logprob).class()} data-index={index.to_string()}>{ piece.text.clone() }</li>
        }
    });
    let point = {
        let choose = choose.clone();
        Callback::from(move |event: PointerEvent| {
            let target = event
                .target()
                .and_then(|target| target.dyn_into::<Element>().ok());
            let index = target.and_then(|target| target.get_attribute("data-index"));
            if let Some(index) = index.and_then(|index| index.parse().ok()) {
                choose.emit(Some(index));
            }
        })
    };
    let press = {
        let (choose, last) = (choose.clone(), pieces.len().saturating_sub(1));
        Callback::from(move |event: KeyboardEvent| {
            let next = match event.key().as_str() {
                "ArrowRight" | "ArrowDown" => chosen.map_or(0, |index| (index + 1).min(last)),
                "ArrowLeft" | "ArrowUp" => chosen.map_or(last, |index| index.saturating_sub(1)),
                "Home" => 0,
                "End" => last,
                _ => return,
            };
            event.prevent_default();
            choose.emit(Some(next));
        })
    };
    let enter = {
        let choose = choose.clone();
        // By the keyboard; a pointer has chosen one by then.
        Callback::from(move |_: FocusEvent| {
            if chosen.is_none() {
                choose.emit(Some(0));
            }
        })
    };
    html! {
        <>
            <ol class="tokens" role="listbox" tabindex="0" aria-label={label} aria-activedescendant={chosen.map(id)}
                onpointerover={point.clone()} onpointerdown={point} onkeydown={press} onfocus={enter}>
                { for options }
            </ol>
            <div class="token-told">{ told(chosen.and_then(|index| pieces.get(index))) }</div>
            <p class="token-grades dim">
                { for Grade::ALL.map(|grade| html! { <span key={grade.label()} class={grade.class()}>{ grade.label() }</span> }) }
            </p>
        </>
    }
}

/// The chosen token, and what could have stood there.
fn told(piece: Option<&Piece>) -> Html {
    let Some(piece) = piece else {
        return html! { <p class="dim">{ text::token_hint() }</p> };
    };
    let rows = piece.instead.iter().enumerate().map(|(place, token)| {
        let share = token.logprob.exp();
        let class = if token.token == piece.text {
            "is-chosen"
        } else {
            ""
        };
        html! {
            <li key={place} {class}>
                <code>{ visible(&token.token) }</code>
                <progress class="meter" aria-hidden="true" value={format::fixed(share, 4)} max="1"></progress>
                <span class="number">{ format::percent(share) }</span>
            </li>
        }
    });
    html! {
        <>
            <p>{ text::token_probability(&visible(&piece.text), piece.logprob.exp()) }</p>
            <ol class="token-instead" aria-label={text::token_instead()}>{ for rows }</ol>
        </>
    }
}

/// An answer's name in ids: nothing but letters, digits and dashes.
pub(super) fn column_id(model: &str) -> String {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter
        } else {
            '-'
        }
    };
    model.chars().map(plain).collect::<String>() + &browser::random_id()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str, logprob: f64) -> TokenLogprob {
        let chosen = TopLogprob {
            token: text.to_owned(),
            logprob,
            bytes: None,
        };
        TokenLogprob {
            top_logprobs: vec![chosen.clone()],
            chosen,
        }
    }

    #[test]
    fn tokens_that_are_one_character_together_are_one_piece() {
        let came = |text: &str, logprobs: Vec<TokenLogprob>| {
            let text = text.to_owned();
            pieces(&ChatText { text, logprobs })
        };
        let two = came("Hi there", vec![token("Hi", -0.1), token(" there", -1.0)]);
        let texts: Vec<_> = two.iter().map(|piece| piece.text.as_str()).collect();
        assert_eq!(texts, ["Hi", " there"]);
        let one = came("ä", vec![token("\u{fffd}", -0.5), token("\u{fffd}", -0.25)]);
        assert_eq!((one.len(), one[0].text.as_str(), one[0].logprob), (1, "ä", -0.75));
        assert!(came("", vec![token("", -0.1)]).is_empty());
    }

    #[test]
    fn each_probability_has_its_grade() {
        let of = |share: f64| Grade::of(share.ln());
        assert_eq!(of(1.0), Grade::Sure);
        assert_eq!((of(0.899), of(0.51)), (Grade::Likely, Grade::Likely));
        assert_eq!((of(0.49), of(0.11)), (Grade::Open, Grade::Open));
        assert_eq!((of(0.09), of(0.0)), (Grade::Rare, Grade::Rare));
        assert_eq!(visible(" a\n"), "␣a⏎");
    }
}
