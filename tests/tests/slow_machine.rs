//! On a slow machine a page is drawn in pieces: what arrives between a drawing and its effects must not be lost.
//!
//! Between the two the frontend's framework pauses as soon as 16 ms have passed. Here every pause that may be made is made
//! and lasts a third of a second, and an answer is held back until just then.

use tests::{browser::Browser, server::Server};

/// Holds back answers whose address has `part` in it until the page has something that fits `selector`.
fn held(part: &str, selector: &str) -> String {
    format!(
        "const now = Date.now, wait = window.setTimeout, ask = window.fetch;
        let ahead = 0;
        Date.now = () => now() + (ahead += 20);
        window.setTimeout = (then, after, ...rest) => wait(then, after || 300, ...rest);
        const drawn = new Promise((done) => {{
            const look = () => document.querySelector('{selector}') && done();
            new MutationObserver(look).observe(document, {{subtree: true, childList: true}});
        }});
        window.fetch = async (...what) => {{
            const answer = await ask(...what);
            const address = what[0].url ?? String(what[0]);
            if (address.includes('{part}')) {{
                await drawn;
                window.held = (window.held ?? 0) + 1;
            }}
            return answer;
        }};"
    )
}

#[tokio::test]
async fn an_answer_that_comes_between_a_drawing_and_its_effects_is_shown() {
    let server = Server::new().await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser
        .before_each_page(&held("/api/", "input[name=theme]"))
        .await;
    browser.goto(&format!("{}/settings", server.address)).await;
    browser.shows("Alerts of new jobs").await;
    let session = browser.section("Session").await;
    browser
        .until("the session is told", async || {
            session
                .text()
                .await
                .is_ok_and(|text| text.contains("Signed in as local"))
        })
        .await;
    assert!(
        browser.script("return window.held").await.as_u64() >= Some(2),
        "answers were held back"
    );
    browser.no_errors().await;
}

#[tokio::test]
async fn code_that_comes_between_a_drawing_and_its_effects_is_drawn() {
    let server = Server::new().await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser
        .before_each_page(&held("/split-library", ".page[aria-busy]"))
        .await;
    browser.goto(&format!("{}/settings", server.address)).await;
    browser.shows("Signed in as local").await;
    assert!(
        browser.script("return window.held").await.as_u64() >= Some(1),
        "the code was held back"
    );
    browser.no_errors().await;
}
