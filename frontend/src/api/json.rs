//! Reads JSON into the shared types and writes it, small in code.
//!
//! The reader of `serde_json` compiles, for every struct, a second reader for the struct written as an array, and a
//! third for every way to begin a value. Here a text becomes a [`tree`] once, and each type is read from the tree by
//! the one way in which it is written. Deliberately not here: types that must look at a value before they know what it is
//! (untagged and internally tagged enums, flattening); none of the types of `/api` that are read here is one.

pub mod tree;
mod write;

pub use tree::{Tree, parse};
pub use write::write;

use serde::{
    de::{
        DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, MapAccess,
        SeqAccess, Unexpected, VariantAccess, Visitor,
    },
    forward_to_deserialize_any,
};
use std::{borrow::Cow, fmt};

/// Why a text could not be read, or a value not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

impl serde::de::Error for Unreadable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }

    // As serde has it, but for the value that was found: to tell it takes the standard library's way to write
    // floating-point numbers.
    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("expected {expected}"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("expected {expected}"))
    }
}

impl serde::ser::Error for Unreadable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Reads a text.
///
/// # Errors
/// Where it is no JSON, or not of this type.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    let tree = parse(text)?;
    T::deserialize(Node(&tree))
}

/// Reads one field of an object.
///
/// # Errors
/// As [`read`], and where there is no such field.
pub fn read_field<T: DeserializeOwned>(text: &str, field: &str) -> Result<T, Unreadable> {
    let tree = parse(text)?;
    T::deserialize(Node(tree.get(field).unwrap_or(&Tree::Null)))
}

#[derive(Clone, Copy)]
struct Node<'a>(&'a Tree<'a>);

impl Node<'_> {
    #[cold]
    fn unexpected(self, wanted: &str) -> Unreadable {
        let found = match self.0 {
            Tree::Null => "nothing",
            Tree::Bool(_) => "true or false",
            Tree::Number(text) => text,
            Tree::Text(text) => text,
            Tree::List(_) => "a list",
            Tree::Object(_) => "an object",
        };
        Unreadable(format!("expected {wanted}, found {found}"))
    }

    fn float(self) -> Result<f64, Unreadable> {
        self.0.as_f64().ok_or_else(|| self.unexpected("a number"))
    }

    fn unsigned(self) -> Result<u64, Unreadable> {
        self.0.as_u64().ok_or_else(|| self.unexpected("a whole number"))
    }

    fn signed(self) -> Result<i64, Unreadable> {
        self.0.as_i64().ok_or_else(|| self.unexpected("a whole number"))
    }
}

macro_rules! numbers {
    ($read:ident, $visit:ident: $($name:ident)*) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            visitor.$visit(self.$read()?)
        })*
    };
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = Unreadable;

    numbers!(unsigned, visit_u64: deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64);
    numbers!(signed, visit_i64: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64);
    numbers!(float, visit_f64: deserialize_f32 deserialize_f64);

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unreadable> {
        Err(self.unexpected("a value of a known type"))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.0 {
            Tree::Bool(value) => visitor.visit_bool(*value),
            _ => Err(self.unexpected("true or false")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.0 {
            Tree::Text(text) => visitor.visit_str(text),
            _ => Err(self.unexpected("a text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.0 {
            Tree::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.0 {
            Tree::List(values) => visitor.visit_seq(Items(values.iter())),
            _ => Err(self.unexpected("a list")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.0 {
            Tree::Object(fields) => visitor.visit_map(Fields {
                rest: fields.iter(),
                value: None,
            }),
            _ => Err(self.unexpected("an object")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_enum(Word(self))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct }
}

struct Items<'a>(std::slice::Iter<'a, Tree<'a>>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Unreadable;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unreadable> {
        self.0
            .next()
            .map(|value| seed.deserialize(Node(value)))
            .transpose()
    }
}

struct Fields<'a> {
    rest: std::slice::Iter<'a, (Cow<'a, str>, Tree<'a>)>,
    value: Option<&'a Tree<'a>>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unreadable> {
        let Some((name, value)) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        seed.deserialize(Name(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unreadable> {
        seed.deserialize(Node(self.value.take().unwrap_or(&Tree::Null)))
    }
}

/// The name of a field.
struct Name<'a>(&'a str);

impl<'de> Deserializer<'de> for Name<'_> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_str(self.0)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// An enum whose variants hold nothing, written as a word.
struct Word<'a>(Node<'a>);

impl<'de> EnumAccess<'de> for Word<'_> {
    type Error = Unreadable;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Unreadable> {
        Ok((seed.deserialize(self.0)?, self))
    }
}

impl<'de> VariantAccess<'de> for Word<'_> {
    type Error = Unreadable;

    fn unit_variant(self) -> Result<(), Unreadable> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Unreadable> {
        Err(Unreadable::custom("a word holds nothing"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Unreadable> {
        Err(Unreadable::custom("a word holds nothing"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Unreadable> {
        Err(Unreadable::custom("a word holds nothing"))
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use shared::{
        capabilities::Capabilities, dataset::DatasetReport, draft::Draft, job::JobList, metrics::Metrics,
        model::ModelList, problem::Problem,
    };

    fn as_serde_reads<T: serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(text: &str) {
        let expected: T = serde_json::from_str(text).expect("serde_json reads it");
        assert_eq!(read::<T>(text), Ok(expected));
    }

    #[test]
    fn every_kind_of_answer_reads_as_with_serde_json() {
        as_serde_reads::<Capabilities>(
            &serde_json::to_string(&Capabilities::engine()).expect("it is written"),
        );
        as_serde_reads::<Metrics>(
            r#"{"from":1,"to":3,"curves":[{"series":"train_loss","total_points":3,"steps":[1,2,3],"values":[1,null,0.5]}]}"#,
        );
        as_serde_reads::<JobList>(
            r#"{"jobs":[{"id":"a","name":"n","base_model":"m","status":"running","created_at":"2026-11-21T12:00:00Z",
            "learning_rate":2e-4,"unknown":[{"x":1}],"hyperparameters":{"method":"supervised","batch_size":8,
            "gradient_accumulation":1,"schedule":"linear","lora":{"rank":16,"alpha":32,"targets":["q_proj"]},
            "max_sequence_length":256,"seed":18446744073709551615},"progress":{"stage":"training","step":1,
            "total_steps":2,"epoch":0}}],"summary":{"running":1,"queued":0,"paused":0,"completed":0,"failed":0,
            "cancelled":0,"total":1},"next_cursor":null}"#,
        );
        as_serde_reads::<DatasetReport>(
            r#"{"format":"chat","lines":1,"examples":1,"messages":2,"duplicates":0,"errors":1,"warnings":0,
            "findings":[{"line":0,"severity":"error","code":"c","message":"m","advice":"a"}]}"#,
        );
        as_serde_reads::<ModelList>(r#"{"models":[{"id":"m","display_name":"M"}]}"#);
        as_serde_reads::<Problem>(
            r#"{"title":"t","status":400,"code":"c","fields":{"a":"b"},"field_codes":{"e":{"code":"x","params":{"min":"1"}}}}"#,
        );
        as_serde_reads::<Draft>(&Draft::new("id").to_json());
    }

    #[test]
    fn what_is_not_of_the_type_says_what_was_expected() {
        let error = |text: &str| read::<Metrics>(text).expect_err("it is refused").to_string();
        assert!(error("{").contains("byte 1"));
        assert!(
            error(r#"{"from":"one"}"#).contains("whole number"),
            "{}",
            error(r#"{"from":"one"}"#)
        );
        assert!(error("[]").contains("an object"));
        assert!(error("{}").contains("from"));
    }
}
