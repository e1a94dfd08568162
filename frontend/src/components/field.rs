//! Form fields: a label, a control, a hint, and an error that is tied to the control.

use crate::{
    browser,
    components::{button::icon_button, icon::Icon},
    text::{self, format},
};
use wasm_bindgen::JsCast as _;
use web_sys::HtmlButtonElement;
use yew::prelude::*;

/// The id of a field's control.
#[must_use]
pub fn control_id(field: &str) -> String {
    format!("field-{field}")
}

/// What a field is drawn from.
#[derive(Default)]
pub struct FieldProps {
    /// Its name on the wire.
    pub field: &'static str,
    /// Its label.
    pub label: &'static str,
    /// What it means, in plain words.
    pub hint: &'static str,
    /// What is wrong with it.
    pub error: Option<String>,
    /// Its text as typed.
    pub value: String,
    /// Hears of what is typed.
    pub on_change: Callback<String>,
    /// Hears when it is left.
    pub on_leave: Callback<()>,
    /// A keyboard for numbers on a phone.
    pub numeric: bool,
    /// It holds a number with a fraction. It is shown and typed with the language's decimal sign, and kept with a point.
    pub decimal: bool,
    /// Shown inside at the right, for example the number written out.
    pub note: String,
    /// Common values.
    pub chips: Vec<String>,
    /// Choices: value and label. Of a select only.
    pub choices: Vec<(String, String)>,
    /// A value must be given.
    pub required: bool,
    /// How far down a stepper goes.
    pub least: u32,
}

impl FieldProps {
    /// Tells that the field was left. Leaving it for a button tells nothing: an error that appears between pressing
    /// and releasing would push the button away from under the pointer, and its own action speaks anyway.
    fn left(&self) -> Callback<FocusEvent> {
        let on_leave = self.on_leave.clone();
        Callback::from(move |event: FocusEvent| {
            let to_button = event
                .related_target()
                .is_some_and(|target| target.has_type::<HtmlButtonElement>());
            if !to_button {
                on_leave.emit(());
            }
        })
    }

    fn described_by(&self) -> String {
        let id = control_id(self.field);
        let error = if self.error.is_some() {
            format!("{id}-error ")
        } else {
            String::new()
        };
        let note = if self.note.is_empty() {
            String::new()
        } else {
            format!("{id}-note ")
        };
        format!("{error}{note}{id}-hint")
    }

    /// How a value is shown.
    fn shown(&self, value: &str) -> String {
        if self.decimal {
            format::localised(value)
        } else {
            value.to_owned()
        }
    }

    fn frame(&self, control: Html) -> Html {
        let id = control_id(self.field);
        let chips = self.chips.iter().map(|chip| {
            let chosen = *chip == self.value || is_same_number(chip, &self.value);
            let value = chip.clone();
            let onclick = self.on_change.reform(move |_: MouseEvent| value.clone());
            html! {
                <button
                    key={chip.as_str()}
                    type="button"
                    class={if chosen { "chip is-on" } else { "chip" }}
                    aria-pressed={if chosen { "true" } else { "false" }}
                    {onclick}
                >
                    { self.shown(chip) }
                </button>
            }
        });
        html! {
            <div class={if self.error.is_some() { "field has-error" } else { "field" }}>
                <label for={id.clone()}>{ self.label }</label>
                { control }
                <div class="chips" role="group" aria-label={self.label} hidden={self.chips.is_empty()}>
                    { for chips }
                </div>
                <p class="field-error" id={format!("{id}-error")}>{ self.error.clone().unwrap_or_default() }</p>
                <p class="field-hint" id={format!("{id}-hint")}>{ self.hint }</p>
            </div>
        }
    }

    fn input(&self) -> Html {
        let decimal = self.decimal;
        let oninput = self.on_change.reform(move |event: InputEvent| {
            let typed = browser::typed(&event);
            if decimal {
                format::unlocalised(&typed)
            } else {
                typed
            }
        });
        html! {
            <input
                id={control_id(self.field)}
                name={self.field}
                type="text"
                inputmode={self.numeric.then_some("decimal")}
                autocomplete="off"
                spellcheck="false"
                required={self.required}
                value={self.shown(&self.value)}
                aria-invalid={self.error.is_some().then_some("true")}
                aria-describedby={self.described_by()}
                {oninput}
                onblur={self.left()}
            />
        }
    }
}

/// `1e-4` is `0.0001`.
fn is_same_number(one: &str, other: &str) -> bool {
    let read = |text: &str| shared::number::parse(text.trim());
    read(one).is_some_and(|number| read(other) == Some(number))
}

/// A line of text.
pub fn text_field(props: &FieldProps) -> Html {
    props.frame(html! {
        <div class="control">
            { props.input() }
            <span class="control-note" id={format!("{}-note", control_id(props.field))}>{ props.note.clone() }</span>
        </div>
    })
}

/// A whole number with buttons for one less and one more; the arrow keys do the same.
pub fn stepper_field(props: &FieldProps) -> Html {
    let now = props.value.trim().parse::<i64>().ok();
    let to = |by: i64| {
        now.unwrap_or(0)
            .saturating_add(by)
            .max(props.least.into())
            .to_string()
    };
    let (lower, higher) = (to(-1), to(1));
    let onkeydown = {
        let (on_change, lower, higher) = (props.on_change.clone(), lower.clone(), higher.clone());
        Callback::from(move |event: KeyboardEvent| {
            let next = match event.key().as_str() {
                "ArrowUp" => &higher,
                "ArrowDown" => &lower,
                _ => return,
            };
            event.prevent_default();
            on_change.emit(next.clone());
        })
    };
    let set = |value: String| props.on_change.reform(move |_: MouseEvent| value.clone());
    props.frame(html! {
        <div class="control" {onkeydown}>
            { props.input() }
            <span class="stepper">
                { icon_button(true, text::less(props.label), Icon::Minus, set(lower)) }
                { icon_button(true, text::more(props.label), Icon::Plus, set(higher)) }
            </span>
        </div>
    })
}

/// A choice.
pub fn select_field(props: &FieldProps) -> Html {
    let choices = props.choices.iter().map(|(value, label)| {
        html! {
            <option key={value.as_str()} value={value.clone()} selected={*value == props.value}>{ label.clone() }</option>
        }
    });
    props.frame(html! {
        <div class="control is-select">
            <select
                id={control_id(props.field)}
                name={props.field}
                required={props.required}
                aria-invalid={props.error.is_some().then_some("true")}
                aria-describedby={props.described_by()}
                onchange={props.on_change.reform(|event: Event| browser::typed(&event))}
                onblur={props.left()}
            >
                { for choices }
            </select>
        </div>
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Properties, PartialEq)]
    struct HostProps {
        error: Option<String>,
    }

    #[component]
    fn Host(host: &HostProps) -> Html {
        stepper_field(&FieldProps {
            field: "epochs",
            label: "Epochs",
            hint: "How often.",
            error: host.error.clone(),
            value: "3".to_owned(),
            chips: vec!["1".to_owned(), "3".to_owned()],
            ..FieldProps::default()
        })
    }

    async fn render(error: Option<&str>) -> String {
        let error = error.map(ToOwned::to_owned);
        yew::ServerRenderer::<Host>::with_props(move || HostProps { error })
            .hydratable(false)
            .render()
            .await
    }

    #[test]
    fn a_chip_is_on_however_its_number_is_written() {
        assert!(is_same_number("0.0001", "1e-4") && is_same_number("0.0001", " 0.00010"));
        assert!(!is_same_number("0.0001", "") && !is_same_number("0.0001", "0.0002"));
    }

    #[tokio::test]
    async fn an_error_is_tied_to_its_control() {
        let html = render(Some("At least 1.")).await;
        assert!(
            html.contains("for=\"field-epochs\"") && html.contains("id=\"field-epochs\""),
            "{html}"
        );
        assert!(
            html.contains("aria-describedby=\"field-epochs-error field-epochs-hint\""),
            "{html}"
        );
        assert!(
            html.contains("aria-invalid=\"true\"") && html.contains("At least 1."),
            "{html}"
        );
    }

    #[tokio::test]
    async fn a_field_without_error_names_its_hint_and_its_buttons() {
        let html = render(None).await;
        assert!(!html.contains("aria-invalid"), "{html}");
        assert!(html.contains("aria-describedby=\"field-epochs-hint\""), "{html}");
        assert!(html.contains("aria-label=\"Increase epochs\""), "{html}");
    }
}
