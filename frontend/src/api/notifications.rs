//! `/api/notifications`.

use super::{ApiError, query_string, send};
use crate::query::{Query, Resource};
use gloo_net::http::Method;
use shared::{
    id::encode_segment,
    notification::{NotificationList, NotificationQuery},
};

const PATH: &str = "/api/notifications";

/// How many are unread, without what they say: the frame shows no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// So many.
    pub unread: u64,
}

/// How many are unread.
#[must_use]
pub fn unread() -> Query<Unread> {
    Query::new(format!("{PATH}?limit=1"), Resource::Notifications)
}

/// One page, newest first.
#[must_use]
pub fn list(query: &NotificationQuery) -> Query<NotificationList> {
    let parameters = query_string(&[
        ("limit", query.limit.map(|limit| limit.to_string())),
        ("cursor", query.cursor.clone()),
        ("unread", query.unread.map(|unread| unread.to_string())),
    ]);
    Query::new(format!("{PATH}{parameters}"), Resource::Notifications)
}

/// Says that one was read, or all of them.
///
/// # Errors
/// 404 where it is gone.
pub(crate) async fn read(id: Option<&str>) -> Result<(), ApiError> {
    let rest = id.map_or_else(
        || "read-all".to_owned(),
        |id| format!("{}/read", encode_segment(id)),
    );
    let path = format!("{PATH}/{rest}");
    send(Method::POST, &path, None, &[], None).await.map(drop)
}
