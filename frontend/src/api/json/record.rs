//! Reading a type from a [`Tree`].
//!
//! serde's derived readers weigh: each takes the fields in any order, and so keeps a place for each, a name for each and
//! a way to tell that it came twice. A tree is at hand whole, so a reader here asks for its fields by name, and the
//! compiler refuses a [`record!`] that forgets one.

use super::{Tree, Unreadable};
use serde::de::{IntoDeserializer as _, value::StrDeserializer};
use std::collections::BTreeMap;

/// Can be read from a tree.
pub trait FromTree: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// Where the tree holds something else.
    fn from_tree(tree: &Tree<'_>) -> Result<Self, Unreadable>;

    /// What a field of this type is where an object doesn't have it; none where it must be there.
    fn absent() -> Option<Self> {
        None
    }
}

/// Reads a field of an object.
///
/// # Errors
/// Where the tree is no object, or the field isn't there or of another type.
#[inline(never)]
pub(crate) fn field<T: FromTree>(tree: &Tree<'_>, name: &str) -> Result<T, Unreadable> {
    match known(tree, name)? {
        Some(value) => T::from_tree(value).map_err(|error| error.at(name)),
        None => T::absent().ok_or_else(|| Unreadable::missing(name)),
    }
}

/// Reads a field of an object, `otherwise` where it isn't there.
///
/// # Errors
/// Where the tree is no object, or the field is of another type.
#[inline(never)]
pub(crate) fn field_or<T: FromTree>(tree: &Tree<'_>, name: &str, otherwise: T) -> Result<T, Unreadable> {
    match known(tree, name)? {
        Some(value) => T::from_tree(value).map_err(|error| error.at(name)),
        None => Ok(otherwise),
    }
}

fn known<'a, 'b>(tree: &'b Tree<'a>, name: &str) -> Result<Option<&'b Tree<'a>>, Unreadable> {
    match tree {
        Tree::Object(_) => Ok(tree.get(name)),
        _ => Err(Unreadable::expected("an object", tree)),
    }
}

/// Reads enums whose variants hold nothing, written as a word each.
///
/// # Errors
/// Where the tree holds no text, or an unknown word.
pub(super) fn word<'a, T>(tree: &'a Tree<'_>) -> Result<T, Unreadable>
where
    T: serde::Deserialize<'a>,
{
    let text = tree
        .as_str()
        .ok_or_else(|| Unreadable::expected("a word", tree))?;
    let word: StrDeserializer<'a, Unreadable> = text.into_deserializer();
    T::deserialize(word)
}

/// `record!(Type { a, b } or default { c });` reads a struct from the fields of these names; those of the second group may be
/// absent even where their type alone would not let them.
macro_rules! record {
    ($name:ty { $($field:ident),* $(,)? } $(or default { $($optional:ident),* $(,)? })?) => {
        impl $crate::api::json::record::FromTree for $name {
            fn from_tree(
                tree: &$crate::api::json::Tree<'_>,
            ) -> Result<Self, $crate::api::json::Unreadable> {
                Ok(Self {
                    $($field: $crate::api::json::record::field(tree, stringify!($field))?,)*
                    $($($optional: $crate::api::json::record::field_or(
                        tree,
                        stringify!($optional),
                        Default::default(),
                    )?,)*)?
                })
            }
        }
    };
}
pub(crate) use record;

macro_rules! plain {
    ($($type:ty: $read:expr, $wanted:literal;)*) => {
        $(impl FromTree for $type {
            fn from_tree(tree: &Tree<'_>) -> Result<Self, Unreadable> {
                let read: fn(&Tree<'_>) -> Option<Self> = $read;
                read(tree).ok_or_else(|| Unreadable::expected($wanted, tree))
            }
        })*
    };
}

plain! {
    bool: |tree| match tree { Tree::Bool(value) => Some(*value), _ => None }, "true or false";
    u16: |tree| tree.as_u64()?.try_into().ok(), "a whole number";
    u32: |tree| tree.as_u64()?.try_into().ok(), "a whole number";
    u64: |tree| tree.as_u64(), "a whole number";
    f64: |tree| tree.as_f64(), "a number";
    String: |tree| tree.as_str().map(str::to_owned), "a text";
    shared::timestamp::Timestamp: |tree| Self::parse_rfc3339(tree.as_str()?), "a time in RFC 3339";
}

impl<T: FromTree> FromTree for Option<T> {
    fn from_tree(tree: &Tree<'_>) -> Result<Self, Unreadable> {
        match tree {
            Tree::Null => Ok(None),
            _ => T::from_tree(tree).map(Some),
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: FromTree> FromTree for Vec<T> {
    fn from_tree(tree: &Tree<'_>) -> Result<Self, Unreadable> {
        let values = tree
            .as_array()
            .ok_or_else(|| Unreadable::expected("a list", tree))?;
        values.iter().map(T::from_tree).collect()
    }
}

impl<T: FromTree> FromTree for BTreeMap<String, T> {
    fn from_tree(tree: &Tree<'_>) -> Result<Self, Unreadable> {
        let Tree::Object(fields) = tree else {
            return Err(Unreadable::expected("an object", tree));
        };
        let mut map = Self::new();
        for (name, value) in fields {
            map.insert(name.clone().into_owned(), T::from_tree(value)?);
        }
        Ok(map)
    }
}
