//! Every view as it looked before: photographed in a console that stands still, and compared with the pictures in
//! `tests/pictures`. And that the comparison sees what it has to, and nothing else.

#![expect(clippy::expect_used, reason = "what helps a test may fail it")]

use tests::{
    api::Api,
    browser::{Browser, Look, Theme, Width},
    pictures::{Album, Difference, Reduced},
    server::Server,
    still_life::{self, StillLife},
};
use thirtyfour::Key;

/// A laptop by day and a phone by night: each view in both themes and at both widths.
const LOOKS: [Look; 2] = [
    Look {
        width: Width::Wide,
        theme: Theme::Light,
    },
    Look {
        width: Width::Phone,
        theme: Theme::Dark,
    },
];

struct Scenes {
    browser: Browser,
    address: String,
    album: Album,
}

impl Scenes {
    /// Goes to a page of the console.
    async fn open(&self, path: &str) {
        self.browser.goto(&format!("{}{path}", self.address)).await;
    }

    /// Compares the page as it is.
    async fn shot(&mut self, name: &str) {
        for look in LOOKS.into_iter().rev() {
            self.browser.still_look(look).await;
            let picture = self.browser.still_picture().await;
            self.album.add(&format!("{name}-{}", look.name()), &picture);
        }
    }

    /// Compares pages: each by its name, its path, and words that it shows when it is ready.
    async fn shots(&mut self, views: &[(&str, &str, &str)]) {
        for (name, path, words) in views {
            self.open(path).await;
            self.browser.shows(words).await;
            self.shot(name).await;
        }
    }

    async fn nobody_and_nothing(&mut self, server: &Server) {
        self.shots(&[("sign-in", "/", "Sign-in token")]).await;
        self.browser.sign_in(server).await;
        self.shots(&[
            ("dashboard-empty", "/", "No jobs yet"),
            ("jobs-empty", "/jobs", "No jobs yet"),
            ("datasets-empty", "/datasets", "No datasets yet"),
            ("models-empty", "/models", "Get a model"),
            ("compare-empty", "/compare", "Nothing to compare yet"),
            ("notifications-empty", "/notifications", "Nothing"),
            ("not-found", "/no-such-page", "There is nothing here"),
        ])
        .await;
    }

    async fn jobs(&mut self) {
        let job = |id: &str| format!("/jobs/{id}");
        self.shots(&[
            ("dashboard", "/", "support-triage-v3"),
            ("jobs", "/jobs", "claims-review"),
            ("jobs-no-match", "/jobs?q=nothing-like-it", "No job matches"),
            ("job-running", &job(still_life::RUNNING), "support-triage-v3"),
            ("job-queued", &job(still_life::QUEUED), "invoice-router"),
            ("job-paused", &job(still_life::PAUSED), "tone-of-voice"),
            ("job-succeeded", &job(still_life::SUCCEEDED), "Download adapter"),
            ("job-failed", &job(still_life::FAILED), "This job failed"),
            ("job-cancelled", &job(still_life::CANCELLED), "Cancelled"),
            (
                "compare",
                &format!("/compare?jobs={},{}", still_life::SUCCEEDED, still_life::OTHER),
                "What differs",
            ),
            ("notifications", "/notifications", "medical-intents"),
        ])
        .await;

        self.open(&job(still_life::RUNNING)).await;
        self.browser.click("Cancel job").await;
        self.browser.button("Keep training").await;
        self.shot("job-cancel").await;

        self.open("/jobs").await;
        for name in ["legal-summary", "claims-review"] {
            let row = self.browser.field(&format!("Select {name}")).await;
            row.click().await.expect("a checkbox");
        }
        self.browser.shows("2 selected").await;
        self.shot("jobs-selected").await;
        self.browser.press(Key::Escape).await;
        self.browser.type_text("?").await;
        self.browser.control("dialog", "Keyboard shortcuts").await;
        self.shot("jobs-help").await;
        self.browser.press(Key::Escape).await;
        self.browser.click("Delete legal-summary").await;
        self.browser.control("dialog", "Delete legal-summary?").await;
        self.shot("jobs-delete").await;
    }

    async fn wizard(&mut self) {
        self.open("/jobs/new/setup").await;
        self.browser.field("Job name").await;
        self.shot("wizard-setup-empty").await;
        self.browser.fill("Job name", "x-").await;
        self.browser.click("Next").await;
        self.browser
            .shows("The job name needs at least 3 characters.")
            .await;
        self.shot("wizard-setup-errors").await;
        self.browser.fill("Job name", "support-triage-v4").await;
        self.browser
            .choose("Training dataset", "support-tickets · 48 examples")
            .await;
        self.browser
            .choose("Validation dataset", "support-tickets · 48 examples")
            .await;
        self.shot("wizard-setup").await;
        self.browser.click("Next").await;
        self.browser.at("/jobs/new/configure").await;
        self.browser.field("Epochs").await;
        self.shot("wizard-configure").await;
        self.browser.click("Next").await;
        self.browser.at("/jobs/new/review").await;
        self.browser.shows("support-triage-v4").await;
        self.shot("wizard-review").await;
    }

    async fn library(&mut self, life: &StillLife) {
        let dataset = |id: &shared::id::DatasetId| format!("/datasets/{id}");
        self.shots(&[
            ("datasets", "/datasets", "three-broken-lines"),
            ("dataset-good", &dataset(&life.training), "Preview"),
            ("dataset-pairs", &dataset(&life.pairs), "Preview"),
            ("dataset-broken", &dataset(&life.broken), "Findings"),
            ("models", "/models", "legal-summary"),
            ("playground", "/playground", "Prompt"),
        ])
        .await;
        self.open("/datasets").await;
        self.browser.click("Delete tone-pairs").await;
        self.browser.control("dialog", "Delete tone-pairs?").await;
        self.shot("datasets-delete").await;
    }

    async fn settings(&mut self) {
        self.shots(&[("settings", "/settings", "Nobody is told yet")])
            .await;
        self.browser.click("Add a webhook").await;
        self.browser.click("Add").await;
        self.browser
            .shows("Write the address that is to be called.")
            .await;
        self.shot("settings-webhook").await;
    }

    /// The app itself broken, and the server out of reach.
    async fn faults(&mut self) {
        self.open("/settings").await;
        self.browser.shows("How the console looks in this browser.").await;
        let crash = "document.getElementById('crash-detail').textContent = 'panicked at frontend/src/app.rs';
            document.getElementById('app').hidden = true; document.getElementById('crash').hidden = false";
        self.browser.script(crash).await;
        self.shot("crash").await;
        self.browser.block(&["*/api/jobs*"]).await;
        self.shots(&[
            ("dashboard-unreachable", "/", "Retry"),
            ("jobs-unreachable", "/jobs", "Retry"),
        ])
        .await;
    }
}

#[tokio::test]
async fn every_view_looks_as_it_did() {
    let server = still_life::setup().start().await;
    let browser = Browser::start().await;
    browser.keep_still().await;
    let mut scenes = Scenes {
        browser,
        address: server.address.clone(),
        album: Album::new(),
    };
    scenes.nobody_and_nothing(&server).await;
    let api = Api::signed_in(&server).await;
    let life = StillLife::arrange(server, &api).await;
    scenes.jobs().await;
    scenes.wizard().await;
    scenes.library(&life).await;
    scenes.settings().await;
    scenes.faults().await;
    scenes.album.close();
}

/// What somebody may do to the settings page, and whether it is a fault.
const PLANTED: [(&str, &str, bool); 10] = [
    ("nothing", "", false),
    (
        "cards have another colour",
        "document.documentElement.style.setProperty('--panel', 'light-dark(#f4f4f4, #222228)')",
        true,
    ),
    (
        "a button is gone",
        "document.querySelector('#add-webhook').style.visibility = 'hidden'",
        true,
    ),
    (
        "the accent is another",
        "document.documentElement.style.setProperty('--accent', 'oklch(0.51 0.2 150)')",
        true,
    ),
    (
        "a card is 8 px lower",
        "document.querySelectorAll('.card')[1].style.translate = '0 8px'",
        true,
    ),
    (
        "a card is 8 px to the right",
        "document.querySelectorAll('.card')[1].style.translate = '8px 0'",
        true,
    ),
    (
        "a text runs out of its card",
        "const text = document.querySelector('.card p');
            text.style.whiteSpace = 'nowrap'; text.textContent = text.textContent.repeat(8)",
        true,
    ),
    (
        "other letters of the same width",
        "const other = {b: 'd', d: 'b', p: 'q', q: 'p', n: 'u', u: 'n', o: 'e', e: 'o', 0: '8', 1: '7'};
            const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
            while (texts.nextNode()) {
                texts.currentNode.data = texts.currentNode.data.replace(/[bdpqnuoe01]/g, letter => other[letter]);
            }",
        false,
    ),
    (
        "letters are drawn between the pixels",
        "document.querySelector('main').style.translate = '0.4px 0.3px'",
        false,
    ),
    (
        "letters are smoothed otherwise",
        "document.body.style.setProperty('-webkit-font-smoothing', 'auto'); document.body.style.textRendering = 'geometricPrecision'",
        false,
    ),
];

#[tokio::test]
async fn a_fault_is_seen_and_other_letters_are_not() {
    let server = Server::new().await;
    let browser = Browser::start().await;
    browser.keep_still().await;
    browser.sign_in(&server).await;
    let look = Look {
        width: Width::Wide,
        theme: Theme::Dark,
    };
    browser.still_look(look).await;
    let mut before = None;
    for (name, script, is_fault) in PLANTED {
        browser.goto(&format!("{}/settings", server.address)).await;
        browser.shows("Nobody is told yet").await;
        browser.shows("How the console looks in this browser.").await;
        browser.script(script).await;
        let after = Reduced::of(&browser.still_picture().await);
        let difference = Difference::between(before.get_or_insert_with(|| after.clone()), &after);
        println!("{name}: {difference}");
        assert_eq!(!difference.is_nothing(), is_fault, "{name}: {difference}");
    }
    browser.quit().await;
}
