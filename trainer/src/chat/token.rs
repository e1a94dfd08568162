//! What a single token stands for.

use super::ChatTokenizer;

/// Where the byte-level alphabet puts the bytes that have no letter of their own.
const SHIFTED: u32 = 256;

impl ChatTokenizer {
    /// A token's text by itself, marks included; a part of a character gives the replacement character.
    pub(crate) fn token_text(&self, id: u32) -> String {
        let text = self.tokenizer.decode(&[id], false).unwrap_or_default();
        let piece = self.tokenizer.id_to_token(id).unwrap_or_default();
        // Such tokenizers write a space so, and leave it out at the beginning of a text.
        match piece.strip_prefix('▁') {
            Some(_) if !text.starts_with(' ') => format!(" {text}"),
            _ => text,
        }
    }

    /// A token's bytes, where they can be told.
    pub(crate) fn token_bytes(&self, id: u32) -> Option<Vec<u8>> {
        let text = self.token_text(id);
        if !text.contains(char::REPLACEMENT_CHARACTER) {
            return Some(text.into_bytes());
        }
        let piece = self.tokenizer.id_to_token(id)?;
        let written = piece.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
        if let Some(hexadecimal) = written {
            return u8::from_str_radix(hexadecimal, 16).ok().map(|byte| vec![byte]);
        }
        piece.chars().map(byte_of).collect()
    }
}

/// The byte that a letter of the byte-level alphabet stands for (GPT-2): printable Latin-1 for itself, the others in order
/// from U+0100 on.
fn byte_of(letter: char) -> Option<u8> {
    let code = u32::from(letter);
    if is_printable(code) {
        return u8::try_from(code).ok();
    }
    let place = code.checked_sub(SHIFTED)?;
    (0..=u8::MAX)
        .filter(|byte| !is_printable(u32::from(*byte)))
        .nth(usize::try_from(place).ok()?)
}

const fn is_printable(code: u32) -> bool {
    matches!(code, 0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_one_letter_of_the_alphabet() {
        let letters = (0..0x200).filter_map(char::from_u32);
        let mut bytes: Vec<u8> = letters.filter_map(byte_of).collect();
        assert_eq!(byte_of('Ġ'), Some(b' '));
        assert_eq!(byte_of('Ċ'), Some(b'\n'));
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=u8::MAX).collect::<Vec<_>>());
    }
}
