//! What the API refuses: one message a field, by the API's names.

use serde_json::{Map, Value, json};

/// What is wrong with a body; empty where nothing is.
pub(super) fn findings(input: &Value) -> Value {
    let mut fields = Map::new();
    let mut refuse = |field: &str, message: &str| {
        fields.entry(field.to_owned()).or_insert_with(|| json!(message));
    };
    match input["name"].as_str() {
        None => refuse("name", "Name is required"),
        Some(name) if name.chars().count() < 3 => refuse("name", "Name must be at least 3 characters long"),
        Some(name) if name.chars().count() > 50 => refuse("name", "Name must be at most 50 characters long"),
        Some(name) if name.ends_with('-') => refuse("name", "Name must not end with a dash"),
        Some(name)
            if !name
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '-') =>
        {
            refuse("name", "Name can only contain letters, numbers and dashes");
        }
        Some(_) => {}
    }
    if !input["baseModel"].is_string() {
        refuse("baseModel", "Base model is required");
    }
    let mut count = |field: &str, label: &str| {
        let number = input[field].as_i64();
        if number.is_none() {
            refuse(field, &format!("{label} must be a number"));
        }
        number.unwrap_or_default()
    };
    let epochs = count("epochs", "Epochs");
    let evaluation = count("evaluationEpochs", "Evaluation epochs");
    let warmup = count("warmupEpochs", "Warmup epochs");
    if evaluation + warmup > epochs {
        let message = "Evaluation and warmup epochs together must not exceed epochs";
        refuse("evaluationEpochs", message);
        refuse("warmupEpochs", message);
    }
    match input["learningRate"].as_f64() {
        Some(rate) if (0.0..=1.0).contains(&rate) => {}
        _ => refuse("learningRate", "Learning rate must be between 0 and 1"),
    }
    Value::Object(fields)
}
