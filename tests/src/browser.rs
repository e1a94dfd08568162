//! A real Chromium, driven through its own driver as a person would: controls are found by role and accessible name.

mod accessibility;
mod driver;
mod find;
mod look;
mod performance;
mod requests;
mod still;

pub use look::{Look, Theme, Width};
pub use performance::{MainThread, Scroll};
pub use still::NOON_MS;

use crate::install_crypto_provider;
use driver::Driver;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;
use thirtyfour::{
    ChromiumLikeCapabilities, DesiredCapabilities, Key, LoggingPrefsLogLevel, WebDriver, WebElement,
};
use tokio::time::{Instant, interval};

/// How long a person would wait before giving up, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser with one window and a profile of its own; ended when dropped.
#[derive(Debug)]
pub struct Browser {
    web: WebDriver,
    /// Where downloads end up.
    downloads: PathBuf,
    // Ended after the session that it drives, and before the profile is removed.
    _driver: Driver,
    profile: TempDir,
}

impl Browser {
    /// Starts a browser with an empty profile, of somebody who reads English.
    pub async fn start() -> Self {
        Self::start_preferring("en-US,en").await
    }

    /// Starts a browser with an empty profile, of somebody who reads these languages, the dearest first.
    pub async fn start_preferring(languages: &str) -> Self {
        install_crypto_provider();
        let profile = TempDir::new().expect("a scratch folder");
        let downloads = profile.path().join("downloads");
        fs::create_dir(&downloads).expect("a folder for downloads");
        let driver = Driver::start().await;
        let web = WebDriver::new(&driver.address, capabilities(profile.path(), languages))
            .await
            .expect("a browser");
        web.cdp()
            .send_raw(
                "Browser.setDownloadBehavior",
                serde_json::json!({"behavior": "allow", "downloadPath": downloads}),
            )
            .await
            .expect("downloads are let through");
        let browser = Self {
            web,
            downloads,
            _driver: driver,
            profile,
        };
        browser
            .look(Look {
                width: Width::Wide,
                theme: Theme::Light,
            })
            .await;
        browser
    }

    /// Where it keeps what it keeps.
    #[must_use]
    pub fn profile(&self) -> &Path {
        self.profile.path()
    }

    /// Ends the browser in good order.
    pub async fn quit(self) {
        self.web.clone().quit().await.expect("the browser ends");
    }

    /// Goes to an address, as typed.
    pub async fn goto(&self, address: &str) {
        self.web.goto(address).await.expect("the page loads");
    }

    /// Reloads the page.
    pub async fn reload(&self) {
        self.web.refresh().await.expect("the page loads");
    }

    /// The back button.
    pub async fn back(&self) {
        self.web.back().await.expect("the page changes");
    }

    /// The forward button.
    pub async fn forward(&self) {
        self.web.forward().await.expect("the page changes");
    }

    /// The path and the query of the address bar.
    pub async fn path(&self) -> String {
        let url = self.web.current_url().await.expect("an address");
        url.query().map_or_else(
            || url.path().to_owned(),
            |query| format!("{}?{query}", url.path()),
        )
    }

    /// Waits until the address bar shows this path and query.
    pub async fn at(&self, path: &str) {
        self.until(&format!("the address is {path}"), async || {
            self.path().await == path
        })
        .await;
    }

    /// Opens a tab and stays in it.
    pub async fn new_tab(&self) {
        let tab = self.web.new_tab().await.expect("a tab");
        self.web.switch_to_window(tab).await.expect("the tab is there");
    }

    /// Goes to the tab that was opened as the `number`th, from 0.
    pub async fn tab(&self, number: usize) {
        let tabs = self.web.windows().await.expect("tabs");
        self.web
            .switch_to_window(tabs[number].clone())
            .await
            .expect("the tab is there");
    }

    /// Closes this tab and goes to the first that is left.
    pub async fn close_tab(&self) {
        self.web.close_window().await.expect("the tab closes");
        self.tab(0).await;
    }

    /// Takes the browser's network away, or gives it back.
    pub async fn set_offline(&self, offline: bool) {
        let conditions = serde_json::json!({"offline": offline, "latency": 0, "downloadThroughput": -1,
            "uploadThroughput": -1});
        let cdp = self.web.cdp();
        cdp.send_raw("Network.enable", serde_json::json!({}))
            .await
            .expect("the network is watched");
        cdp.send_raw("Network.emulateNetworkConditions", conditions)
            .await
            .expect("the network changes");
    }

    /// Refuses every request whose address fits one of these patterns (`*` stands for anything); none refuses nothing.
    pub async fn block(&self, patterns: &[&str]) {
        let cdp = self.web.cdp();
        cdp.send_raw("Network.enable", serde_json::json!({}))
            .await
            .expect("the network is watched");
        cdp.send_raw("Network.setBlockedURLs", serde_json::json!({"urls": patterns}))
            .await
            .expect("the network changes");
    }

    /// Takes every cookie away, as the end of a session does.
    pub async fn forget_cookies(&self) {
        self.web
            .cdp()
            .send_raw("Network.clearBrowserCookies", serde_json::json!({}))
            .await
            .expect("the cookies go");
    }

    /// Presses a key, wherever the focus is.
    pub async fn press(&self, key: Key) {
        self.web
            .action_chain()
            .send_keys(key)
            .perform()
            .await
            .expect("a key");
    }

    /// Types text, wherever the focus is.
    pub async fn type_text(&self, text: &str) {
        self.web
            .action_chain()
            .send_keys(text)
            .perform()
            .await
            .expect("text");
    }

    /// Runs a script on every page from here on, before the page's own.
    pub async fn before_each_page(&self, script: &str) {
        let source = serde_json::json!({"source": script});
        self.web
            .cdp()
            .send_raw("Page.addScriptToEvaluateOnNewDocument", source)
            .await
            .expect("the script is taken");
    }

    /// Clicks a control with the shift key held.
    pub async fn shift_click(&self, control: &WebElement) {
        let chain = self
            .web
            .action_chain()
            .key_down(Key::Shift)
            .click_element(control);
        chain.key_up(Key::Shift).perform().await.expect("a click");
    }

    /// Moves the pointer onto an element.
    pub async fn point_at(&self, element: &WebElement) {
        let chain = self.web.action_chain().move_to_element_center(element);
        chain.perform().await.expect("the pointer moves");
    }

    /// What a script answers in the page.
    pub async fn script(&self, script: &str) -> Value {
        self.web
            .execute(script, vec![])
            .await
            .expect("the script runs")
            .json()
            .clone()
    }

    /// The text that a script answers; empty where it answers none.
    pub async fn script_text(&self, script: &str) -> String {
        let answer = self.script(script).await;
        answer.as_str().unwrap_or_default().to_owned()
    }

    /// What a script answers about an element, its first argument.
    pub async fn script_on(&self, script: &str, element: &WebElement) -> Value {
        let element = element.to_json().expect("an element");
        self.web
            .execute(script, vec![element])
            .await
            .expect("the script runs")
            .json()
            .clone()
    }

    /// The text that the page shows.
    pub async fn text(&self) -> String {
        self.script_text("return document.body.innerText").await
    }

    /// Waits until the page shows this text.
    pub async fn shows(&self, text: &str) {
        self.until(&format!("the page shows “{text}”"), async || {
            self.text().await.contains(text)
        })
        .await;
    }

    /// Waits until something is so; where it doesn't become so, the page is photographed and the test fails.
    pub async fn until(&self, what: &str, condition: impl AsyncFnMut() -> bool) {
        self.until_within(PATIENCE, what, condition).await;
    }

    /// As [`Browser::until`], with a patience of its own.
    pub async fn until_within(
        &self,
        patience: Duration,
        what: &str,
        mut condition: impl AsyncFnMut() -> bool,
    ) {
        let deadline = Instant::now() + patience;
        let mut ticks = interval(Duration::from_millis(50));
        while !condition().await {
            if Instant::now() > deadline {
                self.give_up(what).await;
            }
            ticks.tick().await;
        }
    }

    /// Fails the test with everything that helps to see why.
    async fn give_up(&self, what: &str) -> ! {
        let picture = self.photograph("failure").await;
        let (path, text, names) = (self.path().await, self.text().await, self.names().await);
        let errors = self.errors().await;
        panic!(
            "not so: {what}\nat {path}, photographed in {}\nconsole: {errors:?}\ncontrols: {names:#?}\ntext:\n{text}",
            picture.display()
        );
    }

    /// What the console reported as errors since the last call.
    pub async fn errors(&self) -> Vec<String> {
        let entries = self.web.browser_log().await.expect("a console");
        entries
            .into_iter()
            .filter(|entry| entry.level == "SEVERE")
            .map(|entry| entry.message)
            .collect()
    }

    /// Fails where the console reported an error since the last call of this or of [`Browser::errors`].
    pub async fn no_errors(&self) {
        let errors = self.errors().await;
        assert!(
            errors.is_empty(),
            "the console reports errors at {}: {errors:#?}",
            self.path().await
        );
    }

    /// Waits for a download that ends in `suffix`, and answers its bytes.
    pub async fn downloaded(&self, suffix: &str) -> Vec<u8> {
        let mut found = None;
        self.until(&format!("a file *{suffix} was downloaded"), async || {
            let mut files = fs::read_dir(&self.downloads)
                .expect("a folder")
                .flatten()
                .map(|entry| entry.path());
            // Chromium makes the file before it writes it.
            found = files.find(|file| {
                file.to_string_lossy().ends_with(suffix)
                    && fs::metadata(file).is_ok_and(|metadata| metadata.len() > 0)
            });
            found.is_some()
        })
        .await;
        fs::read(found.expect("just found")).expect("a file")
    }

    /// The element that has the focus.
    pub async fn focused(&self) -> WebElement {
        self.web.active_element().await.expect("something has the focus")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ending the session in good order would wait for a runtime that this very call blocks; the driver's own
        // end takes the browser with it.
        let _ = self.web.clone().leak();
    }
}

fn capabilities(profile: &Path, languages: &str) -> thirtyfour::ChromeCapabilities {
    let mut capabilities = DesiredCapabilities::chrome();
    let flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        // The same widths of letters and the same colours on every machine.
        "--font-render-hinting=none",
        "--force-color-profile=srgb",
        "--lang=en-US",
    ];
    for flag in flags {
        capabilities.add_arg(flag).expect("a flag");
    }
    capabilities
        .add_arg(&format!("--accept-lang={languages}"))
        .expect("a flag");
    capabilities
        .add_arg(&format!("--user-data-dir={}", profile.join("profile").display()))
        .expect("a flag");
    capabilities
        .set_browser_log_level(LoggingPrefsLogLevel::All)
        .expect("a log level");
    capabilities
}
