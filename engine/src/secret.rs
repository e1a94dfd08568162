//! Identifiers and secrets: how they are made, and how secrets are kept (as SHA-256 only).

use crate::error::Error;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Random bytes as lower-case hexadecimal.
fn random_hex<const BYTES: usize>() -> Result<String, Error> {
    let mut bytes = [0_u8; BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|source| Error::storage("the system gave no random bytes", source))?;
    Ok(hex(&bytes))
}

/// A fresh identifier of 128 random bits behind a prefix.
pub(crate) fn new_id(prefix: &str) -> Result<String, Error> {
    Ok(format!("{prefix}{}", random_hex::<16>()?))
}

/// A fresh secret of 256 random bits behind a prefix.
pub(crate) fn new_secret(prefix: &str) -> Result<String, Error> {
    Ok(format!("{prefix}{}", random_hex::<32>()?))
}

/// What is stored of a secret. Secrets have 256 random bits, so a plain hash can't be reversed by guessing.
pub(crate) fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// SHA-256 of bytes, as hexadecimal.
pub(crate) fn hash_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing into a string can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The bytes of hexadecimal text, or nothing where it isn't any.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_goes_there_and_back() {
        assert_eq!(unhex(&hex(&[0, 1, 254, 255])), Some(vec![0, 1, 254, 255]));
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("zz"), None);
    }

    #[test]
    fn secrets_differ_and_carry_their_prefix() {
        let (one, two) = (new_secret("sk-").unwrap(), new_secret("sk-").unwrap());
        assert_ne!(one, two);
        assert!(one.starts_with("sk-") && one.len() == 67);
    }
}
