//! The job list as a person uses it: every filter, a thousand rows, the keyboard, and many at once.

use shared::{job::JobList, status::JobStatus};
use tests::{
    api::Api,
    browser::Browser,
    list::names,
    many_jobs,
    server::{Server, Setup},
};
use thirtyfour::Key;

/// A console with so many jobs, signed in and on the list.
async fn console_with(count: usize) -> (Server, Browser) {
    let setup = Setup::new();
    many_jobs::fill(&setup, count).await;
    let server = setup.start().await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.follow("/jobs").await;
    browser.shows(&many_jobs::name(count - 1)).await;
    (server, browser)
}

/// The number of rows that are drawn.
async fn drawn(browser: &Browser) -> u64 {
    let rows = browser
        .script("return document.querySelectorAll('tr.job-row').length")
        .await;
    rows.as_u64().unwrap_or_default()
}

/// Waits until the list says how many jobs there are.
async fn counts(browser: &Browser, words: &str) {
    browser
        .until(&format!("the list counts {words}"), async || {
            browser
                .script("return document.querySelector('.list-count')?.innerText")
                .await
                == words
        })
        .await;
}

#[tokio::test]
async fn every_filter_stands_in_the_address_and_shows_the_same_again() {
    let (server, browser) = console_with(1_000).await;
    counts(&browser, "1,000 jobs").await;
    browser.section("Status").await;

    // Several statuses at once; the counts of the others stay.
    browser.click("Failed 90").await;
    counts(&browser, "90 jobs").await;
    browser.click("Cancelled 60").await;
    counts(&browser, "150 jobs").await;
    browser.at("/jobs?status=failed,cancelled").await;
    browser.choose("Created", "Last 24 hours").await;
    browser.fill("Search jobs", "triage").await;
    browser.choose("Sort", "Name A–Z").await;
    browser
        .until("all of it is in the address", async || {
            let path = browser.path().await;
            ["q=triage", "created=24h", "sort=name", "status=failed,cancelled"]
                .iter()
                .all(|part| path.contains(part))
        })
        .await;
    let api = Api::signed_in(&server).await;
    let expected: JobList = api
        .get("/api/jobs?q=triage&status=failed,cancelled&sort=name&limit=200")
        .await
        .expect(200);
    let expected: Vec<_> = expected.jobs.into_iter().map(|job| job.name).collect();
    browser
        .until("the table follows the address", async || {
            names(&browser).await == expected
        })
        .await;
    browser.photograph_all("jobs-narrowed").await;
    let link = browser.path().await;
    browser.new_tab().await;
    browser.goto(&format!("{}{link}", server.address)).await;
    browser.holds("Search jobs", "triage").await;
    // Another window is another height, so it draws another number of rows.
    browser
        .until("the same jobs in the same order", async || {
            names(&browser).await.iter().take(15).eq(expected.iter().take(15))
        })
        .await;
    browser.close_tab().await;

    // Two dates, and nothing in between them.
    browser.choose("Created", "Between…").await;
    set_date(&browser, "From", "2020-01-01").await;
    set_date(&browser, "To", "2020-01-31").await;
    browser.shows("No job matches").await;
    browser.photograph_all("jobs-no-match").await;
    browser.click("Clear search and filter").await;
    browser.at("/jobs?sort=name").await;
    counts(&browser, "1,000 jobs").await;
    browser.no_errors().await;
    browser.quit().await;
}

/// Picks a date as the browser's own picker would.
async fn set_date(browser: &Browser, label: &str, date: &str) {
    let field = browser
        .find_css(&format!("input[type=date][aria-label={label}]"))
        .await;
    let script = format!(
        "arguments[0].value = '{date}'; arguments[0].dispatchEvent(new Event('change', {{bubbles: true}}))"
    );
    browser.script_on(&script, &field).await;
}

#[tokio::test]
async fn a_long_list_draws_only_what_is_near_and_reaches_its_end() {
    let (_server, browser) = console_with(3_000).await;
    counts(&browser, "3,000 jobs").await;
    let rows = browser
        .script("return document.querySelector('.job-table').ariaRowCount")
        .await;
    assert_eq!(rows, "3001");
    assert!(drawn(&browser).await < 80, "{} rows", drawn(&browser).await);
    let height = async || {
        browser
            .script("return document.scrollingElement.scrollHeight")
            .await
            .as_u64()
    };
    let at_first = height().await;
    for (place, name) in [("1e9", many_jobs::name(0)), ("0", many_jobs::name(2_999))] {
        browser.script(&format!("scrollTo(0, {place})")).await;
        browser.shows(&name).await;
        assert!(drawn(&browser).await < 80, "{} rows", drawn(&browser).await);
        assert_eq!(
            height().await,
            at_first,
            "the height is that of all rows from the first moment"
        );
    }
    // Half way: every row knows its place among all.
    browser
        .script("scrollTo(0, document.scrollingElement.scrollHeight / 2)")
        .await;
    browser
        .until("the middle is loaded", async || {
            let script = "const rows = [...document.querySelectorAll('tr.job-row')];
                const middle = rows[rows.length >> 1];
                return middle?.querySelector('.row-link') ? +middle.getAttribute('aria-rowindex') : 0";
            let row = browser.script(script).await.as_u64().unwrap_or_default();
            (1_300..1_700).contains(&row)
        })
        .await;
    let shown = names(&browser).await;
    let number = |name: &String| {
        name.rsplit('-')
            .next()
            .and_then(|number| number.parse::<i64>().ok())
    };
    let numbers: Vec<_> = shown.iter().filter_map(number).collect();
    assert!(
        numbers.len() > 20 && numbers.is_sorted_by(|one, next| *next == one - 1),
        "{numbers:?}"
    );
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn the_keyboard_does_everything() {
    let (_server, browser) = console_with(120).await;
    browser.press(Key::Down).await;
    assert_eq!(browser.focus_name().await, many_jobs::name(119));
    for _ in 0..60 {
        browser.press(Key::Down).await;
    }
    browser
        .until("the focus went down row by row", async || {
            browser.focus_name().await == many_jobs::name(59)
        })
        .await;
    browser.press(Key::Up).await;
    assert_eq!(browser.focus_name().await, many_jobs::name(60));
    // A row that has the focus keeps it, however far the page is scrolled away.
    browser.script("scrollTo(0, 0)").await;
    browser
        .until("the first rows are drawn", async || {
            names(&browser).await.first() == Some(&many_jobs::name(119))
        })
        .await;
    assert_eq!(browser.focus_name().await, many_jobs::name(60));
    browser.press(Key::Enter).await;
    browser.job_page().await;
    browser.shows(&many_jobs::name(60)).await;
    browser.back().await;
    browser.at("/jobs").await;

    browser.type_text("/").await;
    browser
        .until("the search box has the focus", async || {
            browser.focus_name().await == "Search jobs"
        })
        .await;
    browser.type_text("n?-triage").await;
    browser.holds("Search jobs", "n?-triage").await;
    browser.shows("No job matches").await;
    browser.press(Key::Escape).await;
    browser.at("/jobs").await;
    browser.holds("Search jobs", "").await;
    browser.script("document.activeElement.blur()").await;

    browser.type_text("?").await;
    browser.control("dialog", "Keyboard shortcuts").await;
    browser.photograph_all("jobs-help").await;
    // Letters can be switched off, for those who speak to their computer.
    browser
        .field("Use single-key shortcuts")
        .await
        .click()
        .await
        .expect("a switch");
    browser.press(Key::Escape).await;
    browser.gone("dialog", "Keyboard shortcuts").await;
    browser.type_text("?n").await;
    browser.press(Key::Down).await;
    assert!(!browser.has("dialog", "Keyboard shortcuts").await);
    browser.at("/jobs").await;
    browser.click("Keyboard shortcuts").await;
    browser
        .field("Use single-key shortcuts")
        .await
        .click()
        .await
        .expect("a switch");
    browser.click("Close").await;
    browser.gone("dialog", "Keyboard shortcuts").await;
    browser.type_text("n").await;
    browser.at("/jobs/new/setup").await;
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn several_are_deleted_with_one_question_that_names_them() {
    let (server, browser) = console_with(300).await;
    let row = |number: usize| format!("Select {}", many_jobs::name(number));
    browser.field(&row(299)).await.click().await.expect("a checkbox");
    let last = browser.field(&row(288)).await;
    browser.shift_click(&last).await;
    counts(&browser, "12 selected").await;
    browser.photograph_all("jobs-selected").await;
    browser.click("Delete 12 jobs").await;
    let dialog = browser.control("dialog", "Delete 12 jobs?").await;
    let question = dialog.text().await.expect("text");
    assert!(
        question.contains(&many_jobs::name(299)) && question.contains(&many_jobs::name(290)),
        "{question}"
    );
    assert!(
        question.contains("and 2 more") && !question.contains(&many_jobs::name(289)),
        "{question}"
    );
    browser.photograph_all("jobs-delete-several").await;
    browser.click("Cancel").await;
    counts(&browser, "12 selected").await;
    browser.click("Delete 12 jobs").await;
    browser.click("Delete").await;
    browser.shows("12 jobs were deleted.").await;
    counts(&browser, "288 jobs").await;
    assert_eq!(names(&browser).await[0], many_jobs::name(287));
    let api = Api::signed_in(&server).await;
    let left: JobList = api.get("/api/jobs").await.expect(200);
    assert_eq!(
        (left.summary.total, &left.jobs[0].name),
        (288, &many_jobs::name(287))
    );

    // All that are shown, and none again.
    browser
        .field("Select all shown")
        .await
        .click()
        .await
        .expect("a checkbox");
    counts(&browser, "50 selected").await;
    browser.press(Key::Escape).await;
    counts(&browser, "288 jobs").await;

    browser
        .click(&format!("Copy id of {}", many_jobs::name(287)))
        .await;
    browser.shows(&format!("Copied {}", left.jobs[0].id)).await;
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn a_job_that_trains_says_that_it_has_to_be_cancelled_first() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let endless = shared::job::NewJob {
        epochs: 50,
        batch_size: Some(1),
        ..api.new_job("endless", 40, 3).await
    };
    let job = api.create_job(&endless).await;
    assert!(job.status.is_active());
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.follow("/jobs").await;
    browser.click("Delete endless").await;
    browser.control("dialog", "Delete endless?").await;
    browser.shows("endless hasn't ended: cancel it first.").await;
    assert!(!browser.has("button", "Delete").await);
    browser.photograph("jobs-delete-running").await;
    browser.click("Cancel").await;
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn the_ring_and_its_legend_filter_when_clicked() {
    let (server, browser) = console_with(100).await;
    browser.goto(&format!("{}/", server.address)).await;
    browser.photograph_all("dashboard-many").await;
    let legend = browser
        .find_css(".legend-list a[href='/jobs?status=failed']")
        .await;
    legend.click().await.expect("a link");
    browser.at("/jobs?status=failed").await;
    counts(&browser, "9 jobs").await;
    browser.back().await;
    browser.at("/").await;
    let arc = browser
        .find_css(".ring a[href='/jobs?status=cancelled'] circle")
        .await;
    // The middle of an arc's box is the ring's hole: it is clicked where its line is.
    let script = "arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))";
    browser.script_on(script, &arc).await;
    browser.at("/jobs?status=cancelled").await;
    counts(&browser, "6 jobs").await;
    let list: JobList = Api::signed_in(&server)
        .await
        .get("/api/jobs?status=cancelled")
        .await
        .expect(200);
    assert!(list.jobs.iter().all(|job| job.status == JobStatus::Cancelled));
    browser.no_errors().await;
    browser.quit().await;
}
