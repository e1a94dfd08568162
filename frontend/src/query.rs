//! The one root store. All data of all pages goes through it: keyed by request, requests for the same thing in
//! flight are one, answers are shared and have an age, a change invalidates by resource, polling runs while the page
//! is visible, what nobody shows is cancelled, an optimistic change rolls back. Pages never fetch by themselves.
//!
//! [`cache`] holds the rules and is pure; [`store`] does the asking; [`hooks`] are what pages use; [`change`] are the
//! things a user can do; [`live`] follows a job's stream into the cache; [`curves`] joins fetched curves and streamed
//! steps.

pub mod cache;
pub mod change;
pub mod curves;
pub mod hooks;
pub mod live;
pub mod store;

pub use hooks::{Loaded, Poll, use_queries, use_query};
pub use store::Store;

use crate::api::{ApiError, json::record::FromTree};
use cache::{Key, Parse, Value};
use std::{marker::PhantomData, rc::Rc};

/// What a change can make out of date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// Who is signed in.
    Session,
    /// What the upstream can do.
    Capabilities,
    /// Lists of jobs and single jobs.
    Jobs,
    /// A job's events, checkpoints and curves.
    JobRecord,
    /// Base models.
    Models,
    /// Datasets with their reports and previews.
    Datasets,
    /// What training made.
    Artifacts,
    /// Models that can answer.
    ChatModels,
    /// Webhooks and what came of telling them.
    Webhooks,
    /// Keys of `/v1`.
    Keys,
    /// What is watched for.
    Alerts,
    /// What somebody should know about their jobs.
    Notifications,
}

/// A request for a `T`: where it is and what kind of thing it is.
pub struct Query<T> {
    key: Key,
    resource: Resource,
    answer: PhantomData<fn() -> T>,
}

impl<T> Query<T> {
    /// A GET of `path`.
    pub fn new(path: impl Into<Rc<str>>, resource: Resource) -> Self {
        Self {
            key: path.into(),
            resource,
            answer: PhantomData,
        }
    }

    /// The path with its parameters.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.key
    }
}

/// A request without its type: what the store needs to send it and to read its answers.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) key: Key,
    pub(crate) resource: Resource,
    pub(crate) parse: Parse,
}

impl PartialEq for Request {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<T: Answer> Query<T> {
    pub(crate) fn request(&self) -> Request {
        Request {
            key: Rc::clone(&self.key),
            resource: self.resource,
            parse: parse::<T>,
        }
    }
}

impl<T> Clone for Query<T> {
    fn clone(&self) -> Self {
        Self {
            key: Rc::clone(&self.key),
            resource: self.resource,
            answer: PhantomData,
        }
    }
}

impl<T> PartialEq for Query<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

/// What an answer must be able to do.
pub trait Answer: FromTree + 'static {}
impl<T: FromTree + 'static> Answer for T {}

fn parse<T: Answer>(text: &str) -> Result<Value, ApiError> {
    crate::api::read::<T>(text).map(|value| Rc::new(value) as Value)
}
