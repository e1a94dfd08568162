//! What the job list shows.

use crate::browser::Browser;

/// The names from top to bottom, as far as they are drawn.
pub async fn names(browser: &Browser) -> Vec<String> {
    let script = "return [...document.querySelectorAll('tr.job-row .row-link')].map(link => link.innerText)";
    let names = browser.script(script).await;
    let names = names.as_array().into_iter().flatten();
    names
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}
