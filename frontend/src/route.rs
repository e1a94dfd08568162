//! The addresses of the app, and the way from one to another. An address that isn't here shows the not-found page.
//!
//! yew-router does the routing. Its `Routable` is written out here: what the derive macro makes brings a general
//! recogniser along, and a handful of addresses needs none.

use crate::{browser, place};
use shared::{id::encode_segment, validate::Step};
use std::collections::HashMap;
use yew::prelude::*;
use yew_router::{Routable, hooks::use_location};

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Summary, running jobs, recent jobs.
    Dashboard,
    /// All jobs.
    Jobs,
    /// The wizard's first step, also as `/jobs/new`.
    Setup,
    /// The wizard's second step.
    Configure,
    /// The wizard's last step.
    Review,
    /// One job, by its id.
    Job(String),
    /// Several jobs side by side; which, its parameters tell.
    Compare,
    /// Models side by side, asked the same.
    Playground,
    /// All datasets.
    Datasets,
    /// One dataset, by its id.
    Dataset(String),
    /// Base models and what training made.
    Models,
    /// What somebody should know about their jobs.
    Notifications,
    /// Theme, session, about.
    Settings,
    /// Anything else.
    NotFound,
}

/// The part of the navigation that a route belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the entry of the navigation with that name")]
pub enum Section {
    Dashboard,
    Jobs,
    Datasets,
    Models,
    Playground,
    Settings,
}

impl Section {
    /// All entries in order.
    pub const ALL: [Self; 6] = [
        Self::Dashboard,
        Self::Jobs,
        Self::Datasets,
        Self::Models,
        Self::Playground,
        Self::Settings,
    ];

    /// Where the entry leads.
    #[must_use]
    pub const fn route(self) -> Route {
        match self {
            Self::Dashboard => Route::Dashboard,
            Self::Jobs => Route::Jobs,
            Self::Datasets => Route::Datasets,
            Self::Models => Route::Models,
            Self::Playground => Route::Playground,
            Self::Settings => Route::Settings,
        }
    }
}

impl Route {
    /// The page at a path.
    #[must_use]
    pub fn parse(path: &str) -> Self {
        let path = path.strip_suffix('/').unwrap_or(path);
        match path.strip_prefix('/').unwrap_or(path) {
            "" => Self::Dashboard,
            "jobs" => Self::Jobs,
            "jobs/new" | "jobs/new/setup" => Self::Setup,
            "jobs/new/configure" => Self::Configure,
            "jobs/new/review" => Self::Review,
            "compare" => Self::Compare,
            "playground" => Self::Playground,
            "datasets" => Self::Datasets,
            "models" => Self::Models,
            "notifications" => Self::Notifications,
            "settings" => Self::Settings,
            deeper => match deeper.split_once('/') {
                Some(("jobs", id)) if !id.contains('/') => Self::Job(decode(id)),
                Some(("datasets", id)) if !id.contains('/') => Self::Dataset(decode(id)),
                _ => Self::NotFound,
            },
        }
    }

    /// The page's path.
    #[must_use]
    pub fn path(&self) -> String {
        let fixed = match self {
            Self::Dashboard | Self::NotFound => "/",
            Self::Jobs => "/jobs",
            Self::Setup => "/jobs/new/setup",
            Self::Configure => "/jobs/new/configure",
            Self::Review => "/jobs/new/review",
            Self::Compare => "/compare",
            Self::Playground => "/playground",
            Self::Datasets => "/datasets",
            Self::Models => "/models",
            Self::Notifications => "/notifications",
            Self::Settings => "/settings",
            Self::Job(id) => return format!("/jobs/{}", encode_segment(id)),
            Self::Dataset(id) => return format!("/datasets/{}", encode_segment(id)),
        };
        fixed.to_owned()
    }

    /// The entry of the navigation that is lit on this page.
    #[must_use]
    pub const fn section(&self) -> Option<Section> {
        match self {
            Self::Dashboard => Some(Section::Dashboard),
            Self::Jobs | Self::Setup | Self::Configure | Self::Review | Self::Job(_) | Self::Compare => {
                Some(Section::Jobs)
            }
            Self::Datasets | Self::Dataset(_) => Some(Section::Datasets),
            Self::Models => Some(Section::Models),
            Self::Playground => Some(Section::Playground),
            Self::Settings => Some(Section::Settings),
            Self::Notifications | Self::NotFound => None,
        }
    }

    /// A step of the wizard.
    #[must_use]
    pub const fn of_step(step: Step) -> Self {
        match step {
            Step::Setup => Self::Setup,
            Step::Configure => Self::Configure,
            Step::Review => Self::Review,
        }
    }

    /// Goes to the page, as if its link was followed.
    pub fn go(&self) {
        browser::push_address(&self.path());
    }

    /// Goes to the page in place of the current one, without a trace in the history.
    pub fn replace(&self) {
        browser::replace_address(&self.path());
    }
}

impl Routable for Route {
    fn from_path(path: &str, _: &HashMap<&str, &str>) -> Option<Self> {
        Self::recognize(path)
    }

    fn to_path(&self) -> String {
        self.path()
    }

    fn routes() -> Vec<&'static str> {
        ROUTES.to_vec()
    }

    fn not_found_route() -> Option<Self> {
        Some(Self::NotFound)
    }

    fn recognize(path: &str) -> Option<Self> {
        Some(Self::parse(path))
    }
}

const ROUTES: [&str; 14] = [
    "/",
    "/jobs",
    "/jobs/new",
    "/jobs/new/setup",
    "/jobs/new/configure",
    "/jobs/new/review",
    "/jobs/:id",
    "/compare",
    "/playground",
    "/datasets",
    "/datasets/:id",
    "/models",
    "/notifications",
    "/settings",
];

/// Where jobs are compared.
#[must_use]
pub fn comparison<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let ids: Vec<String> = ids.map(encode_segment).collect();
    format!("{}?jobs={}", Route::Compare.path(), ids.join(","))
}

/// Where models are asked the same.
#[must_use]
pub fn playground<'a>(models: impl Iterator<Item = &'a str>, dataset: Option<&str>) -> String {
    let models: Vec<String> = models.map(encode_segment).collect();
    let dataset = dataset
        .map(|id| format!("&dataset={}", encode_segment(id)))
        .unwrap_or_default();
    format!(
        "{}?models={}{dataset}",
        Route::Playground.path(),
        models.join(",")
    )
}

/// Where a line of a dataset is shown.
#[must_use]
pub fn dataset_line(id: &str, line: u64) -> String {
    format!("{}?line={line}", Route::Dataset(id.to_owned()).path())
}

/// What the address bar says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// The path.
    pub path: String,
    /// The parameters, without the question mark.
    pub query: String,
}

impl Address {
    /// An address as the browser tells it: with where the page is, and the question mark.
    #[must_use]
    pub fn new(path: &str, query: &str) -> Self {
        Self {
            path: place::within(path),
            query: query.strip_prefix('?').unwrap_or(query).to_owned(),
        }
    }

    /// The value of a parameter; empty where it isn't there.
    #[must_use]
    pub fn parameter(&self, name: &str) -> String {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .filter(|(known, _)| *known == name)
            .map(|(_, value)| decode(&value.replace('+', " ")))
            .next()
            .unwrap_or_default()
    }
}

/// The address bar, followed as it changes.
#[hook]
pub fn use_address() -> Address {
    use_location().map_or_else(browser::address, |location| {
        Address::new(location.path(), location.query_str())
    })
}

/// Reads `%XX`. What isn't UTF-8 or no hexadecimal number stays as it is.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let hex = after
            .get(..2)
            .filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| str::from_utf8(digits).ok());
        match hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                rest = &after[2..];
            }
            None => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wizard_is_not_mistaken_for_a_job() {
        assert_eq!(Route::parse("/jobs/new/setup"), Route::Setup);
        assert_eq!(Route::parse("/jobs/new"), Route::Setup);
        assert_eq!(Route::parse("/jobs/ftjob-1"), Route::Job("ftjob-1".to_owned()));
        for unknown in ["/no-such-page", "/jobs/a/b", "/compare/x", "/models/x"] {
            assert_eq!(Route::parse(unknown), Route::NotFound, "{unknown}");
        }
    }

    #[test]
    fn every_page_is_found_again_at_its_path() {
        let opaque = || "a/b?c%20ü".to_owned();
        let pages = [
            Route::Dashboard,
            Route::Jobs,
            Route::Setup,
            Route::Configure,
            Route::Review,
            Route::Job(opaque()),
            Route::Compare,
            Route::Playground,
            Route::Datasets,
            Route::Dataset(opaque()),
            Route::Models,
            Route::Notifications,
            Route::Settings,
        ];
        for page in pages {
            assert_eq!(Route::parse(&page.path()), page, "{}", page.path());
        }
        assert_eq!(
            Route::Job(opaque()).path().matches('/').count(),
            2,
            "an id stays one segment"
        );
    }

    #[test]
    fn a_line_of_a_dataset_is_found_again_at_its_address() {
        let address = dataset_line("a/b", 30);
        let (path, query) = address.split_once('?').expect("parameters");
        assert_eq!(Route::parse(path), Route::Dataset("a/b".to_owned()));
        assert_eq!(Address::new(path, query).parameter("line"), "30");
    }

    #[test]
    fn parameters_are_read_and_what_is_broken_stays_as_it_is() {
        let address = Address {
            path: String::new(),
            query: "q=a%26b+c&sort=-name&x".to_owned(),
        };
        assert_eq!(address.parameter("q"), "a&b c");
        assert_eq!(address.parameter("sort"), "-name");
        assert_eq!(address.parameter("status"), "");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz"), "%zz");
        assert_eq!(decode("%ff"), "%ff");
        assert_eq!(decode("%+5"), "%+5", "a sign is no hexadecimal digit");
    }
}
