//! The list of a hosted Job Training API in a real browser: it can be read, its times are right, its length costs
//! nothing, what was refused comes back, and news shift nothing.

use tests::{
    browser::{Browser, Look, Theme, Width},
    contract_server::{ContractServer, Mood, Said},
    hosted::{hosted, hosted_with, minutes_ago},
    list::names,
    server::Server,
};

/// A console in front of a hosted API with these jobs, on the list.
async fn list_of(jobs: &[(&str, &str)]) -> (ContractServer, Server, Browser) {
    let (upstream, server) = hosted().await;
    for (name, status) in jobs {
        upstream.add_job(name, status);
    }
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.follow("/jobs").await;
    if let Some((name, _)) = jobs.last() {
        browser.button(&format!("Delete {name}")).await;
    }
    (upstream, server, browser)
}

#[tokio::test]
async fn statuses_can_be_read_in_both_themes_and_times_are_right() {
    let (upstream, server) = hosted().await;
    upstream.add_job_of("fresh", "Running", &minutes_ago(5));
    upstream.add_job_of("older", "Completed", &minutes_ago(3 * 60));
    upstream.add_job_of("oldest", "Failed", &minutes_ago(2 * 24 * 60));
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.follow("/jobs").await;
    for words in ["5 min ago", "3 h ago", "2 days ago"] {
        browser.shows(words).await;
    }
    // Contrast as WCAG counts it, of every status against what lies behind it; colours are read off a canvas, because
    // styles may be told in any colour space.
    let contrasts = "
        const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
        const paint = colours => {
            canvas.clearRect(0, 0, 1, 1);
            for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
            return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map(part => part / 255);
        };
        const light = colour => {
            const [red, green, blue] = colour.map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
            return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        };
        const words = ['Running', 'Completed', 'Failed'];
        const own = element => [...element.childNodes].filter(node => node.nodeType === 3)
            .map(node => node.textContent.trim()).join('');
        const found = [...document.querySelectorAll('#main *')]
            .filter(element => words.includes(own(element)) && element.tagName !== 'OPTION' && element.checkVisibility());
        return found.map(element => {
            const behind = [];
            for (let node = element; node; node = node.parentElement) {
                behind.unshift(getComputedStyle(node).backgroundColor);
            }
            const back = light(paint(behind));
            const front = light(paint([...behind, getComputedStyle(element).color]));
            return (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05);
        })";
    for theme in [Theme::Light, Theme::Dark] {
        browser
            .look(Look {
                width: Width::Wide,
                theme,
            })
            .await;
        browser
            .until("every status has contrast enough", async || {
                let ratios = browser.script(contrasts).await;
                let ratios = ratios.as_array().cloned().unwrap_or_default();
                ratios.len() >= 3
                    && ratios
                        .iter()
                        .all(|ratio| ratio.as_f64().is_some_and(|ratio| ratio >= 4.5))
            })
            .await;
    }
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn ten_thousand_jobs_leave_the_page_light_and_quick() {
    let (upstream, server) = hosted_with(&[("ATTUNE_UPSTREAM__CACHE_MS", "600000")]).await;
    for number in 0..10_000 {
        upstream.add_job(&format!("job-{number:05}"), "Running");
    }
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.follow("/jobs").await;
    browser.shows("10,000").await;
    let nodes = browser
        .script("return document.getElementsByTagName('*').length")
        .await;
    assert!(nodes.as_u64().is_some_and(|nodes| nodes < 5_000), "{nodes} nodes");
    browser.fill("Search jobs", "job-09999").await;
    browser.click("Delete job-09999").await;
    browser.button("Cancel").await;
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn what_was_refused_comes_back_and_is_told_by_name() {
    let (upstream, _server, browser) = list_of(&[("first", "Completed"), ("second", "Running")]).await;
    upstream.set_mood(Mood::ReadOnly);
    browser
        .field("Select all shown")
        .await
        .click()
        .await
        .expect("a checkbox");
    browser.click("Delete 2 jobs").await;
    browser.click("Delete").await;
    browser.shows("second, first weren't deleted.").await;
    browser
        .until("both are back", async || {
            names(&browser).await == ["second", "first"]
        })
        .await;
    assert_eq!(upstream.names(), ["second", "first"]);
    browser.errors().await;

    // This upstream ends a running job by deleting it.
    upstream.set_mood(Mood::Fair);
    browser.click("Delete second").await;
    browser.click("Delete").await;
    browser.gone("button", "Delete second").await;
    browser.shows("second was deleted.").await;
    assert_eq!(upstream.names(), ["first"]);
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn new_jobs_announce_themselves_and_shift_nothing() {
    let (upstream, server, browser) = list_of(&[("older", "Completed"), ("busy", "Running")]).await;
    upstream.add_job("brand-new", "Running");
    browser.button("1 new job").await;
    assert_eq!(names(&browser).await, ["busy", "older"]);
    browser.photograph_all("jobs-news").await;
    browser.click("1 new job").await;
    browser
        .until("it is on top", async || {
            names(&browser).await == ["brand-new", "busy", "older"]
        })
        .await;
    browser.gone("button", "1 new job").await;

    // Without the switch nothing comes by itself, and Refresh brings it.
    let live = browser.control("switch", "Live").await;
    live.click().await.expect("a switch");
    upstream.add_job("latest", "Running");
    browser
        .until("Refresh brings the latest", async || {
            // Again, because the server's own copy of the list may be a second old.
            browser.click("Refresh").await;
            names(&browser).await.first().is_some_and(|name| name == "latest")
        })
        .await;
    live.click().await.expect("a switch");

    // A row that is pointed at stays where it is while others leave its list.
    browser
        .goto(&format!("{}/jobs?status=running", server.address))
        .await;
    browser
        .until("what runs is shown", async || {
            names(&browser).await == ["latest", "brand-new", "busy"]
        })
        .await;
    let busy = browser.control("link", "busy").await;
    browser.point_at(&busy).await;
    upstream.finish_job("latest");
    browser.button("Running 2").await;
    assert_eq!(names(&browser).await, ["latest", "brand-new", "busy"]);
    browser.point_at(&browser.field("Search jobs").await).await;
    browser
        .until("the list is true again", async || {
            names(&browser).await == ["brand-new", "busy"]
        })
        .await;
    browser.no_errors().await;

    // The upstream goes away: what is shown stays, and says how old it is.
    upstream.set_mood(Mood::Says(Said::status(500)));
    browser.click("Refresh").await;
    browser.shows("This may be out of date.").await;
    assert_eq!(names(&browser).await, ["brand-new", "busy"]);
    browser.photograph_all("jobs-outdated").await;
    browser.reload().await;
    browser.shows("The upstream has trouble").await;
    browser.photograph_all("jobs-error").await;
    upstream.set_mood(Mood::Fair);
    browser.click("Retry").await;
    browser
        .until("it is back", async || {
            names(&browser).await == ["brand-new", "busy"]
        })
        .await;
    browser.errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn a_job_is_deleted_once_from_its_own_page_however_slow_the_answer_is() {
    let (upstream, _server, browser) = list_of(&[("unwanted", "Completed")]).await;
    browser.click("unwanted").await;
    browser.job_page().await;
    // The request waits until it is let go.
    browser
        .script(
            "const send = window.fetch;
            window.held = [];
            window.fetch = request => request.method === 'DELETE'
                ? new Promise(done => window.held.push(() => done(send(request))))
                : send(request);",
        )
        .await;
    browser.click("Delete").await;
    browser.control("dialog", "Delete unwanted?").await;
    browser.click("Delete").await;
    browser
        .until("it is asked once", async || {
            browser.script("return window.held.length").await == 1
        })
        .await;
    browser.gone("dialog", "Delete unwanted?").await;
    assert!(
        !browser.has("button", "Delete").await,
        "nothing asks a second time"
    );
    browser.script("window.held.forEach(send => send())").await;
    browser.at("/jobs").await;
    browser.shows("unwanted was deleted.").await;
    assert_eq!(browser.script("return window.held.length").await, 1);
    assert!(upstream.names().is_empty());
    browser.no_errors().await;
    browser.quit().await;
}
