//! Form fields: a label, a control, a hint, and an error that is tied to the control.

use crate::{
    components::icon::{Icon, icon},
    text,
};
use wasm_bindgen::JsCast as _;
use web_sys::{HtmlButtonElement, HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

/// The id of a field's control.
#[must_use]
pub fn control_id(field: &str) -> String {
    format!("field-{field}")
}

/// What all fields have.
#[derive(Default)]
pub struct FieldProps {
    /// Its name on the wire.
    pub field: AttrValue,
    /// Its label.
    pub label: AttrValue,
    /// What it means, in plain words.
    pub hint: AttrValue,
    /// What is wrong with it.
    pub error: Option<AttrValue>,
    /// Its text as typed.
    pub value: AttrValue,
    /// Hears of what is typed.
    pub on_change: Callback<String>,
    /// Hears when it is left.
    pub on_leave: Callback<()>,
    /// A keyboard for numbers on a phone.
    pub numeric: bool,
    /// Shown inside at the right, for example the number written out.
    pub note: AttrValue,
    /// Common values.
    pub chips: Vec<AttrValue>,
    /// Choices: value and label. Of a select only.
    pub choices: Vec<(AttrValue, AttrValue)>,
    /// A value must be given.
    pub required: bool,
}

fn typed(on_change: &Callback<String>) -> Callback<InputEvent> {
    on_change.reform(|event: InputEvent| {
        event
            .target()
            .and_then(|target| target.dyn_into::<HtmlInputElement>().ok())
            .map(|input| input.value())
            .unwrap_or_default()
    })
}

/// Tells that a field was left. Leaving it for a button tells nothing: an error that appears between pressing and
/// releasing would push the button away from under the pointer, and the button's own action speaks anyway.
fn left(on_leave: &Callback<()>) -> Callback<FocusEvent> {
    let on_leave = on_leave.clone();
    Callback::from(move |event: FocusEvent| {
        let to_button = event
            .related_target()
            .is_some_and(|target| target.has_type::<HtmlButtonElement>());
        if !to_button {
            on_leave.emit(());
        }
    })
}

fn frame(props: &FieldProps, control: Html) -> Html {
    let id = control_id(&props.field);
    let chips = props.chips.iter().map(|chip| {
        let chosen = *chip == props.value;
        let onclick = props.on_change.reform({
            let chip = chip.clone();
            move |_: MouseEvent| chip.to_string()
        });
        html! {
            <button key={chip.to_string()} type="button" class={classes!("chip", chosen.then_some("is-on"))}
                aria-pressed={if chosen { "true" } else { "false" }} {onclick}>{ chip.clone() }</button>
        }
    });
    html! {
        <div class={classes!("field", props.error.is_some().then_some("has-error"))}>
            <label for={id.clone()}>{ props.label.clone() }</label>
            { control }
            <div class="chips" role="group" aria-label={props.label.clone()} hidden={props.chips.is_empty()}>{ for chips }</div>
            <p class="field-error" id={format!("{id}-error")}>{ props.error.clone().unwrap_or_default() }</p>
            <p class="field-hint" id={format!("{id}-hint")}>{ props.hint.clone() }</p>
        </div>
    }
}

fn described_by(props: &FieldProps) -> String {
    let id = control_id(&props.field);
    let hint = format!("{id}-hint");
    if props.error.is_some() {
        format!("{id}-error {hint}")
    } else {
        hint
    }
}

fn input(props: &FieldProps) -> Html {
    html! {
        <input
            id={control_id(&props.field)}
            name={props.field.clone()}
            type="text"
            inputmode={props.numeric.then_some("decimal")}
            autocomplete="off"
            spellcheck="false"
            required={props.required}
            value={props.value.clone()}
            aria-invalid={props.error.is_some().then_some("true")}
            aria-describedby={described_by(props)}
            oninput={typed(&props.on_change)}
            onblur={left(&props.on_leave)}
        />
    }
}

/// A line of text.
pub fn text_field(props: &FieldProps) -> Html {
    let control = html! {
        <div class="control">
            { input(props) }
            <span class="control-note" aria-hidden="true">{ props.note.clone() }</span>
        </div>
    };
    frame(props, control)
}

/// A whole number with buttons for one less and one more; the arrow keys do the same.
pub fn stepper_field(props: &FieldProps) -> Html {
    let step = |by: i64| {
        let value = props.value.clone();
        let on_change = props.on_change.clone();
        move || {
            let next = value.trim().parse::<i64>().unwrap_or(0).saturating_add(by).max(0);
            on_change.emit(next.to_string());
        }
    };
    let (less, more) = (step(-1), step(1));
    let onkeydown = {
        let (less, more) = (less.clone(), more.clone());
        Callback::from(move |event: KeyboardEvent| match event.key().as_str() {
            "ArrowUp" => {
                event.prevent_default();
                more();
            }
            "ArrowDown" => {
                event.prevent_default();
                less();
            }
            _ => {}
        })
    };
    let lower = Callback::from(move |_: MouseEvent| less());
    let raise = Callback::from(move |_: MouseEvent| more());
    let at_zero = props.value.trim().parse::<i64>().is_ok_and(|value| value <= 0);
    let control = html! {
        <div class="control" {onkeydown}>
            { input(props) }
            <span class="stepper">
                <button type="button" class="icon-button" aria-label={text::less(&props.label)} onclick={lower} disabled={at_zero}>{ icon(Icon::Minus) }</button>
                <button type="button" class="icon-button" aria-label={text::more(&props.label)} onclick={raise}>{ icon(Icon::Plus) }</button>
            </span>
        </div>
    };
    frame(props, control)
}

/// A choice.
pub fn select_field(props: &FieldProps) -> Html {
    let onchange = props.on_change.reform(|event: Event| {
        event
            .target()
            .and_then(|target| target.dyn_into::<HtmlSelectElement>().ok())
            .map(|select| select.value())
            .unwrap_or_default()
    });
    let choices = props.choices.iter().map(|(value, label)| {
        html! { <option key={value.to_string()} value={value.clone()} selected={*value == props.value}>{ label.clone() }</option> }
    });
    let control = html! {
        <div class="control is-select">
            <select
                id={control_id(&props.field)}
                name={props.field.clone()}
                required={props.required}
                aria-invalid={props.error.is_some().then_some("true")}
                aria-describedby={described_by(props)}
                {onchange}
                onblur={left(&props.on_leave)}
            >
                { for choices }
            </select>
        </div>
    };
    frame(props, control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn props(error: Option<&'static str>) -> FieldProps {
        FieldProps {
            field: "epochs".into(),
            label: "Epochs".into(),
            hint: "How often.".into(),
            error: error.map(AttrValue::from),
            value: "3".into(),
            on_change: Callback::noop(),
            on_leave: Callback::noop(),
            numeric: true,
            note: AttrValue::default(),
            chips: vec!["1".into(), "3".into()],
            choices: Vec::new(),
            required: true,
        }
    }

    #[derive(Properties, PartialEq)]
    struct HostProps {
        error: Option<&'static str>,
    }

    #[component]
    fn Host(host: &HostProps) -> Html {
        stepper_field(&props(host.error))
    }

    async fn render(error: Option<&'static str>) -> String {
        yew::ServerRenderer::<Host>::with_props(move || HostProps { error })
            .hydratable(false)
            .render()
            .await
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
        assert!(html.contains("aria-label=\"Increase epochs\""), "{html}");
    }
}
