//! A browser that draws the same wherever and whenever it runs: with fonts of its own, one hour for ever, nothing that
//! moves.

use super::{Browser, Look, Width};
use crate::installed;
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::json;
use std::{env, fs, path::PathBuf};

/// What the clock says: 2 March 2026, 12:00 UTC, in milliseconds since 1970.
pub const NOON_MS: i64 = 1_772_452_800_000;

/// Fonts under names that the page asks for first, so that what the machine has doesn't matter; both under the Open Font
/// License.
const FONTS: [(&str, &str); 2] = [
    ("Inter", "inter/files/inter-latin-wght-normal.woff2"),
    (
        "SF Mono",
        "jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
    ),
];

impl Browser {
    /// Stops the clock and every movement, and brings fonts along: for every page that is opened from now on.
    pub async fn keep_still(&self) {
        let cdp = self.web.cdp();
        for (method, parameters) in [
            ("Emulation.setTimezoneOverride", json!({"timezoneId": "UTC"})),
            ("Emulation.setLocaleOverride", json!({"locale": "en-US"})),
            (
                "Page.addScriptToEvaluateOnNewDocument",
                json!({"source": script()}),
            ),
        ] {
            cdp.send_raw(method, parameters).await.expect("a still browser");
        }
    }

    /// The window of a still browser: a laptop's of 1440 × 900, or a phone's of 390 × 844.
    pub async fn still_look(&self, look: Look) {
        let size = match look.width {
            Width::Wide => (1440, 900),
            Width::Phone => (390, 844),
        };
        self.window(look, size, true).await;
    }

    /// Photographs the page once its fonts are there and it stays as it is.
    pub async fn still_picture(&self) -> Vec<u8> {
        // A picture beyond the window may leave the page scrolled by a pixel.
        let drawn = "const done = arguments[arguments.length - 1];
            scrollTo(0, 0);
            document.fonts.ready.then(() => requestAnimationFrame(() => requestAnimationFrame(() => done(true))));";
        let mut before = Vec::new();
        let mut picture = Vec::new();
        self.until("the page stays as it is", async || {
            self.web
                .execute_async(drawn, Vec::new())
                .await
                .expect("the page is drawn");
            before = std::mem::replace(&mut picture, self.capture().await);
            before == picture
        })
        .await;
        picture
    }
}

/// What runs in each page before its own scripts.
fn script() -> String {
    let faces: Vec<_> = FONTS
        .iter()
        .map(|(family, file)| {
            json!([
                family,
                BASE64_STANDARD.encode(fs::read(font(file)).expect("a font"))
            ])
        })
        .collect();
    format!(
        "(() => {{
            const now = {NOON_MS};
            const Real = Date;
            window.Date = new Proxy(Real, {{
                construct: (date, given) => given.length ? new date(...given) : new date(now),
                apply: () => new Real(now).toString(),
                get: (date, key) => key === 'now' ? () => now : Reflect.get(date, key),
            }});
            for (const [family, bytes] of {}) {{
                const face = new FontFace(family, Uint8Array.from(atob(bytes), byte => byte.charCodeAt(0)).buffer, {{weight: '100 900'}});
                document.fonts.add(face);
                face.load();
            }}
            const style = new CSSStyleSheet();
            style.replaceSync('*, *::before, *::after {{ animation: none !important; transition: none !important; caret-color: transparent !important }}');
            document.adoptedStyleSheets = [style];
        }})()",
        json!(faces)
    )
}

/// A font's file: in `ATTUNE_TEST_FONTS`, else where `cargo xtask test` puts it.
fn font(file: &str) -> PathBuf {
    env::var_os("ATTUNE_TEST_FONTS").map_or_else(
        || installed(&format!("tools/node_modules/@fontsource-variable/{file}")),
        |folder| PathBuf::from(folder).join(file),
    )
}
