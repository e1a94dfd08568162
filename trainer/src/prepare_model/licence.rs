//! A model's licence, as its folder tells it: in `attune.json`, else in the head of its card, `README.md`.

use serde_json::Value;
use std::{fs::File, io::Read, path::Path};

/// As much of a card as is looked at.
const HEAD_BYTES: u64 = 1 << 16;

/// The licence's name as the makers write it, such as `apache-2.0`.
pub(super) fn read(folder: &Path) -> Option<String> {
    let noted = || {
        let value: Value = serde_json::from_str(&head(&folder.join("attune.json"))?).ok()?;
        ["licence", "license"]
            .iter()
            .find_map(|key| value.get(*key)?.as_str().map(str::to_owned))
    };
    noted().or_else(|| of_card(&head(&folder.join("README.md"))?))
}

fn head(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path)
        .ok()?
        .take(HEAD_BYTES)
        .read_to_end(&mut bytes)
        .ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// `license`, or `license_name` where that says `other`, of the YAML between the first two lines of dashes. No more of
/// YAML is understood than cards use: a plain or quoted word, or a list of which the first counts.
fn of_card(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim_end);
    if lines.next()?.trim_start_matches('\u{feff}') != "---" {
        return None;
    }
    let front: Vec<&str> = lines.take_while(|line| *line != "---").collect();
    let value = |key: &str| {
        let place = front
            .iter()
            .position(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')))?;
        let same_line = plain(&front[place][key.len() + 1..]);
        let first_of_list = || plain(front.get(place + 1)?.trim_start().strip_prefix('-')?);
        same_line.or_else(first_of_list)
    };
    match value("license") {
        Some(name) if name == "other" => value("license_name").or(Some(name)),
        name => name,
    }
}

/// A scalar without its quotes and without a comment.
fn plain(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix('[').unwrap_or(text);
    let inside = match text.chars().next()? {
        quote @ ('"' | '\'') => text[1..].split(quote).next()?,
        '#' => return None,
        _ => text.split([',', ']']).next()?.split(" #").next()?,
    };
    let inside = inside.trim();
    (!inside.is_empty() && inside.len() <= 100).then(|| inside.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_licence_is_read_from_the_card_as_cards_write_it() {
        let found = |front: &str| of_card(&format!("---\n{front}\n---\nlicense: never\n"));
        assert_eq!(found("license: apache-2.0"), Some("apache-2.0".to_owned()));
        assert_eq!(found("tags:\n- x\nlicense: \"mit\" # so"), Some("mit".to_owned()));
        assert_eq!(
            found("license:\n- cc-by-4.0\n- mit"),
            Some("cc-by-4.0".to_owned())
        );
        assert_eq!(found("license: [mit, x]"), Some("mit".to_owned()));
        assert_eq!(
            found("license: other\nlicense_name: qwen-research"),
            Some("qwen-research".to_owned())
        );
        assert_eq!(found("license: other"), Some("other".to_owned()));
        assert_eq!(found("license_link: x"), None);
        assert_eq!(found("license:"), None);
        assert_eq!(of_card("license: mit\n"), None);
        assert_eq!(of_card(""), None);
    }

    #[test]
    fn what_attune_noted_goes_before_the_card() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()), None);
        std::fs::write(folder.path().join("README.md"), "---\nlicense: mit\n---\n").unwrap();
        assert_eq!(read(folder.path()), Some("mit".to_owned()));
        std::fs::write(folder.path().join("attune.json"), r#"{"licence": "apache-2.0"}"#).unwrap();
        assert_eq!(read(folder.path()), Some("apache-2.0".to_owned()));
    }
}
