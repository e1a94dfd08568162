//! Reading a type from a [`Tree`].
//!
//! serde's derived readers weigh: each takes the fields in any order, and so keeps a place for each, a name for each and
//! a way to tell that it came twice. A tree is at hand whole, so a reader here asks for its fields by name, and the
//! compiler refuses a [`record!`] that forgets one. A reader can't fail half-way either, which would make each of them
//! take down what it has built: what isn't as it should be is noted, read as something neutral, and [`read`] refuses the
//! whole in the end.

use super::{Tree, Unreadable};
use std::{cell::OnceCell, collections::BTreeMap};

/// A value in a tree, and where to note that it isn't as it should be.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub(super) tree: &'a Tree<'a>,
    /// The field that it is the value of.
    name: &'a str,
    wrong: &'a OnceCell<Unreadable>,
}

/// Can be read from a tree.
pub trait FromTree: Sized {
    /// A field of this type may be absent.
    const OPTIONAL: bool = false;

    /// Reads it, or notes why it can't be read.
    fn from_tree(at: At<'_>) -> Self;
}

/// Reads a whole tree, or one field of it.
///
/// # Errors
/// Where the tree holds something else.
pub(super) fn read<'a, T: FromTree>(tree: &'a Tree<'a>, name: Option<&'a str>) -> Result<T, Unreadable> {
    let wrong = OnceCell::new();
    let at = At {
        tree,
        name: "",
        wrong: &wrong,
    };
    let value = match name {
        Some(name) => at.field(name),
        None => T::from_tree(at),
    };
    match wrong.into_inner() {
        Some(error) => Err(error),
        None => Ok(value),
    }
}

impl<'a> At<'a> {
    /// Reads a field of an object.
    pub(crate) fn field<T: FromTree>(self, name: &'a str) -> T {
        T::from_tree(self.place(name, T::OPTIONAL))
    }

    /// Reads a field of an object, `otherwise` where it isn't there.
    pub(crate) fn field_or<T: FromTree>(self, name: &'a str, otherwise: T) -> T {
        if self.known(name).is_some() {
            self.field(name)
        } else {
            otherwise
        }
    }

    /// Where a field of an object is; as good as `null` where it isn't, which is noted unless it may be absent. Compiled
    /// once, because there are many fields.
    #[inline(never)]
    fn place(self, name: &'a str, may_be_absent: bool) -> Self {
        let value = self.known(name);
        if value.is_none() && !may_be_absent {
            self.note(|| Unreadable::missing(name));
        }
        Self {
            tree: value.unwrap_or(&Tree::Null),
            name,
            ..self
        }
    }

    #[inline(never)]
    fn known(self, name: &str) -> Option<&'a Tree<'a>> {
        if !matches!(self.tree, Tree::Object(_)) {
            self.expected("an object");
        }
        self.tree.get(name)
    }

    /// The first thing that is noted is the one that is told.
    fn note(self, why: impl FnOnce() -> Unreadable) {
        self.wrong.get_or_init(why);
    }

    #[cold]
    pub(super) fn expected(self, wanted: &str) {
        self.note(|| Unreadable::expected(wanted, self.tree, self.name));
    }
}

/// `record!(Type { a, b } or default { c });` reads a struct from the fields of these names; those of the second group may be
/// absent even where their type alone would not let them.
macro_rules! record {
    ($name:ty { $($field:ident),* $(,)? } $(or default { $($optional:ident),* $(,)? })?) => {
        impl $crate::api::json::record::FromTree for $name {
            fn from_tree(at: $crate::api::json::record::At<'_>) -> Self {
                Self {
                    $($field: at.field(stringify!($field)),)*
                    $($($optional: at.field_or(stringify!($optional), Default::default()),)*)?
                }
            }
        }
    };
}
pub(crate) use record;

macro_rules! plain {
    ($($type:ty: $read:expr, $wanted:literal;)*) => {
        $(impl FromTree for $type {
            fn from_tree(at: At<'_>) -> Self {
                let read: fn(&Tree<'_>) -> Option<Self> = $read;
                match read(at.tree) {
                    Some(value) => value,
                    None => {
                        at.expected($wanted);
                        Self::default()
                    }
                }
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
}

impl FromTree for shared::timestamp::Timestamp {
    fn from_tree(at: At<'_>) -> Self {
        let read = at.tree.as_str().and_then(Self::parse_rfc3339);
        if read.is_none() {
            at.expected("a time in RFC 3339");
        }
        read.unwrap_or(Self::from_unix_ms(0))
    }
}

impl<T: FromTree> FromTree for Option<T> {
    const OPTIONAL: bool = true;

    fn from_tree(at: At<'_>) -> Self {
        (!matches!(at.tree, Tree::Null)).then(|| T::from_tree(at))
    }
}

impl<T: FromTree> FromTree for Vec<T> {
    fn from_tree(at: At<'_>) -> Self {
        let Some(values) = at.tree.as_array() else {
            at.expected("a list");
            return Self::new();
        };
        let mut list = Self::with_capacity(values.len());
        for tree in values {
            list.push(T::from_tree(At { tree, ..at }));
        }
        list
    }
}

impl<T: FromTree> FromTree for BTreeMap<String, T> {
    fn from_tree(at: At<'_>) -> Self {
        let mut map = Self::new();
        let Tree::Object(fields) = at.tree else {
            at.expected("an object");
            return map;
        };
        for (name, tree) in fields {
            map.insert(name.clone().into_owned(), T::from_tree(At { tree, name, ..at }));
        }
        map
    }
}
