//! How the page looks: widths, themes, photographs, and whether anything sticks out.

use super::Browser;
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Pixels of a photograph's height at most.
const TALLEST: f64 = 4_000.0;
/// A laptop's width and height, both small.
const LAPTOP: (u32, u32) = (1280, 900);
/// A phone's width and height.
const PHONE: (u32, u32) = (390, 844);

/// How wide the window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// A laptop's.
    Wide,
    /// A phone's.
    Phone,
}

impl Width {
    const fn size(self) -> (u32, u32) {
        match self {
            Self::Wide => LAPTOP,
            Self::Phone => PHONE,
        }
    }
}

/// What the system prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// A width and a theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// How wide the window is.
    pub width: Width,
    /// What the system prefers.
    pub theme: Theme,
}

impl Look {
    /// Both widths in both themes.
    pub const ALL: [Self; 4] = [
        Self {
            width: Width::Wide,
            theme: Theme::Light,
        },
        Self {
            width: Width::Wide,
            theme: Theme::Dark,
        },
        Self {
            width: Width::Phone,
            theme: Theme::Light,
        },
        Self {
            width: Width::Phone,
            theme: Theme::Dark,
        },
    ];

    /// Its part in the name of a picture.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match (self.width, self.theme) {
            (Width::Wide, Theme::Light) => "wide-light",
            (Width::Wide, Theme::Dark) => "wide-dark",
            (Width::Phone, Theme::Light) => "phone-light",
            (Width::Phone, Theme::Dark) => "phone-dark",
        }
    }
}

impl Browser {
    /// Changes the window's width and the system's theme.
    pub async fn look(&self, look: Look) {
        self.window(look, look.width.size(), false).await;
    }

    /// Gives the window this width and height in pixels; `still` asks the page for as little motion as it can do with.
    pub(super) async fn window(&self, look: Look, (width, height): (u32, u32), still: bool) {
        let cdp = self.web.cdp();
        cdp.emulation()
            .set_device_metrics_override(width, height, 1.0, look.width == Width::Phone)
            .await
            .expect("a width");
        let scheme = if look.theme == Theme::Dark {
            "dark"
        } else {
            "light"
        };
        let motion = if still { "reduce" } else { "" };
        let features = json!({"features": [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": motion},
        ]});
        cdp.send_raw("Emulation.setEmulatedMedia", features)
            .await
            .expect("a theme");
    }

    /// Photographs the page in both widths and both themes, and fails where something sticks out, or where axe-core finds
    /// a violation.
    pub async fn photograph_all(&self, name: &str) {
        for look in Look::ALL {
            self.look(look).await;
            self.nothing_sticks_out(name, look.width).await;
            let name = format!("{name}-{}", look.name());
            self.photograph(&name).await;
            // Colours are the same at both widths.
            if look.width == Width::Wide || look.theme == Theme::Light {
                self.is_accessible(&name).await;
            }
        }
        self.look(Look {
            width: Width::Wide,
            theme: Theme::Light,
        })
        .await;
    }

    /// Fails where the page is wider than the window was made: a phone zooms out of a page that is too wide, which makes
    /// the window as wide as that, so the window itself measures nothing.
    pub async fn nothing_sticks_out(&self, name: &str, width: Width) {
        let (pixels, _) = width.size();
        let script = format!(
            "const wide = Math.max(innerWidth, document.scrollingElement.scrollWidth);
            const culprits = () => [...document.querySelectorAll('body *')]
                .filter(element => element.getBoundingClientRect().right > {pixels} + 1)
                .slice(0, 8).map(element => element.outerHTML.slice(0, 200));
            return wide > {pixels} ? [wide, ...culprits()] : null"
        );
        let found = self.script(&script).await;
        assert!(
            found.is_null(),
            "the page {name} at {} is wider than {pixels} pixels: {found:#}",
            self.path().await
        );
    }

    /// Photographs the whole page as it is, up to [`TALLEST`], and answers the file.
    pub async fn photograph(&self, name: &str) -> PathBuf {
        // Colours on their way from one theme to the other would be shown as neither.
        self.script(
            "document.getAnimations().forEach(change => { if (change instanceof CSSTransition) change.finish() })",
        )
        .await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
        fs::create_dir_all(&folder).expect("a folder for pictures");
        let file = folder.join(format!("{name}.png"));
        fs::write(&file, self.capture().await).expect("a picture");
        file
    }

    /// The whole page as it is, up to [`TALLEST`], as PNG.
    pub(super) async fn capture(&self) -> Vec<u8> {
        let cdp = self.web.cdp();
        let metrics = cdp
            .send_raw("Page.getLayoutMetrics", json!({}))
            .await
            .expect("the page has a size");
        let size = &metrics["cssContentSize"];
        // A list of thousands is as high as a house, and looks the same all over.
        let height = size["height"].as_f64().unwrap_or(TALLEST).min(TALLEST);
        let clip = json!({"x": 0, "y": 0, "width": size["width"], "height": height, "scale": 1});
        let whole = json!({"clip": clip, "captureBeyondViewport": true});
        let picture = cdp
            .send_raw("Page.captureScreenshot", whole)
            .await
            .expect("a picture");
        BASE64_STANDARD
            .decode(picture["data"].as_str().expect("a picture"))
            .expect("a picture")
    }
}
