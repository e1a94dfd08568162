//! An answer's JSON as it stands, borrowed from its bytes: what is asked for is looked up by name and copied once.
//!
//! Unlike `serde_json::Value` it hashes no name and copies no text. An answer's objects have a dozen fields, among which
//! looking is cheaper than hashing.

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use std::{borrow::Cow, fmt};

/// Fields of an object that are expected: a job has ten.
const FIELDS: usize = 12;
/// Entries of a list that are believed in before they are read.
const ENTRIES: usize = 10;

/// Any JSON.
#[derive(Debug, PartialEq)]
pub(in crate::upstream) enum Json<'a> {
    Null,
    Bool(bool),
    /// A whole number that isn't negative.
    Count(u64),
    /// Any other number.
    Number(f64),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Object(Fields<'a>),
}

/// An object's fields, as they came.
#[derive(Debug, PartialEq)]
pub(in crate::upstream) struct Fields<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Json<'a> {
    pub(in crate::upstream) fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    pub(in crate::upstream) const fn as_object(&self) -> Option<&Fields<'a>> {
        match self {
            Self::Object(fields) => Some(fields),
            _ => None,
        }
    }

    pub(in crate::upstream) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "as JSON's own numbers are read")]
    pub(in crate::upstream) const fn as_number(&self) -> Option<f64> {
        match self {
            Self::Count(count) => Some(*count as f64),
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A field of an object.
    pub(in crate::upstream) fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }
}

impl<'a> Fields<'a> {
    /// A field; of several with one name the last.
    pub(in crate::upstream) fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.0
            .iter()
            .rfind(|(theirs, _)| theirs == name)
            .map(|(_, value)| value)
    }
}

impl<'a> Fields<'a> {
    /// All of them, as they came.
    #[cfg(feature = "embedded")]
    pub(in crate::upstream) fn iter(&self) -> impl Iterator<Item = (&str, &Json<'a>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyJson)
    }
}

struct AnyJson;

impl<'de> Visitor<'de> for AnyJson {
    type Value = Json<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Count(value))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "negative: no field holds such a number"
    )]
    fn visit_i64<E: Error>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    /// A text with escapes: it can't be borrowed.
    fn visit_str<E: Error>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Json<'de>, A::Error> {
        let mut list = Vec::with_capacity(ENTRIES);
        while let Some(entry) = entries.next_element()? {
            list.push(entry);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json<'de>, A::Error> {
        let mut fields = Vec::with_capacity(FIELDS);
        while let Some(Name(name)) = entries.next_key()? {
            fields.push((name, entries.next_value()?));
        }
        Ok(Json::Object(Fields(fields)))
    }
}

/// A field's name, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Json<'_>> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn texts_without_escapes_are_borrowed_and_the_others_are_read() {
        let json = read(r#"{"plain":"text","n\u0061me":"a \"quoted\" text"}"#).expect("JSON");
        let Some(Json::Text(Cow::Borrowed("text"))) = json.get("plain") else {
            panic!("{json:?}")
        };
        assert_eq!(
            json.get("name").and_then(Json::as_text),
            Some("a \"quoted\" text")
        );
    }

    #[test]
    fn numbers_keep_what_they_are() {
        let numbers = [
            Json::Count(3),
            Json::Number(3.5),
            Json::Number(-3.0),
            Json::Number(3.0),
        ];
        assert_eq!(read("[3,3.5,-3,3.0]"), Some(Json::List(numbers.into())));
        assert_eq!(read("18446744073709551615"), Some(Json::Count(u64::MAX)));
    }

    #[test]
    fn of_several_fields_with_one_name_the_last_counts() {
        let json = read(r#"{"a":1,"a":2}"#).expect("JSON");
        assert_eq!(json.get("a"), Some(&Json::Count(2)));
        assert_eq!(json.get("b"), None);
    }

    #[test]
    fn what_is_no_json_is_not_read() {
        for text in ["", "{", "[1,]", "{\"a\" 1}", "nul", "[] []"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
