//! Findings about fields. `shared` says them in English, for clients that know no codes.

use crate::text::{field_label, format::localised};
use shared::problem::FieldCode;

/// What is wrong with a field, as a sentence. The field stands before a colon, so that no article is needed.
pub(crate) fn finding(field: &str, code: &FieldCode) -> String {
    let word = |name: &str| code.params.get(name).map_or("?", String::as_str);
    let number = |name: &str| localised(word(name));
    let label = label(field);
    match code.code.as_str() {
        "required" if field == "lora_targets" => {
            "Mindestens eine Projektion für den Adapter wählen.".to_owned()
        }
        "required" => format!("{label}: muss angegeben werden."),
        "too_short" => format!("{label}: mindestens {} Zeichen.", number("min")),
        "too_long" => format!("{label}: höchstens {} Zeichen.", number("max")),
        "bad_characters" => format!("{label}: nur Buchstaben, Ziffern und Bindestriche."),
        "trailing_dash" => format!("{label}: darf nicht mit einem Bindestrich enden."),
        "not_a_whole_number" => format!("{label}: muss eine ganze Zahl sein."),
        "not_a_number" => format!("{label}: muss eine Zahl sein, zum Beispiel 0,0002 oder 2e-4."),
        "too_small" => format!("{label}: mindestens {}.", number("min")),
        "too_large" => format!("{label}: höchstens {}.", number("max")),
        "out_of_range" => {
            let bounds: Vec<String> = [
                ("above", "größer als"),
                ("min", "mindestens"),
                ("below", "kleiner als"),
                ("max", "höchstens"),
            ]
            .into_iter()
            .filter_map(|(name, words)| Some(format!("{words} {}", localised(code.params.get(name)?))))
            .collect();
            format!("{label}: {}.", bounds.join(" und "))
        }
        "epochs_sum" => format!(
            "Evaluations- und Aufwärm-Epochen sind zusammen {}, dürfen aber höchstens die {} Epochen des Jobs sein.",
            word("sum"),
            word("epochs")
        ),
        "unknown_choice" => format!("{label}: eines von {}.", word("choices")),
        "duplicate" => format!("{label}: `{}` ist doppelt.", word("value")),
        "needs_dpo" => format!("{label}: nur mit dem Verfahren `dpo` wählbar."),
        "not_supported" => format!("{label}: lässt sich hier nicht wählen; weglassen."),
        other => format!("{label}: ist nicht gültig (`{other}`)."),
    }
}

/// The label in the form, or what the form has no field for.
fn label(field: &str) -> &str {
    match field {
        "lora" => "Form des Adapters",
        "lora_targets" => super::targets(),
        _ if shared::draft::FIELDS.contains(&field) => field_label(field),
        _ => field,
    }
}
