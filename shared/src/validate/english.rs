//! Findings in English, for clients that know no codes. The browser has its own words.

use crate::problem::FieldCode;

/// One sentence about one field, in lower case and without a full stop.
#[must_use]
pub fn english(field: &str, code: &FieldCode) -> String {
    let param = |name: &str| code.params.get(name).map_or("?", String::as_str);
    let label = label(field);
    match code.code.as_str() {
        "required" if field == "lora_targets" => "choose at least one projection for the adapter".to_owned(),
        "required" => format!("{label} is required"),
        "too_short" => format!("{label} needs at least {} characters", param("min")),
        "too_long" => format!("{label} can have at most {} characters", param("max")),
        "bad_characters" => format!("{label} can have letters, digits and dashes only"),
        "trailing_dash" => format!("{label} can't end in a dash"),
        "not_a_whole_number" => format!("{label} must be a whole number"),
        "not_a_number" => format!("{label} must be a number, for example 0.0002 or 2e-4"),
        "too_small" => format!("{label} must be at least {}", param("min")),
        "too_large" => format!("{label} must be at most {}", param("max")),
        "out_of_range" => {
            let bounds: Vec<String> = [
                ("above", "above"),
                ("min", "at least"),
                ("below", "below"),
                ("max", "at most"),
            ]
            .into_iter()
            .filter_map(|(name, words)| Some(format!("{words} {}", code.params.get(name)?)))
            .collect();
            format!("{label} must be {}", bounds.join(" and "))
        }
        "epochs_sum" => format!(
            "evaluation epochs and warm-up epochs together are {}, but must be at most the {} epochs of the job",
            param("sum"),
            param("epochs")
        ),
        "unknown_choice" => format!("{label} must be one of: {}", param("choices")),
        "too_many" => format!("{label} can have at most {} entries", param("max")),
        "text_length" => format!("each entry of {label} must have 1 to {} bytes", param("max")),
        "duplicate" => format!("{label} names `{}` twice", param("value")),
        "needs_dpo" => format!("{label} can be chosen with the method `dpo` only"),
        "not_supported" => format!("{label} can't be chosen here: leave it out"),
        other => format!("{label} is not valid (`{other}`)"),
    }
}

fn label(field: &str) -> String {
    match field {
        "name" => "the job name".to_owned(),
        "base_model" => "the base model".to_owned(),
        "training_dataset" => "the training dataset".to_owned(),
        "validation_dataset" => "the validation dataset".to_owned(),
        "epochs" => "the number of epochs".to_owned(),
        "evaluation_epochs" => "the number of evaluation epochs".to_owned(),
        "warmup_epochs" => "the number of warm-up epochs".to_owned(),
        "learning_rate" => "the learning rate".to_owned(),
        "method" => "the method".to_owned(),
        "beta" => "beta".to_owned(),
        "batch_size" => "the batch size".to_owned(),
        "lora" => "the adapter's shape".to_owned(),
        "lora_rank" => "the LoRA rank".to_owned(),
        "lora_alpha" => "the LoRA alpha".to_owned(),
        "lora_dropout" => "the LoRA dropout".to_owned(),
        "lora_targets" => "the list of projections".to_owned(),
        "schedule" => "the schedule".to_owned(),
        "seed" => "the seed".to_owned(),
        "model" => "the model".to_owned(),
        "messages" => "the list of messages".to_owned(),
        "temperature" => "the temperature".to_owned(),
        other => format!("`{other}`"),
    }
}
