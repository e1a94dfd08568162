//! Writes the bodies of requests and what is kept in the browser: structs of words, numbers, lists and options.

use super::Unreadable;
use serde::{
    Serialize, Serializer,
    ser::{Error as _, Impossible, SerializeSeq, SerializeStruct},
};
use std::fmt::Write as _;

/// Writes a value as JSON.
///
/// # Errors
/// Where the value holds something that requests don't: maps, bytes, variants with content.
pub fn write<T: Serialize>(value: &T) -> Result<String, Unreadable> {
    let mut out = Out(String::new());
    value.serialize(&mut out)?;
    Ok(out.0)
}

struct Out(String);

impl Out {
    fn text(&mut self, text: &str) {
        self.0.push('"');
        for letter in text.chars() {
            match letter {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                '\n' => self.0.push_str("\\n"),
                control if control < ' ' => {
                    let _ = write!(self.0, "\\u{:04x}", u32::from(control));
                }
                plain => self.0.push(plain),
            }
        }
        self.0.push('"');
    }

    fn number(&mut self, number: impl std::fmt::Display) -> Result<(), Unreadable> {
        let _ = write!(self.0, "{number}");
        Ok(())
    }
}

fn refuse<T>() -> Result<T, Unreadable> {
    Err(Unreadable::custom("a request holds no such thing"))
}

macro_rules! numbers {
    ($($name:ident: $kind:ty),*) => {
        $(fn $name(self, number: $kind) -> Result<(), Unreadable> { self.number(number) })*
    };
}

macro_rules! refused {
    ($($name:ident($($kind:ty),*) -> $answer:ty;)*) => {
        $(fn $name(self, $(_: $kind),*) -> Result<$answer, Unreadable> { refuse() })*
    };
}

type Never = Impossible<(), Unreadable>;

impl<'a> Serializer for &'a mut Out {
    type Ok = ();
    type Error = Unreadable;
    type SerializeSeq = List<'a>;
    type SerializeStruct = List<'a>;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStructVariant = Never;

    numbers!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64);
    numbers!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64);
    refused! {
        serialize_char(char) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
    }

    fn serialize_bool(self, value: bool) -> Result<(), Unreadable> {
        self.number(value)
    }

    fn serialize_f32(self, number: f32) -> Result<(), Unreadable> {
        self.serialize_f64(number.into())
    }

    fn serialize_f64(self, number: f64) -> Result<(), Unreadable> {
        if number.is_finite() {
            self.number(shared::number::scientific(number))
        } else {
            self.serialize_unit()
        }
    }

    fn serialize_str(self, text: &str) -> Result<(), Unreadable> {
        self.text(text);
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), Unreadable> {
        self.0.push_str("null");
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Unreadable> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unreadable> {
        value.serialize(self)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unreadable> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, word: &'static str) -> Result<(), Unreadable> {
        self.serialize_str(word)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unreadable> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Unreadable> {
        refuse()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List<'a>, Unreadable> {
        Ok(List {
            out: self,
            mark: '[',
            end: ']',
        })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<List<'a>, Unreadable> {
        Ok(List {
            out: self,
            mark: '{',
            end: '}',
        })
    }
}

/// A list or a struct that is being written.
struct List<'a> {
    out: &'a mut Out,
    /// What comes before the next item.
    mark: char,
    end: char,
}

impl List<'_> {
    fn begin_item(&mut self) {
        self.out.0.push(std::mem::replace(&mut self.mark, ','));
    }

    fn finish(self) {
        if self.mark != ',' {
            self.out.0.push(self.mark);
        }
        self.out.0.push(self.end);
    }
}

impl SerializeSeq for List<'_> {
    type Ok = ();
    type Error = Unreadable;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unreadable> {
        self.begin_item();
        value.serialize(&mut *self.out)
    }

    fn end(self) -> Result<(), Unreadable> {
        self.finish();
        Ok(())
    }
}

impl SerializeStruct for List<'_> {
    type Ok = ();
    type Error = Unreadable;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unreadable> {
        self.begin_item();
        self.out.text(name);
        self.out.0.push(':');
        value.serialize(&mut *self.out)
    }

    fn end(self) -> Result<(), Unreadable> {
        self.finish();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::write;
    use serde_json::{Value, from_str, to_value};
    use shared::{draft::Draft, job::NewJob};

    fn as_serde_writes<T: serde::Serialize>(value: &T) {
        let text = write(value).expect("it is written");
        let read: Value = from_str(&text).expect("it is JSON");
        assert_eq!(read, to_value(value).expect("serde_json writes it"), "{text}");
    }

    #[test]
    fn bodies_and_drafts_are_written_as_serde_json_writes_them() {
        let mut draft = Draft::new("id");
        draft.set("name", "a \"quoted\" \\ name\nwith\u{1}control and ü");
        draft.set_targets(vec![
            shared::run::Projection::QProj,
            shared::run::Projection::UpProj,
        ]);
        as_serde_writes(&draft);
        let job: NewJob = from_str(
            r#"{"name":"n","base_model":"m","epochs":3,"evaluation_epochs":1,"warmup_epochs":0,"learning_rate":0.0002,
            "training_dataset":"file-1","lora":{"rank":16,"alpha":32.5,"dropout":0.05,"targets":["q_proj"]},
            "schedule":"cosine","seed":18446744073709551615}"#,
        )
        .expect("this is a job");
        as_serde_writes(&job);
    }

    #[test]
    fn every_number_survives() {
        for number in [
            0.0,
            -1.5,
            1e-300,
            123_456_789.25,
            f64::MIN_POSITIVE,
            5e-324,
            f64::MAX,
        ] {
            let text = write(&number).expect("it is written");
            assert_eq!(text.parse::<f64>(), Ok(number), "{text}");
        }
        assert_eq!(write(&f64::NAN).as_deref(), Ok("null"));
        assert_eq!(write(&Vec::<u32>::new()).as_deref(), Ok("[]"));
    }
}
