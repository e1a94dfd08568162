//! Reading what others send: where an object belongs, only an object is taken.
//!
//! The readers that serde derives for structs also take a list of the fields' values in their order, which no document of
//! an API tells of: `[]` would pass for an object without its optional fields. [`Strict`] around a deserializer refuses that, at
//! every depth. It doesn't reach into what serde reads twice: enums that are tagged inside or not at all, and flattened structs.

use serde::{
    Deserializer,
    de::{DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor},
    forward_to_deserialize_any,
};
use std::fmt;

/// A deserializer of JSON that takes objects alone for structs; inside, what it hands on to keep that so further down.
#[derive(Debug, Clone, Copy)]
pub struct Strict<T>(pub T);

/// The visitor of a struct that sees objects alone.
struct Object<V>(V);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(Strict(visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_option(Strict(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, Strict(visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, Strict(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(Object(visitor))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_ignored_any(visitor)
    }

    // JSON tells by itself what comes.
    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier
    }
}

/// Visits of values in which no struct can lie.
macro_rules! hand_on {
    ($($visit:ident($value:ty))*) => {$(
        fn $visit<E: Error>(self, value: $value) -> Result<V::Value, E> {
            self.0.$visit(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Strict<V> {
    type Value = V::Value;

    hand_on! {
        visit_bool(bool) visit_i64(i64) visit_i128(i128) visit_u64(u64) visit_u128(u128) visit_f64(f64)
        visit_str(&str) visit_borrowed_str(&'de str) visit_string(String)
    }

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(formatter)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Strict(deserializer))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Strict(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Strict(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Strict(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(Strict(variant))
    }
}

/// Every other visit is refused, as not being what is expected.
impl<'de, V: Visitor<'de>> Visitor<'de> for Object<V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Strict(entries))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Strict(deserializer))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Strict<A> {
    type Error = A::Error;

    /// A key is a text.
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Strict<A> {
    type Error = A::Error;
    type Variant = Strict<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let (name, variant) = self.0.variant_seed(seed)?;
        Ok((name, Strict(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Strict(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(length, Strict(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, Object(visitor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, de::DeserializeOwned};
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Point {
        x: u32,
        y: Option<f64>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Shape {
        Nothing,
        Dot(Point),
        Segment(Point, Point),
        Named { name: String, at: Point },
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Wrapper(Point);

    #[derive(Debug, PartialEq, Deserialize)]
    struct Everything {
        maybe: Option<Point>,
        list: Vec<Point>,
        map: BTreeMap<u8, Point>,
        wrapped: Wrapper,
        pair: (Point, bool),
        shapes: Vec<Shape>,
        rest: Value,
        text: String,
        signed: i64,
        unit: (),
    }

    fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
        let text = value.to_string();
        let strict = T::deserialize(Strict(&mut serde_json::Deserializer::from_str(&text)));
        let strict = strict.map_err(|error| error.to_string());
        let of_value = T::deserialize(Strict(value.clone()));
        assert_eq!(strict.is_ok(), of_value.is_ok(), "text and value are read alike");
        strict
    }

    fn everything() -> Value {
        json!({
            "maybe": {"x": 1, "y": null}, "list": [{"x": 2, "y": 0.5}], "map": {"7": {"x": 3}}, "wrapped": {"x": 4},
            "pair": [{"x": 5}, true],
            "shapes": [
                "Nothing", {"Dot": {"x": 6}}, {"Segment": [{"x": 7}, {"x": 8}]}, {"Named": {"name": "a", "at": {"x": 9}}}
            ],
            "rest": [1, {"a": [null]}], "text": "b", "signed": -1, "unit": null, "unknown": {"ignored": [[]]}
        })
    }

    #[test]
    fn what_is_meant_is_read_as_without_it() {
        let value = everything();
        let plain: Everything = serde_json::from_value(value.clone()).expect("it is whole");
        assert_eq!(read::<Everything>(&value).as_ref(), Ok(&plain));
        assert_eq!(read::<Option<Point>>(&Value::Null), Ok(None));
    }

    #[test]
    fn a_list_is_no_object_at_any_depth() {
        let places = [
            "",
            "/maybe",
            "/list/0",
            "/map/7",
            "/wrapped",
            "/pair/0",
            "/shapes/1/Dot",
            "/shapes/2/Segment/1",
            "/shapes/3/Named",
            "/shapes/3/Named/at",
        ];
        for place in places {
            let mut value = everything();
            let object = value.pointer_mut(place).expect("it is there");
            let fields = object.as_object().expect("an object").values().cloned().collect();
            *object = Value::Array(fields);
            if place == "/list/0" {
                let taken: Result<Everything, _> = serde_json::from_value(value.clone());
                assert!(taken.is_ok(), "serde alone takes the values in their order");
            }
            let refused = read::<Everything>(&value).expect_err(place);
            assert!(
                refused.starts_with("invalid type: sequence, expected an object"),
                "{place}: {refused}"
            );
        }
        let refused = read::<Point>(&json!(3)).expect_err("a number");
        assert!(
            refused.starts_with("invalid type: integer `3`, expected an object"),
            "{refused}"
        );
    }
}
