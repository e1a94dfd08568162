//! An account of such an API, read through from its first job to its last: what `attune import` takes over. Page by page, so
//! that whoever reads can wait, try a page again, and say how far it is.

use super::{
    Inner, OpenAi, curves, is_unknown_call, job_path,
    read::{self, Page},
    record::{Entry, Told},
};
use crate::{
    config::RemoteConfig,
    upstream::{
        Answer, ClientError,
        remote::{client::Reading, no_such_call, path_of},
    },
};
use shared::{
    dataset::Dataset,
    event::{Checkpoint, JobEvent, MeasuredStep},
    id::JobId,
    job::Job,
    timestamp::Timestamp,
};
use std::{collections::BTreeMap, sync::Arc};

/// Entries a page where everybody gives as many.
const PAGE: &str = "100";

/// A job with what the console has no use for.
#[derive(Debug, Clone)]
pub(crate) struct AccountJob {
    pub(crate) job: Job,
    pub(crate) suffix: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) result_files: Vec<String>,
}

/// An entry of the list of jobs, which may be nonsense.
#[derive(Debug)]
pub(crate) struct ListedJob {
    /// Names it there, where that much can be read.
    pub(crate) id: Option<String>,
    pub(crate) created_at: Option<Timestamp>,
    /// The job, or why it can't be read.
    pub(crate) job: Answer<AccountJob>,
}

/// A page of a list, with the name to ask after for the next one.
#[derive(Debug)]
pub(crate) struct AccountPage<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
    /// It may not be all that there is, and the rest can't be asked for.
    pub(crate) may_be_cut: bool,
}

/// One entry of a job's record.
#[derive(Debug, Clone)]
pub(crate) struct AccountEntry {
    /// Names it there.
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) told: AccountTold,
}

/// What an entry tells.
#[derive(Debug, Clone)]
pub(crate) enum AccountTold {
    Message(JobEvent),
    Step(MeasuredStep),
}

/// An account behind its key.
pub(crate) struct Account(Arc<Inner>);

impl Account {
    /// Prepares to read it; nothing is sent yet.
    pub(crate) fn new(config: &RemoteConfig) -> Result<Self, ClientError> {
        Ok(Self(OpenAi::new(config)?.0))
    }

    /// A page of its jobs, newest first as far as the API keeps an order.
    pub(crate) async fn jobs(&self, after: Option<&str>) -> Answer<AccountPage<ListedJob>> {
        let query = page_query(after);
        let answer = self.0.client.get_with("fine_tuning/jobs", &query).await;
        let page = read::account_jobs(&answer.map_err(no_such_call)?, self.0.clock.now())?;
        Ok(page_of_jobs(page))
    }

    /// One job.
    pub(crate) async fn job(&self, id: &str) -> Answer<AccountJob> {
        let answer = self.0.client.get(&job_path(&JobId::new(id), "")?).await?;
        read::account_job(&answer, self.0.clock.now())
    }

    /// A page of a job's record, newest first.
    pub(crate) async fn events(&self, id: &str, after: Option<&str>) -> Answer<AccountPage<AccountEntry>> {
        let path = job_path(&JobId::new(id), "/events")?;
        let answer = self.0.events_page(&path, after).await?;
        let mut may_be_cut = false;
        let page = if answer.is_stream {
            // It tells the newest, the oldest of them first, and can't be asked for older ones.
            let mut items = read::event_stream(&answer.body)?;
            may_be_cut = answer.is_full_of(items.len());
            items.reverse();
            Page {
                items,
                has_more: false,
            }
        } else {
            read::events(&answer.body)?
        };
        let page = page_of(page, |entry| entry.id.as_str());
        Ok(AccountPage {
            items: page.items.into_iter().map(AccountEntry::from).collect(),
            next: page.next,
            may_be_cut,
        })
    }

    /// A page of a job's checkpoints; of an API that has none an empty one.
    pub(crate) async fn checkpoints(&self, id: &str, after: Option<&str>) -> Answer<AccountPage<Checkpoint>> {
        let path = job_path(&JobId::new(id), "/checkpoints")?;
        match self.0.client.get_with(&path, &page_query(after)).await {
            Ok(answer) => Ok(page_of(read::checkpoints(&answer)?, |one| one.id.as_str())),
            Err(error) if is_unknown_call(&error) => Ok(AccountPage {
                items: Vec::new(),
                next: None,
                may_be_cut: false,
            }),
            Err(error) => Err(error),
        }
    }

    /// What a file is.
    pub(crate) async fn file(&self, id: &str) -> Answer<Dataset> {
        let path = path_of("files", super::files::DATASET, id, "")?;
        let answer = self.0.client.get(&path).await.map_err(super::files::of_file)?;
        read::file(&answer, false)
    }

    /// A file's bytes, piece by piece, for as long as `take` wants more.
    pub(crate) async fn content(&self, id: &str, take: impl FnMut(&[u8]) -> Reading + Send) -> Answer<()> {
        let path = path_of("files", super::files::DATASET, id, "/content")?;
        self.0
            .client
            .get_file(&path, take)
            .await
            .map_err(super::files::of_file)
    }

    /// A job's result file as a table, in whatever form it is served.
    pub(crate) async fn results(&self, id: &str) -> Answer<Vec<u8>> {
        self.0.result_content(id).await
    }
}

/// The steps that a result file tells; nothing of what isn't one.
pub(crate) fn steps_of_results(table: &[u8]) -> Vec<MeasuredStep> {
    curves::steps_of(table)
}

fn page_query(after: Option<&str>) -> Vec<(&'static str, &str)> {
    let mut query = vec![("limit", PAGE)];
    query.extend(after.map(|after| ("after", after)));
    query
}

fn page_of<T>(page: Page<T>, id: impl Fn(&T) -> &str) -> AccountPage<T> {
    let next = page
        .items
        .last()
        .filter(|_| page.has_more)
        .map(|last| id(last).to_owned());
    AccountPage {
        items: page.items,
        next,
        may_be_cut: false,
    }
}

/// What follows is asked for after the last job that has a name. Those behind it come again with that.
fn page_of_jobs(page: Page<ListedJob>) -> AccountPage<ListedJob> {
    let mut items = page.items;
    let last = items.iter().rposition(|job| job.id.is_some());
    let mut next = None;
    if page.has_more
        && let Some(last) = last
    {
        items.truncate(last + 1);
        next = items.last().and_then(|job| job.id.clone());
    }
    AccountPage {
        may_be_cut: page.has_more && next.is_none(),
        items,
        next,
    }
}

impl From<Entry> for AccountEntry {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            at: entry.created_at,
            told: match entry.told {
                Told::Message(event) => AccountTold::Message(event),
                Told::Step(step) => AccountTold::Step(step),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::UpstreamError;

    #[test]
    fn what_follows_is_asked_for_after_the_last_job_that_has_a_name() {
        let page = |ids: &[Option<&str>], has_more| {
            let listed = |id: &Option<&str>| ListedJob {
                id: id.map(str::to_owned),
                created_at: None,
                job: Err(UpstreamError::InvalidResponse(String::new())),
            };
            let items = ids.iter().map(listed).collect();
            let page = page_of_jobs(Page { items, has_more });
            (page.items.len(), page.next, page.may_be_cut)
        };
        let name = |id: &str| Some(id.to_owned());
        assert_eq!(page(&[None, Some("a"), Some("b")], true), (3, name("b"), false));
        assert_eq!(page(&[Some("a"), None, None], true), (1, name("a"), false));
        assert_eq!(page(&[Some("a"), None, None], false), (3, None, false));
        assert_eq!(page(&[None, None], true), (2, None, true));
        assert_eq!(page(&[], true), (0, None, true));
    }
}
