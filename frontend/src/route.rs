//! The addresses of the app. An address that isn't here shows the not-found page.

use yew_router::Routable;

/// One page.
#[derive(Debug, Clone, PartialEq, Eq, Routable)]
pub enum Route {
    /// Summary, running jobs, recent jobs.
    #[at("/")]
    Dashboard,
    /// All jobs.
    #[at("/jobs")]
    Jobs,
    /// The wizard, where it begins.
    #[at("/jobs/new")]
    NewJob,
    /// The wizard's first step.
    #[at("/jobs/new/setup")]
    Setup,
    /// The wizard's second step.
    #[at("/jobs/new/configure")]
    Configure,
    /// The wizard's last step.
    #[at("/jobs/new/review")]
    Review,
    /// One job.
    #[at("/jobs/:id")]
    Job {
        /// Its id.
        id: String,
    },
    /// All datasets.
    #[at("/datasets")]
    Datasets,
    /// One dataset.
    #[at("/datasets/:id")]
    Dataset {
        /// Its id.
        id: String,
    },
    /// Base models and what training made.
    #[at("/models")]
    Models,
    /// Theme, session, about.
    #[at("/settings")]
    Settings,
    /// Anything else.
    #[not_found]
    #[at("/404")]
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
    Settings,
}

impl Section {
    /// All entries in order.
    pub const ALL: [Self; 5] = [
        Self::Dashboard,
        Self::Jobs,
        Self::Datasets,
        Self::Models,
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
            Self::Settings => Route::Settings,
        }
    }
}

impl Route {
    /// The entry of the navigation that is lit on this page.
    #[must_use]
    pub const fn section(&self) -> Option<Section> {
        match self {
            Self::Dashboard => Some(Section::Dashboard),
            Self::Jobs | Self::NewJob | Self::Setup | Self::Configure | Self::Review | Self::Job { .. } => {
                Some(Section::Jobs)
            }
            Self::Datasets | Self::Dataset { .. } => Some(Section::Datasets),
            Self::Models => Some(Section::Models),
            Self::Settings => Some(Section::Settings),
            Self::NotFound => None,
        }
    }

    /// A step of the wizard.
    #[must_use]
    pub const fn of_step(step: shared::validate::Step) -> Self {
        match step {
            shared::validate::Step::Setup => Self::Setup,
            shared::validate::Step::Configure => Self::Configure,
            shared::validate::Step::Review => Self::Review,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Route;
    use yew_router::Routable as _;

    #[test]
    fn the_wizard_is_not_mistaken_for_a_job() {
        assert_eq!(Route::recognize("/jobs/new/setup"), Some(Route::Setup));
        assert_eq!(Route::recognize("/jobs/new"), Some(Route::NewJob));
        assert_eq!(
            Route::recognize("/jobs/ftjob-1"),
            Some(Route::Job {
                id: "ftjob-1".to_owned()
            })
        );
        assert_eq!(Route::recognize("/playground"), Some(Route::NotFound));
    }

    #[test]
    fn an_opaque_id_stays_one_segment_of_the_address() {
        let route = Route::Job {
            id: "a/b?c".to_owned(),
        };
        let path = route.to_path();
        assert_eq!(path.matches('/').count(), 2, "{path}");
        assert_eq!(Route::recognize(&path), Some(route));
    }
}
