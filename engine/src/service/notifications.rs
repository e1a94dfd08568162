//! Notifications: what somebody is told about their jobs. They are made where the thing happens that they tell of.

use super::{Service, jobs::page_limit};
use crate::{
    error::Error,
    store::notifications::{self, NotificationRow},
};
use shared::{
    id::Subject,
    notification::{NotificationList, NotificationQuery},
};

/// Notifications a page unless told, and at most.
const NOTIFICATIONS: u32 = 50;
const MAX_NOTIFICATIONS: u32 = 200;

impl Service {
    /// One page of the subject's notifications, newest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `limit` or `cursor`.
    pub async fn list_notifications(
        &self,
        subject: &Subject,
        query: &NotificationQuery,
    ) -> Result<NotificationList, Error> {
        let limit = page_limit(query.limit, NOTIFICATIONS, MAX_NOTIFICATIONS)?;
        let before = match query.cursor.as_deref() {
            None => i64::MAX,
            Some(cursor) => cursor
                .parse()
                .map_err(|_| Error::field("cursor", "invalid_cursor"))?,
        };
        let read = self.inner.store.read();
        let unread_only = query.unread == Some(true);
        let mut rows =
            notifications::list_before(read, subject, before, unread_only, i64::from(limit) + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        Ok(NotificationList {
            notifications: rows.iter().map(NotificationRow::to_notification).collect(),
            unread: notifications::count_unread(read, subject).await?,
            next_cursor: rows.last().filter(|_| more).map(|row| row.seq.to_string()),
        })
    }

    /// Marks a notification as read; one that was read stays so.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn read_notification(&self, subject: &Subject, id: &str) -> Result<(), Error> {
        let not_found = || Error::NotFound("notification");
        let seq = id.parse().map_err(|_| not_found())?;
        let now = self.now();
        let mut transaction = self.inner.store.begin().await?;
        if !notifications::mark_read(&mut transaction, subject, seq, now).await? {
            return Err(not_found());
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Marks all of the subject's notifications as read.
    ///
    /// # Errors
    /// Storage only.
    pub async fn read_all_notifications(&self, subject: &Subject) -> Result<(), Error> {
        let now = self.now();
        let mut transaction = self.inner.store.begin().await?;
        notifications::mark_all_read(&mut transaction, subject, now).await?;
        transaction.commit().await?;
        Ok(())
    }
}
