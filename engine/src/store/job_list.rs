//! Lists of jobs: the console's (search, filters, sorts) and that of /v1 (newest first, by metadata).
//!
//! Pages are found by key, so a cursor stays right while newer jobs arrive; a caller who jumps into the middle of a list
//! may skip jobs instead. Which jobs are on a page, and the counts, are read from an index alone; only the page's own
//! rows are then looked up. The statements are put together from fixed fragments; whatever a caller sends is bound.

use super::jobs::{JobRow, select_job};
use shared::{id::Subject, status::JobStatus, timestamp::Timestamp};
use sqlx::{AssertSqlSafe, SqliteExecutor, sqlite::SqliteArguments};
use std::{collections::BTreeMap, fmt::Write as _};

/// What a list is ordered by; ties are broken by identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SortKey {
    CreatedAt,
    Name,
    Status,
    BaseModel,
}

impl SortKey {
    const fn column(self) -> &'static str {
        match self {
            Self::CreatedAt => "jobs.created_at",
            Self::Name => "jobs.name_key",
            Self::Status => "jobs.status",
            Self::BaseModel => "jobs.base_model",
        }
    }

    /// The value that a row is ordered by, as a cursor keeps it.
    pub(crate) fn value(self, row: &JobRow) -> KeyValue {
        match self {
            Self::CreatedAt => KeyValue::Number(row.created_at),
            Self::Name => KeyValue::Text(row.name.to_lowercase()),
            Self::Status => KeyValue::Text(row.status.clone()),
            Self::BaseModel => KeyValue::Text(row.base_model.clone()),
        }
    }
}

/// The value of a sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyValue {
    Number(i64),
    Text(String),
}

/// Which jobs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// Lower case; looked for in name, id and base model.
    pub(crate) text: Option<String>,
    /// Empty is all.
    pub(crate) statuses: Vec<JobStatus>,
    pub(crate) base_model: Option<String>,
    pub(crate) created_from: Option<Timestamp>,
    pub(crate) created_to: Option<Timestamp>,
    pub(crate) metadata: MetadataFilter,
}

/// Which metadata a job must have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum MetadataFilter {
    /// Any or none.
    #[default]
    Any,
    /// None at all.
    None,
    /// All of these pairs.
    Pairs(BTreeMap<String, String>),
}

/// Which page of them.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) sort: SortKey,
    pub(crate) descending: bool,
    /// Key and identifier of the last job of the page before.
    pub(crate) after: Option<(KeyValue, String)>,
    /// Jobs to skip, behind that one.
    pub(crate) offset: u32,
    pub(crate) limit: u32,
}

/// A statement under construction: text with `$n`, and what is bound to them.
struct Statement {
    sql: String,
    bound: usize,
    arguments: SqliteArguments,
}

impl Statement {
    fn new(sql: &str) -> Self {
        Self {
            sql: sql.to_owned(),
            bound: 0,
            arguments: SqliteArguments::default(),
        }
    }

    fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    fn bind<'v, T>(&mut self, value: T) -> sqlx::Result<()>
    where
        T: sqlx::Encode<'v, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        use sqlx::Arguments as _;
        self.arguments.add(value).map_err(sqlx::Error::Encode)?;
        self.bound += 1;
        // Writing into a string can't fail.
        let _ = write!(self.sql, "${}", self.bound);
        Ok(())
    }

    fn order(&mut self, page: &Page) {
        let column = page.sort.column();
        let direction = if page.descending { "DESC" } else { "ASC" };
        self.push(&format!(" ORDER BY {column} {direction}, jobs.id {direction}"));
    }

    fn filter(&mut self, owner: &Subject, filter: &Filter, with_status: bool) -> sqlx::Result<()> {
        self.push(" WHERE jobs.owner = ");
        self.bind(owner.as_str().to_owned())?;
        if let Some(text) = &filter.text {
            self.push(" AND jobs.search_text LIKE ");
            self.bind(like_pattern(text))?;
            self.push(" ESCAPE '\\'");
        }
        if let Some(base_model) = &filter.base_model {
            self.push(" AND jobs.base_model = ");
            self.bind(base_model.clone())?;
        }
        for (compare, instant) in [(">=", filter.created_from), ("<=", filter.created_to)] {
            if let Some(instant) = instant {
                self.push(&format!(" AND jobs.created_at {compare} "));
                self.bind(instant.unix_ms())?;
            }
        }
        if with_status && !filter.statuses.is_empty() {
            self.push(" AND jobs.status IN (");
            for (place, status) in filter.statuses.iter().enumerate() {
                if place > 0 {
                    self.push(", ");
                }
                self.bind(status.as_str())?;
            }
            self.push(")");
        }
        match &filter.metadata {
            MetadataFilter::Any => {}
            MetadataFilter::None => {
                self.push(" AND NOT EXISTS (SELECT 1 FROM job_metadata WHERE job_metadata.job_id = jobs.id)");
            }
            MetadataFilter::Pairs(pairs) => {
                for (key, value) in pairs {
                    self.push(" AND EXISTS (SELECT 1 FROM job_metadata WHERE job_metadata.job_id = jobs.id AND key = ");
                    self.bind(key.clone())?;
                    self.push(" AND value = ");
                    self.bind(value.clone())?;
                    self.push(")");
                }
            }
        }
        Ok(())
    }
}

/// The pattern that finds a text anywhere, taken literally.
pub(crate) fn like_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// One page of an owner's jobs.
pub(crate) async fn list(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    filter: &Filter,
    page: &Page,
) -> sqlx::Result<Vec<JobRow>> {
    let mut statement = page_statement(
        concat!(select_job!(), " WHERE jobs.id IN (SELECT jobs.id FROM jobs"),
        owner,
        filter,
        page,
    )?;
    statement.push(")");
    statement.order(page);
    sqlx::query_as_with(AssertSqlSafe(statement.sql), statement.arguments)
        .fetch_all(executor)
        .await
}

/// Which jobs are on a page.
fn page_statement(select: &str, owner: &Subject, filter: &Filter, page: &Page) -> sqlx::Result<Statement> {
    let column = page.sort.column();
    let compare = if page.descending { "<" } else { ">" };
    let mut statement = Statement::new(select);
    statement.filter(owner, filter, true)?;
    if let Some((value, id)) = &page.after {
        statement.push(&format!(" AND ({column}, jobs.id) {compare} ("));
        match value {
            KeyValue::Number(number) => statement.bind(*number)?,
            KeyValue::Text(text) => statement.bind(text.clone())?,
        }
        statement.push(", ");
        statement.bind(id.clone())?;
        statement.push(")");
    }
    statement.order(page);
    statement.push(" LIMIT ");
    statement.bind(i64::from(page.limit))?;
    statement.push(" OFFSET ");
    statement.bind(i64::from(page.offset))?;
    Ok(statement)
}

const COUNTS: &str = "SELECT jobs.status, COUNT(*), MAX(jobs.created_at) FROM jobs";

/// An owner's jobs by status, each with how many and when the newest was created; the filter's own statuses are ignored.
pub(crate) async fn summary(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    filter: &Filter,
) -> sqlx::Result<Vec<(String, i64, i64)>> {
    let statement = summary_statement(COUNTS, owner, filter)?;
    sqlx::query_as_with(AssertSqlSafe(statement.sql), statement.arguments)
        .fetch_all(executor)
        .await
}

fn summary_statement(select: &str, owner: &Subject, filter: &Filter) -> sqlx::Result<Statement> {
    let mut statement = Statement::new(select);
    statement.filter(owner, filter, false)?;
    statement.push(" GROUP BY jobs.status");
    Ok(statement)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use sqlx::Row as _;

    #[test]
    fn a_search_takes_wildcards_literally() {
        assert_eq!(like_pattern("50%_\\"), "%50\\%\\_\\\\%");
    }

    async fn plan(store: &Store, statement: Statement) -> String {
        let rows = sqlx::query_with(AssertSqlSafe(statement.sql), statement.arguments)
            .fetch_all(store.read())
            .await
            .unwrap();
        rows.iter()
            .map(|row| row.get::<String, _>("detail"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[tokio::test]
    async fn no_page_and_no_count_reads_or_sorts_more_than_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("attune.db")).await.unwrap();
        let owner = Subject::new("alice");
        let plain = Filter::default();
        let filters = [
            plain.clone(),
            Filter {
                text: Some("x".to_owned()),
                ..plain.clone()
            },
            Filter {
                base_model: Some("tiny".to_owned()),
                ..plain.clone()
            },
            Filter {
                statuses: vec![JobStatus::Failed],
                ..plain.clone()
            },
            Filter {
                statuses: vec![JobStatus::Failed, JobStatus::Running],
                created_from: Some(Timestamp::from_unix_ms(3)),
                created_to: Some(Timestamp::from_unix_ms(9)),
                ..plain
            },
        ];
        let sorts = [
            SortKey::CreatedAt,
            SortKey::Name,
            SortKey::Status,
            SortKey::BaseModel,
        ];
        for (filter, sort) in filters.iter().flat_map(|filter| sorts.map(|sort| (filter, sort))) {
            let value = if sort == SortKey::CreatedAt {
                KeyValue::Number(5)
            } else {
                KeyValue::Text("m".to_owned())
            };
            for after in [None, Some((value, "ftjob-1".to_owned()))] {
                let page = Page {
                    sort,
                    descending: true,
                    after,
                    offset: 0,
                    limit: 51,
                };
                let select = "EXPLAIN QUERY PLAN SELECT jobs.id FROM jobs";
                let plan = plan(&store, page_statement(select, &owner, filter, &page).unwrap()).await;
                assert!(
                    plan.contains("SEARCH jobs USING COVERING INDEX"),
                    "{filter:?} {sort:?}: {plan}"
                );
                // Several statuses at once may be read one after the other and put in order: a short sort.
                assert!(
                    !plan.contains("TEMP B-TREE") || filter.statuses.len() > 1,
                    "{filter:?} {sort:?}: {plan}"
                );
            }
        }
        for filter in filters {
            let select = format!("EXPLAIN QUERY PLAN {COUNTS}");
            let plan = plan(&store, summary_statement(&select, &owner, &filter).unwrap()).await;
            assert!(
                plan.contains("SEARCH jobs USING COVERING INDEX"),
                "{filter:?}: {plan}"
            );
        }
    }
}
