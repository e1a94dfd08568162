//! The list of a hosted Job Training API in a real browser: it can be read, its times are right, and its length costs
//! nothing.

use tests::{
    browser::{Browser, Look, Theme, Width},
    hosted::{hosted, hosted_with, minutes_ago},
};

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
