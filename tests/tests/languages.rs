//! The console in German and in English: as the browser prefers it, or as somebody chose.

use tests::{
    api::Api,
    browser::{Browser, Look, Theme, Width},
    server::Server,
};

/// The language that the page says it is in, and its title.
async fn told(browser: &Browser) -> (String, String) {
    let answer = browser
        .script("return [document.documentElement.lang, document.title]")
        .await;
    let word = |index: usize| answer[index].as_str().unwrap_or_default().to_owned();
    (word(0), word(1))
}

async fn choose_language(browser: &Browser, name: &str) {
    let choice = browser.control("radio", name).await;
    browser
        .script_on("arguments[0].focus(); arguments[0].click()", &choice)
        .await;
}

#[tokio::test]
async fn a_german_browser_is_spoken_to_in_german_and_what_was_chosen_stays() {
    let server = Server::new().await;
    let browser = Browser::start_preferring("de-AT,de,en").await;
    browser.goto(&server.sign_in_url().await).await;
    browser.at("/").await;
    browser.shows("Noch keine Jobs").await;
    assert_eq!(told(&browser).await, ("de".into(), "Übersicht · Attune".into()));
    let skip = browser
        .script("return document.querySelector('.skip-link').textContent")
        .await;
    assert_eq!(skip, "Zum Inhalt");

    browser.goto(&format!("{}/settings", server.address)).await;
    browser.shows("Wie die Konsole in diesem Browser aussieht.").await;
    choose_language(&browser, "English").await;
    browser.shows("How the console looks in this browser.").await;
    assert_eq!(told(&browser).await, ("en".into(), "Settings · Attune".into()));
    assert_eq!(
        browser.focus_name().await,
        "English",
        "the focus stays where it was"
    );
    assert!(
        browser.has("navigation", "Main").await,
        "the frame is drawn again too"
    );

    browser.reload().await;
    browser.shows("How the console looks in this browser.").await;
    assert_eq!(told(&browser).await.0, "en");
    choose_language(&browser, "Automatic").await;
    browser.shows("Wie die Konsole in diesem Browser aussieht.").await;
    assert_eq!(told(&browser).await.0, "de");
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn an_english_browser_can_be_spoken_to_in_german() {
    let server = Server::new().await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.goto(&format!("{}/settings", server.address)).await;
    choose_language(&browser, "Deutsch").await;
    browser.shows("Wie die Konsole in diesem Browser aussieht.").await;
    browser.reload().await;
    browser.shows("Wie die Konsole in diesem Browser aussieht.").await;
    assert_eq!(told(&browser).await, ("de".into(), "Optionen · Attune".into()));
    browser.quit().await;
}

#[tokio::test]
async fn german_pages_fit_a_phone_and_numbers_are_typed_as_germans_write_them() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let body = api.new_job("deutsch", 12, 1).await;
    let job = api.create_job(&body).await;
    api.ended(&job.id).await;
    let browser = Browser::start_preferring("de").await;
    browser.goto(&server.sign_in_url().await).await;
    browser.shows("Neueste Jobs").await;
    for (name, path, words) in [
        ("dashboard", "/".to_owned(), "Neueste Jobs"),
        ("jobs", "/jobs".to_owned(), "Basismodell"),
        ("job", format!("/jobs/{}", job.id), "Abgeschlossen"),
        ("wizard", "/jobs/new/setup".to_owned(), "Trainingsdatensatz"),
        ("datasets", "/datasets".to_owned(), "Beispiele"),
        ("models", "/models".to_owned(), "Trainierte Modelle"),
        ("settings", "/settings".to_owned(), "Abmelden"),
    ] {
        browser.goto(&format!("{}{path}", server.address)).await;
        browser.shows(words).await;
        browser.photograph_all(&format!("german-{name}")).await;
    }

    browser.goto(&format!("{}/jobs/new/setup", server.address)).await;
    browser.fill("Jobname", "deutsch-2").await;
    browser.choose_first("Basismodell").await;
    browser
        .choose("Trainingsdatensatz", &dataset_of(&browser).await)
        .await;
    browser.click("Weiter").await;
    browser.at("/jobs/new/configure").await;
    browser.fill("Lernrate", "0.0005").await;
    browser.holds("Lernrate", "0,0005").await;
    browser.fill("Lernrate", "0,5,").await;
    browser.click("Weiter").await;
    browser.shows("Lernrate: muss eine Zahl sein").await;
    browser.fill("Lernrate", "0,0003").await;
    browser.photograph_all("german-configure").await;
    let draft = browser
        .script("return JSON.parse(localStorage['attune.draft']).learning_rate")
        .await;
    assert_eq!(draft, "0.0003", "it is kept as machines write it");
    browser.click("Weiter").await;
    browser.at("/jobs/new/review").await;
    browser.shows("0,0003").await;
    browser.photograph_all("german-review").await;
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn the_line_below_a_jobs_name_is_one_line_in_german_however_many_buttons_stand_beside_the_name() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let job = api.create_job(&api.new_job("viele-knoepfe", 400, 20).await).await;
    let browser = Browser::start_preferring("de").await;
    browser.goto(&server.sign_in_url().await).await;
    browser.shows("Neueste Jobs").await;
    browser.goto(&format!("{}/jobs/{}", server.address, job.id)).await;
    let (width, theme) = (Width::Wide, Theme::Light);
    browser.look(Look { width, theme }).await;
    // There once a step is trained.
    for button in [
        "Job abbrechen",
        "Beenden und behalten",
        "Pausieren",
        "Vergleichen",
    ] {
        browser.button(button).await;
    }
    let lines = "const line = document.querySelector('.page-sub');
        return Math.round(line.offsetHeight / parseFloat(getComputedStyle(line).lineHeight))";
    assert_eq!(browser.script(lines).await, 1);
    browser.photograph_all("german-job-running").await;
    browser.no_errors().await;
    browser.quit().await;
}

/// The first dataset that the wizard offers.
async fn dataset_of(browser: &Browser) -> String {
    let mut entry = String::new();
    browser
        .until("a dataset is offered", async || {
            let field = browser.field("Trainingsdatensatz").await;
            let script = "return [...arguments[0].options].find(option => option.value)?.text ?? ''";
            let answer = browser.script_on(script, &field).await;
            entry = answer.as_str().unwrap_or_default().to_owned();
            !entry.is_empty()
        })
        .await;
    entry
}
