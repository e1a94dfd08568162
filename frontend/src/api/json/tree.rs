//! A JSON text as a tree. Numbers stay as they are written until somebody asks for one of a kind, so that no digit of
//! a whole number is lost.

use super::Unreadable;
use shared::number;
use std::borrow::Cow;

/// Deeper than any answer of `/api`, and far from the end of the stack.
const DEEPEST: u32 = 64;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it is written.
    Number(&'a str),
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Self>),
    /// The fields of an object as they come.
    Object(Vec<(Cow<'a, str>, Self)>),
}

impl Tree<'_> {
    /// A field of an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(fields) = self else {
            return None;
        };
        fields
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// A text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A list.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }

    /// A whole number that isn't negative.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        self.number()?.parse().ok()
    }

    /// A whole number.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.number()?.parse().ok()
    }

    /// Any number.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        number::parse(self.number()?)
    }

    const fn number(&self) -> Option<&str> {
        match self {
            Self::Number(text) => Some(text),
            _ => None,
        }
    }
}

/// Reads a text as a tree.
///
/// # Errors
/// Where it is no JSON (RFC 8259).
pub fn parse(text: &str) -> Result<Tree<'_>, Unreadable> {
    let mut reader = Reader { text, at: 0 };
    reader
        .value(DEEPEST)
        .filter(|_| reader.next().is_none())
        .ok_or_else(|| Unreadable(format!("no JSON from byte {} on", reader.at)))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next byte that isn't white space.
    fn next(&mut self) -> Option<u8> {
        let white = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        self.at += self.rest().bytes().take_while(white).count();
        self.rest().bytes().next()
    }

    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.next() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn word(&mut self, word: &str, value: Tree<'a>) -> Option<Tree<'a>> {
        self.at += self.rest().strip_prefix(word).map(|_| word.len())?;
        Some(value)
    }

    fn value(&mut self, depth: u32) -> Option<Tree<'a>> {
        let depth = depth.checked_sub(1)?;
        match self.next()? {
            b'n' => self.word("null", Tree::Null),
            b't' => self.word("true", Tree::Bool(true)),
            b'f' => self.word("false", Tree::Bool(false)),
            b'"' => self.string().map(Tree::Text),
            b'[' => {
                let mut values = Vec::new();
                self.items(b']', |reader| {
                    values.push(reader.value(depth)?);
                    Some(())
                })?;
                Some(Tree::List(values))
            }
            b'{' => {
                let mut fields = Vec::new();
                self.items(b'}', |reader| {
                    let name = (reader.next() == Some(b'"')).then(|| reader.string())??;
                    let value = reader.takes(b':').then(|| reader.value(depth))??;
                    fields.push((name, value));
                    Some(())
                })?;
                Some(Tree::Object(fields))
            }
            _ => self.number().map(Tree::Number),
        }
    }

    /// What stands between brackets, with commas between.
    fn items(&mut self, end: u8, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        if self.takes(end) {
            return Some(());
        }
        loop {
            item(self)?;
            if !self.takes(b',') {
                return self.takes(end).then_some(());
            }
        }
    }

    fn number(&mut self) -> Option<&'a str> {
        let belongs = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
        let length = self.rest().bytes().take_while(belongs).count();
        let text = &self.rest()[..length];
        self.at += length;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (significand, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((significand, exponent)) => {
                (significand, exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
            }
            None => (unsigned, "0"),
        };
        let (whole, part) = significand.split_once('.').unwrap_or((significand, "0"));
        let padded = whole.len() > 1 && whole.starts_with('0');
        (digits(whole) && digits(part) && digits(exponent) && !padded).then_some(text)
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.at += 1;
        let mut read = Cow::Borrowed("");
        loop {
            let rest = self.rest();
            let plain = rest
                .bytes()
                .position(|byte| byte < b' ' || byte == b'"' || byte == b'\\')?;
            let (piece, special) = (&rest[..plain], rest.as_bytes()[plain]);
            if read.is_empty() {
                read = Cow::Borrowed(piece);
            } else {
                read.to_mut().push_str(piece);
            }
            self.at += plain + 1;
            match special {
                b'"' => return Some(read),
                b'\\' => {
                    let letter = self.escape()?;
                    read.to_mut().push(letter);
                }
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let letter = self.rest().bytes().next()?;
        self.at += 1;
        Some(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit()?;
                match (0xd800..0xdc00).contains(&unit) {
                    false => char::from_u32(unit)?,
                    true => {
                        self.at += self.rest().starts_with("\\u").then_some(2)?;
                        let low = self.unit().filter(|low| (0xdc00..0xe000).contains(low))?;
                        char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))?
                    }
                }
            }
            _ => return None,
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        self.at += 4;
        let all = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        u32::from_str_radix(digits, 16).ok().filter(|_| all)
    }
}

#[cfg(test)]
mod tests {
    use super::{Tree, parse};
    use proptest::prelude::*;
    use serde_json::{Map, Number, Value};

    fn as_value(tree: &Tree<'_>) -> Value {
        match tree {
            Tree::Null => Value::Null,
            Tree::Bool(value) => Value::Bool(*value),
            Tree::Number(_) => tree
                .as_u64()
                .map(Number::from)
                .or_else(|| tree.as_i64().map(Number::from))
                .or_else(|| tree.as_f64().and_then(Number::from_f64))
                .map_or(Value::Null, Value::Number),
            Tree::Text(text) => Value::String(text.clone().into_owned()),
            Tree::List(values) => Value::Array(values.iter().map(as_value).collect()),
            Tree::Object(fields) => {
                let named = fields
                    .iter()
                    .map(|(name, value)| (name.clone().into_owned(), as_value(value)));
                Value::Object(named.collect::<Map<_, _>>())
            }
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let number = prop_oneof![
            any::<u64>().prop_map(Number::from),
            any::<i64>().prop_map(Number::from),
            (-1e9..1e9).prop_filter_map("it is finite", Number::from_f64),
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            number.prop_map(Value::Number),
            any::<String>().prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                proptest::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_serde_json_writes_is_read_as_it_was(value in any_value(), pretty in any::<bool>()) {
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            let tree = parse(&text);
            prop_assert_eq!(tree.as_ref().map(as_value), Ok(value));
        }

        #[test]
        fn what_serde_json_refuses_is_refused_and_the_other_way_round(
            text in "[\\[\\]{}:,\"\\\\ua0-9eE.+ \\-]{0,12}|[0-9eE.+\\-]{1,6}|\"(\\\\u[dD][0-9a-f]{3}){1,2}\""
        ) {
            let theirs = serde_json::from_str::<Value>(&text).is_ok();
            // A number beyond all is refused there and read as infinite here; no field takes one.
            prop_assume!(theirs || !text.contains(['e', 'E']));
            prop_assert_eq!(parse(&text).is_ok(), theirs, "{}", text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            prop_assert_eq!(parse(&text).is_ok(), serde_json::from_str::<Value>(&text).is_ok());
        }
    }

    #[test]
    fn a_text_cut_anywhere_is_refused() {
        let whole = r#"{"a":[1,-2.5e3,"x\u00fc\ud83d\ude00\n",true,null],"b":{}}"#;
        assert!(parse(whole).is_ok());
        for cut in 0..whole.len() {
            assert!(parse(&whole[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn nesting_without_end_is_refused() {
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
