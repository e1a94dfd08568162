//! The names of a module's imports and exports, shortened in the module and in the script that brings the ones and uses the
//! others.
//!
//! Of the [binary format](https://webassembly.github.io/spec/core/binary/modules.html) this knows the two sections that hold
//! the names; everything else is copied as it is.

use anyhow::{Context, Result, ensure};
use std::collections::HashMap;

const HEADER: usize = 8;
const IMPORTS: u8 = 2;
const EXPORTS: u8 = 7;
const FUNCTION: u8 = 0;

/// What was shortened, and to what.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<String, String>);

impl Names {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A WebAssembly module with short names.
    ///
    /// # Errors
    /// It isn't one, or imports something else than functions.
    pub(super) fn shorten_module(&mut self, module: &[u8]) -> Result<Vec<u8>> {
        let (header, sections) = module.split_at_checked(HEADER).context("the module ends early")?;
        let mut shortened = header.to_vec();
        let mut sections = Reader(sections);
        while !sections.0.is_empty() {
            let kind = sections.byte()?;
            let content = sections.block()?;
            let content = match kind {
                IMPORTS => self.shorten_imports(Reader(content))?,
                EXPORTS => self.shorten_exports(Reader(content))?,
                _ => content.to_vec(),
            };
            shortened.push(kind);
            put_block(&mut shortened, &content);
        }
        Ok(shortened)
    }

    fn shorten_imports(&mut self, mut section: Reader<'_>) -> Result<Vec<u8>> {
        let mut shortened = Vec::new();
        let count = section.number()?;
        put_number(&mut shortened, count);
        for _ in 0..count {
            for _ in ["module", "name"] {
                let name = self.short(section.block()?)?;
                put_block(&mut shortened, name.as_bytes());
            }
            ensure!(
                section.byte()? == FUNCTION,
                "the module imports something else than functions"
            );
            shortened.push(FUNCTION);
            put_number(&mut shortened, section.number()?);
        }
        Ok(shortened)
    }

    fn shorten_exports(&mut self, mut section: Reader<'_>) -> Result<Vec<u8>> {
        let mut shortened = Vec::new();
        let count = section.number()?;
        put_number(&mut shortened, count);
        for _ in 0..count {
            let name = section.block()?;
            // The others (`memory`) are words that the script may use for something else.
            if name
                .windows(3)
                .any(|letters| letters == b"_wb" || letters == b"___")
            {
                put_block(&mut shortened, self.short(name)?.as_bytes());
            } else {
                put_block(&mut shortened, name);
            }
            shortened.push(section.byte()?);
            put_number(&mut shortened, section.number()?);
        }
        Ok(shortened)
    }

    /// The short form of a name, always the same.
    fn short(&mut self, name: &[u8]) -> Result<String> {
        let name = str::from_utf8(name).context("a name of the module isn't UTF-8")?;
        let next = letters(self.0.len());
        Ok(self.0.entry(name.to_owned()).or_insert(next).clone())
    }

    /// The script with the same short names.
    pub(super) fn shorten_script(&self, script: &str) -> String {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || "_./".contains(letter);
        let mut shortened = String::with_capacity(script.len());
        let mut rest = script;
        while let Some(start) = rest.find(is_part) {
            let (before, word) = rest.split_at(start);
            let length = word.find(|letter| !is_part(letter)).unwrap_or(word.len());
            let (word, after) = word.split_at(length);
            shortened.push_str(before);
            // The file that the functions are said to come from is one name, `object.property` is two.
            match self.0.get(word) {
                Some(short) => shortened.push_str(short),
                None => {
                    let parts = word
                        .split('.')
                        .map(|part| self.0.get(part).map_or(part, String::as_str));
                    shortened.push_str(&parts.collect::<Vec<_>>().join("."));
                }
            }
            rest = after;
        }
        shortened + rest
    }
}

/// `a` to `z`, `aa`, `ba` and so on.
fn letters(mut number: usize) -> String {
    let mut letters = String::new();
    loop {
        letters.push(char::from(b'a' + (number % 26) as u8));
        number /= 26;
        if number == 0 {
            return letters;
        }
        number -= 1;
    }
}

/// The rest of a binary.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Result<u8> {
        let (first, rest) = self.0.split_first().context("the module ends early")?;
        self.0 = rest;
        Ok(*first)
    }

    /// A number of up to 32 bits, in LEB128.
    fn number(&mut self) -> Result<u32> {
        let mut number = 0;
        for shift in (0..32).step_by(7) {
            let byte = self.byte()?;
            number |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        anyhow::bail!("the module holds a number of more than 32 bits")
    }

    /// Bytes that stand behind their number.
    fn block(&mut self) -> Result<&'a [u8]> {
        let length = self.number()?.try_into()?;
        let (block, rest) = self.0.split_at_checked(length).context("the module ends early")?;
        self.0 = rest;
        Ok(block)
    }
}

fn put_number(target: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        target.push(number as u8 | 0x80);
        number >>= 7;
    }
    target.push(number as u8);
}

fn put_block(target: &mut Vec<u8>, block: &[u8]) {
    put_number(target, u32::try_from(block.len()).unwrap_or(u32::MAX));
    target.extend_from_slice(block);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = r#"let i={"./page_bg.js":{__wbg_open_231cf34b636a3195:t=>f(t),__wbg_now_0123456789abcdef:()=>g.open()}};
        w.__wbindgen_free(w.memory,p.__wbg_ptr)"#;

    fn module() -> Vec<u8> {
        let mut imports = vec![2];
        for name in ["__wbg_open_231cf34b636a3195", "__wbg_now_0123456789abcdef"] {
            put_block(&mut imports, b"./page_bg.js");
            put_block(&mut imports, name.as_bytes());
            imports.extend([FUNCTION, 5]);
        }
        let mut exports = vec![2];
        for name in ["memory", "__wbindgen_free"] {
            put_block(&mut exports, name.as_bytes());
            exports.extend([0, 0x81, 2]);
        }
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        for (kind, content) in [(IMPORTS, imports), (EXPORTS, exports), (0, vec![9; 200])] {
            module.push(kind);
            put_block(&mut module, &content);
        }
        module
    }

    #[test]
    fn both_sides_get_the_same_short_names_and_all_else_stays() {
        let mut names = Names::default();
        let mut expected = b"\0asm\x01\0\0\0\x02\x0d\x02\x01a\x01b\0\x05\x01a\x01c\0\x05".to_vec();
        expected.extend(b"\x07\x10\x02\x06memory\0\x81\x02\x01d\0\x81\x02\0\xc8\x01");
        expected.extend([9; 200]);
        assert_eq!(names.shorten_module(&module()).unwrap(), expected);
        assert_eq!(
            names.shorten_script(SCRIPT),
            "let i={\"a\":{b:t=>f(t),c:()=>g.open()}};\n        w.d(w.memory,p.__wbg_ptr)"
        );
    }

    #[test]
    fn what_ends_early_is_refused() {
        let module = module();
        for end in [0, 7, 9, 20, module.len() - 1] {
            assert!(Names::default().shorten_module(&module[..end]).is_err(), "{end}");
        }
        assert!(Names::default().shorten_module(&module[..HEADER]).is_ok());
    }

    #[test]
    fn no_two_numbers_have_the_same_letters() {
        let mut all: Vec<_> = (0..2_000).map(letters).collect();
        assert_eq!(
            (all[0].as_str(), all[25].as_str(), all[26].as_str()),
            ("a", "z", "aa")
        );
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 2_000);
    }
}
