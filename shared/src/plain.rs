//! What serde finds wrong with JSON or with settings, in the words of whoever wrote them: no Rust type, no name of ours.
//!
//! Serde tells its findings as English text alone, so that text is what is read here. What isn't recognised stays as it is.

/// What is wrong, and with which field where the finding names one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field that is missing, unknown or there twice, within the object that was read.
    pub field: Option<String>,
    /// What is wrong with it: `must be a whole number, not the text "three"`, `is missing`. It stands after a name.
    pub problem: String,
}

/// Reads a finding of serde's, with or without its place in the text; nothing where it is none that is known.
#[must_use]
pub fn fault(finding: &str) -> Option<Fault> {
    let finding = without_position(finding);
    let about = |field: &str, problem: String| {
        Some(Fault {
            field: Some(field.to_owned()),
            problem,
        })
    };
    let of_all = |problem: String| Some(Fault { field: None, problem });
    if let Some(rest) = finding.strip_prefix("missing field `") {
        return about(rest.strip_suffix('`')?, "is missing".to_owned());
    }
    if let Some(rest) = finding.strip_prefix("duplicate field `") {
        return about(rest.strip_suffix('`')?, "is there twice".to_owned());
    }
    if let Some(rest) = finding.strip_prefix("unknown field `") {
        let (field, choices) = rest.split_once("`, ")?;
        return about(
            field,
            format!("is not known here{}", known(choices, ": there is ")),
        );
    }
    if let Some(rest) = finding.strip_prefix("unknown variant `") {
        let (word, choices) = rest.split_once("`, ")?;
        return of_all(format!("can't be `{word}`{}", known(choices, ": write ")));
    }
    if finding.starts_with("data did not match any variant of") {
        return of_all("has none of the forms that are taken".to_owned());
    }
    let mismatch = ["invalid type: ", "invalid value: ", "invalid length "]
        .into_iter()
        .find_map(|start| finding.strip_prefix(start));
    if let Some((found, wanted)) = mismatch.and_then(|rest| rest.rsplit_once(", expected ")) {
        return of_all(format!("must be {}, not {}", expected(wanted), told(found)));
    }
    let problem = match finding {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            "must be a whole number"
        }
        "number too large to fit in target type" => "is too large a number",
        "number too small to fit in target type" => "is too small a number",
        "invalid float literal" | "cannot parse float from empty string" => "must be a number",
        "provided string was not `true` or `false`" => "must be `true` or `false`",
        _ => return None,
    };
    of_all(problem.to_owned())
}

/// What was expected, by Rust's or serde's name for it.
#[must_use]
pub fn expected(name: &str) -> String {
    let words = match name {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "a nonzero u32" => "a whole number from 1 to 4294967295",
        "u64" | "u128" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a string" | "string" | "str" | "char" | "a character" | "variant identifier" | "string or map" => {
            "a text"
        }
        "a sequence" | "sequence" => "a list",
        "a map" | "map" => "an object",
        "a boolean" | "bool" => "`true` or `false`",
        "unit" => "null",
        _ if name.starts_with("struct ") => "an object",
        _ if name.starts_with("a tuple ") || name.starts_with("tuple ") || name.starts_with("an array ") => {
            "a list"
        }
        _ if name.starts_with("enum ") => "a text",
        _ => name,
    };
    words.to_owned()
}

/// What was found, by serde's or figment's name for it.
#[must_use]
pub fn told(found: &str) -> String {
    let found = found.trim();
    let number = ["integer", "floating point", "signed int", "unsigned int", "float"];
    if let Some(value) = number.into_iter().find_map(|kind| found.strip_prefix(kind)) {
        return value.trim().trim_matches('`').to_owned();
    }
    if let Some(value) = ["boolean ", "bool "]
        .into_iter()
        .find_map(|kind| found.strip_prefix(kind))
    {
        return format!("`{}`", value.trim_matches('`'));
    }
    if let Some(value) = found.strip_prefix("string ") {
        return format!("the text {value}");
    }
    if let Some(value) = found.strip_prefix("character ") {
        return format!("the text {}", value.replace('`', "\""));
    }
    match found {
        "map" | "Option value" | "newtype struct" => "an object".to_owned(),
        "sequence" | "array" => "a list".to_owned(),
        "unit" | "unit value" => "null".to_owned(),
        other => match other
            .split(", ")
            .next()
            .and_then(|count| count.parse::<u64>().ok())
        {
            Some(count) => format!("one with {count} entries"),
            None => other.to_owned(),
        },
    }
}

/// ``expected one of `a`, `b` `` as what may stand there; nothing where there are none.
fn known(choices: &str, before: &str) -> String {
    let choices = choices
        .trim_start_matches("expected ")
        .trim_start_matches("one of ");
    if choices.starts_with('`') {
        format!("{before}{choices}")
    } else {
        String::new()
    }
}

fn without_position(finding: &str) -> &str {
    match finding.rsplit_once(" at line ") {
        Some((before, place))
            if place
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b" column".contains(&byte)) =>
        {
            before
        }
        _ => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Colour {
        Red,
        Green,
    }

    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    enum Loose {
        #[expect(dead_code, reason = "read by serde alone")]
        Number(u32),
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read by serde alone")]
    struct Thing {
        count: u32,
        #[serde(default)]
        rate: f64,
        #[serde(default)]
        names: Vec<String>,
        #[serde(default)]
        on: bool,
        colour: Option<Colour>,
        loose: Option<Loose>,
        pair: Option<(u8, u8)>,
    }

    fn finding(json: &str) -> (Option<String>, String) {
        let error = serde_json::from_str::<Thing>(json).expect_err(json).to_string();
        let fault = fault(&error).unwrap_or_else(|| panic!("{json}: {error}"));
        (fault.field, fault.problem)
    }

    #[test]
    fn what_serde_finds_is_told_without_a_name_of_rust() {
        for (json, problem) in [
            (
                r#"{"count":"three"}"#,
                "must be a whole number from 0 to 4294967295, not the text \"three\"",
            ),
            (
                r#"{"count":-1}"#,
                "must be a whole number from 0 to 4294967295, not -1",
            ),
            (
                r#"{"count":1.5}"#,
                "must be a whole number from 0 to 4294967295, not 1.5",
            ),
            (
                r#"{"count":true}"#,
                "must be a whole number from 0 to 4294967295, not `true`",
            ),
            (
                r#"{"count":null}"#,
                "must be a whole number from 0 to 4294967295, not null",
            ),
            (r#"{"count":1,"rate":[]}"#, "must be a number, not a list"),
            (r#"{"count":1,"names":{}}"#, "must be a list, not an object"),
            (r#"{"count":1,"names":[1]}"#, "must be a text, not 1"),
            (
                r#"{"count":1,"on":"yes"}"#,
                "must be `true` or `false`, not the text \"yes\"",
            ),
            (
                r#"{"count":1,"colour":"blue"}"#,
                "can't be `blue`: write `red` or `green`",
            ),
            (
                r#"{"count":1,"loose":"a"}"#,
                "has none of the forms that are taken",
            ),
            (
                r#"{"count":1,"pair":[1]}"#,
                "must be a list, not one with 1 entries",
            ),
            ("[]", "must be an object, not one with 0 entries"),
            ("3", "must be an object, not 3"),
        ] {
            assert_eq!(finding(json), (None, problem.to_owned()), "{json}");
        }
    }

    #[test]
    fn a_field_that_is_missing_unknown_or_there_twice_is_named() {
        let named = |json, field: &str, problem: &str| {
            assert_eq!(
                finding(json),
                (Some(field.to_owned()), problem.to_owned()),
                "{json}"
            );
        };
        named("{}", "count", "is missing");
        named(r#"{"count":1,"count":2}"#, "count", "is there twice");
        let known = "`count`, `rate`, `names`, `on`, `colour`, `loose`, `pair`";
        named(
            r#"{"cuont":1}"#,
            "cuont",
            &format!("is not known here: there is {known}"),
        );
    }

    #[test]
    fn what_a_query_can_not_be_read_for_is_told_too_and_other_words_stay() {
        let of = |finding| fault(finding).map(|fault| fault.problem);
        let whole = "-".parse::<u32>().expect_err("no number").to_string();
        assert_eq!(of(&whole).as_deref(), Some("must be a whole number"));
        let large = "99999999999".parse::<u32>().expect_err("too large").to_string();
        assert_eq!(of(&large).as_deref(), Some("is too large a number"));
        let number = "x".parse::<f64>().expect_err("no number").to_string();
        assert_eq!(of(&number).as_deref(), Some("must be a number"));
        let switch = "x".parse::<bool>().expect_err("no switch").to_string();
        assert_eq!(of(&switch).as_deref(), Some("must be `true` or `false`"));
        assert_eq!(of("a time must be RFC 3339"), None);
    }
}
