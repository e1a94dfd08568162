//! Makes what wasm-bindgen wrote lighter: its script and the module's imports.
//!
//! Every import's name ends in a hash of sixteen digits, which stands in the script and in the module and can't be
//! compressed. Here each becomes a number of the same length, so that nothing in the module moves. The script is minified
//! besides: trunk's own minifier can't read it.

use crate::{browser_build, process};
use anyhow::{Context, Result, ensure};
use std::{collections::BTreeMap, fs, path::Path};

const HASH: usize = 16;
const PREFIX: &[u8] = b"__wb";

/// Rewrites the module of `dist/` and its script.
///
/// # Errors
/// They are not there, or can't be read or written.
pub(crate) fn lighten() -> Result<()> {
    let files = browser_build::files()?;
    let ends = |file: &Path, end: &str| file.to_string_lossy().ends_with(end);
    let module = files.iter().find(|file| ends(file, "_bg.wasm"));
    let module = module.context("`dist/` has no module after the build")?;
    let script = module.to_string_lossy().replace("_bg.wasm", ".js");
    let script = Path::new(&script);
    let mut terser = process::command("terser")?;
    terser.args(["--module", "--compress", "passes=3", "--mangle", "--output"]);
    process::run(terser.args([script, Path::new("--"), script]))?;
    let (mut binary, mut text) = (fs::read(module)?, fs::read(script)?);
    let hashes = hashes(&binary);
    ensure!(!hashes.is_empty(), "the module has no import that ends in a hash");
    number(&mut binary, &hashes);
    number(&mut text, &hashes);
    fs::write(module, binary).with_context(|| format!("can't write `{}`", module.display()))?;
    fs::write(script, text).with_context(|| format!("can't write `{}`", script.display()))
}

/// The names that end in a hash, each with its number.
fn hashes(binary: &[u8]) -> BTreeMap<Vec<u8>, String> {
    let mut found = BTreeMap::new();
    let mut rest = binary;
    while let Some(place) = rest.windows(PREFIX.len()).position(|window| window == PREFIX) {
        rest = &rest[place..];
        let length = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .count();
        let name = &rest[..length];
        if let Some((stem, hash)) = name.split_at_checked(length.saturating_sub(HASH))
            && stem.ends_with(b"_")
            && hash
                .iter()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte))
        {
            let next = format!("{:0HASH$}", found.len());
            found.entry(name.to_vec()).or_insert(next);
        }
        rest = &rest[length.max(1)..];
    }
    found
}

/// Puts the numbers in place of the hashes.
fn number(content: &mut [u8], hashes: &BTreeMap<Vec<u8>, String>) {
    let mut start = 0;
    while let Some(place) = content[start..]
        .windows(PREFIX.len())
        .position(|window| window == PREFIX)
    {
        start += place;
        let name = &content[start..];
        let length = name
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .count();
        if let Some(number) = hashes.get(&name[..length]) {
            content[start + length - HASH..start + length].copy_from_slice(number.as_bytes());
        }
        start += length.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_becomes_the_same_number_in_both_and_nothing_moves() {
        let mut module =
            b"\x01__wbg_open_231cf34b636a3195\x02__wbg_now_0123456789abcdef\x01__wbindgen_start\x03".to_vec();
        let mut script =
            b"__wbg_now_0123456789abcdef: f, __wbg_open_231cf34b636a3195: g, __wbg_ptr: 1".to_vec();
        let (length, found) = (module.len(), hashes(&module));
        assert_eq!(found.len(), 2);
        number(&mut module, &found);
        number(&mut script, &found);
        assert_eq!(module.len(), length);
        assert!(
            module
                .starts_with(b"\x01__wbg_open_0000000000000000\x02__wbg_now_0000000000000001\x01__wbindgen")
        );
        assert_eq!(
            script,
            b"__wbg_now_0000000000000001: f, __wbg_open_0000000000000000: g, __wbg_ptr: 1"
        );
    }
}
