//! Looks for a secret wherever it could have gone: as it is, and in the forms in which programs write things down.

use crate::{browser::Browser, server::Server};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::Value;
use std::{fs, path::Path};

/// Everything that a page of ours, or the driver for it, keeps in the browser. Databases and caches are told by name:
/// there must be none.
const STORAGE: &str = "const names = {};
    for (const [kind, storage] of [['local', localStorage], ['session', sessionStorage]])
        names[kind] = JSON.stringify(storage);
    names.cookies = document.cookie;
    names.page = document.documentElement.outerHTML;
    names.address = location.href;
    names.state = JSON.stringify(history.state);
    return names;";

/// A secret in all the forms that are looked for.
pub struct Hunt {
    forms: Vec<(&'static str, String)>,
}

impl Hunt {
    /// Looks for this secret.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        let bytes = secret.as_bytes();
        let each = |write: fn(u8) -> String| bytes.iter().map(|byte| write(*byte)).collect::<String>();
        let mut texts = vec![
            ("as it is", secret.to_owned()),
            ("in capitals", secret.to_uppercase()),
            ("reversed", secret.chars().rev().collect()),
            ("in hexadecimal", each(|byte| format!("{byte:02x}"))),
            ("in capital hexadecimal", each(|byte| format!("{byte:02X}"))),
            ("percent-encoded", each(|byte| format!("%{byte:02X}"))),
            (
                "percent-encoded in small letters",
                each(|byte| format!("%{byte:02x}")),
            ),
            ("escaped as JSON", each(|byte| format!("\\u{byte:04x}"))),
            (
                "escaped as JSON in capitals",
                each(|byte| format!("\\u{byte:04X}")),
            ),
            ("escaped as HTML", each(|byte| format!("&#{byte};"))),
        ];
        // Base64 writes three bytes at a time: within a longer text the secret begins at one of three places. What its
        // neighbours have a part in is left out.
        for before in 0..3 {
            let mut shifted = vec![0; before];
            shifted.extend_from_slice(bytes);
            let (start, end) = ((before * 8).div_ceil(6), shifted.len() * 8 / 6);
            for (name, coded) in [
                ("in base64", BASE64_STANDARD_NO_PAD.encode(&shifted)),
                ("in base64 for addresses", BASE64_URL_SAFE_NO_PAD.encode(&shifted)),
            ] {
                texts.push((name, coded[start..end].to_owned()));
            }
        }
        texts.push((
            "in UTF-16",
            secret.chars().flat_map(|letter| [letter, '\0']).collect(),
        ));
        Self { forms: texts }
    }

    /// Fails the test where the secret is in these bytes.
    pub fn through(&self, place: &str, haystack: &[u8]) {
        // Every form is ASCII, which this leaves as it is; and the search in text is fast where tests aren't.
        let text = String::from_utf8_lossy(haystack);
        for (form, needle) in &self.forms {
            if let Some((before, after)) = text.split_once(needle.as_str()) {
                let before: String = before.chars().rev().take(60).collect();
                let before: String = before.chars().rev().collect();
                let after: String = after.chars().take(60).collect();
                panic!("the secret is in {place}, {form}: …{before}«it»{after}…");
            }
        }
    }

    /// Through every file of a folder. Answers how many there were.
    pub fn through_folder(&self, folder: &Path) -> usize {
        let mut files = 0;
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a folder").flatten() {
                let path = entry.path();
                let kind = entry.file_type().expect("a kind");
                if kind.is_dir() {
                    folders.push(path);
                } else if kind.is_file() {
                    // A browser that runs may remove a file meanwhile.
                    let Ok(content) = fs::read(&path) else { continue };
                    self.through(&path.display().to_string(), &content);
                    files += 1;
                }
            }
        }
        files
    }

    /// Through what a server has written: its log and its data folder; and through its program, the page inside.
    pub fn through_server(&self, server: &Server) {
        self.through("the log", server.log().as_bytes());
        let data = server.setup.data_dir();
        assert!(self.through_folder(&data) > 0, "`{}` is empty", data.display());
        let program = fs::read(crate::server::binary()).expect("the program");
        self.through("the program", &program);
    }

    /// Through what a browser keeps: what scripts can reach, and its profile on disk.
    pub async fn through_browser(&self, browser: &Browser) {
        let Value::Object(kept) = browser.script(STORAGE).await else {
            panic!("the page tells what it keeps");
        };
        for (place, text) in kept {
            self.through(&format!("the browser's {place}"), text.to_string().as_bytes());
            self.through(
                &format!("the browser's {place}"),
                text.as_str().unwrap_or_default().as_bytes(),
            );
        }
        assert!(
            self.through_folder(browser.profile()) > 0,
            "the browser has a profile"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::Hunt;
    use base64::{Engine as _, prelude::BASE64_STANDARD};

    const SECRET: &str = "a-key/with+odd=characters";

    fn is_found(haystack: &[u8]) -> bool {
        let haystack = haystack.to_vec();
        std::panic::catch_unwind(move || Hunt::of(SECRET).through("a test", &haystack)).is_err()
    }

    #[test]
    fn every_form_is_found_and_another_text_is_not() {
        let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
        let percent: String = SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for form in [
            format!("x {SECRET} x"),
            SECRET.chars().rev().collect(),
            hex,
            percent,
        ] {
            assert!(is_found(form.as_bytes()), "{form}");
        }
        for before in ["", "1", "12", "123"] {
            let coded = BASE64_STANDARD.encode(format!("{before}{SECRET} and more"));
            assert!(is_found(coded.as_bytes()), "{coded}");
        }
        assert!(!is_found(b"a-key/with+odd=character"));
        assert!(!is_found(b""));
    }
}
