//! The code of a page comes with its first visit: what happens where it can't.

use tests::{browser::Browser, server::Server};

#[tokio::test]
async fn a_page_whose_code_cannot_be_fetched_says_so_and_opens_once_it_can() {
    let server = Server::new().await;
    let browser = Browser::start().await;
    browser.block(&["*split-library*"]).await;
    browser.sign_in(&server).await;
    browser.click("Models 1").await;
    browser.shows("This page could not be loaded").await;
    browser.errors().await;

    // Elsewhere the console goes on.
    browser.click("Jobs 0").await;
    browser.shows("No jobs yet").await;
    browser.block(&[]).await;
    browser.click("Models 1").await;
    browser.shows("Base models").await;
    browser.no_errors().await;
}

#[tokio::test]
async fn code_that_waits_in_the_cache_opens_its_page_without_the_server() {
    let server = Server::new().await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    let kept = "return performance.getEntriesByType('resource').filter(e => /(split|chunk)-.*wasm/.test(e.name) && e.responseEnd).length \
                >= 2 && performance.getEntriesByType('resource').some(e => e.name.includes('split-wizard') && e.responseEnd)";
    browser
        .until("the chunks are kept", async || browser.script(kept).await == true)
        .await;
    browser.set_offline(true).await;
    browser.click("Settings").await;
    browser.shows("Theme").await;
    browser.set_offline(false).await;
}
