//! Where settings come from: the environment and the command line, as providers that remember their names.

use super::settings::{KEYS, Shape};
use figment::{
    Metadata, Profile, Provider,
    value::{Dict, Map, Num, Tag, Value},
};

const PREFIX: &str = "ATTUNE_";
/// Variables with the prefix that other parts of the program read.
const ELSEWHERE: [&str; 2] = ["ATTUNE_CONFIG", "ATTUNE_IMPORT_API_KEY"];

/// The `ATTUNE_…` variables.
pub(super) struct Environment {
    values: Vec<(&'static str, Value)>,
    unknown: Vec<String>,
}

impl Environment {
    pub(super) fn read(variables: &[(String, String)]) -> Self {
        let mut values = Vec::new();
        let mut unknown = Vec::new();
        for (name, text) in variables {
            let Some(rest) = name.strip_prefix(PREFIX) else {
                continue;
            };
            let key = rest.to_ascii_lowercase().replace("__", ".");
            match KEYS.iter().find(|(known, _)| *known == key) {
                // An empty variable is an unset one: container platforms can't always leave one out.
                Some(_) if text.is_empty() => {}
                Some((known, shape)) => values.push((*known, value(text, *shape))),
                None if ELSEWHERE.contains(&name.as_str()) => {}
                None => unknown.push(name.clone()),
            }
        }
        Self { values, unknown }
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        self.unknown
            .iter()
            .map(|name| format!("environment variable `{name}` is no setting and is ignored"))
            .collect()
    }
}

fn value(text: &str, shape: Shape) -> Value {
    let plain = || Value::String(Tag::Default, text.to_owned());
    match shape {
        Shape::Text => plain(),
        Shape::Number => text
            .trim()
            .parse::<u64>()
            .map_or_else(|_| plain(), |number| Value::Num(Tag::Default, Num::U64(number))),
        Shape::Switch => text
            .trim()
            .parse::<bool>()
            .map_or_else(|_| plain(), |on| Value::Bool(Tag::Default, on)),
        Shape::List => Value::Array(
            Tag::Default,
            text.split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| Value::String(Tag::Default, part.to_owned()))
                .collect(),
        ),
    }
}

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named("environment")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(nest(self.values.iter().cloned())))
    }
}

/// The command line's values.
pub(super) struct Flags(Vec<(&'static str, Value)>);

impl Flags {
    pub(super) fn new(flags: &super::Flags) -> Self {
        let mut values = Vec::new();
        if let Some(listen) = &flags.listen {
            values.push(("listen", Value::from(listen.as_str())));
        }
        if let Some(data_dir) = &flags.data_dir {
            values.push(("data_dir", Value::from(data_dir.display().to_string())));
        }
        Self(values)
    }
}

impl Provider for Flags {
    fn metadata(&self) -> Metadata {
        Metadata::named("command line")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(nest(self.0.iter().cloned())))
    }
}

/// `a.b = v` as nested dictionaries.
fn nest(values: impl Iterator<Item = (&'static str, Value)>) -> Dict {
    let mut root = Dict::new();
    for (key, value) in values {
        match key.split_once('.') {
            None => {
                root.insert(key.to_owned(), value);
            }
            Some((table, name)) => {
                let entry = root
                    .entry(table.to_owned())
                    .or_insert_with(|| Value::Dict(Tag::Default, Dict::new()));
                if let Value::Dict(_, inner) = entry {
                    inner.insert(name.to_owned(), value);
                }
            }
        }
    }
    root
}

/// Says where the value of a setting came from.
pub(super) fn tell(metadata: &Metadata, setting: &str) -> String {
    match metadata.name.as_ref() {
        "environment" => {
            format!(
                "from environment variable `{PREFIX}{}`",
                setting.to_ascii_uppercase().replace('.', "__")
            )
        }
        "command line" => format!("from `--{}`", setting.replace('_', "-")),
        _ => metadata.source.as_ref().map_or_else(
            || "from the configuration file".to_owned(),
            |source| format!("from `{source}`"),
        ),
    }
}
