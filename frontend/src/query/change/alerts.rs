//! Alerts and notifications: rules kept, notifications read.

use crate::{
    api::{self, ApiError},
    query::{Resource, Store},
};
use shared::{alert::AlertRules, id::JobId, notification::NotificationList};

impl Store {
    /// Keeps a job's rules; those that new jobs begin with where none is named.
    ///
    /// # Errors
    /// As [`api::alerts::put`].
    pub async fn keep_alerts(&self, job: Option<&JobId>, rules: AlertRules) -> Result<(), ApiError> {
        self.watch(api::alerts::put(job, &rules).await)?;
        self.put(&api::alerts::rules(job), rules);
        Ok(())
    }

    /// Says that a notification was read, or all of them; it is shown at once.
    ///
    /// # Errors
    /// As [`api::notifications::read`].
    pub async fn read_notification(&self, id: Option<&str>) -> Result<(), ApiError> {
        let undo = self.optimistic::<NotificationList>(Resource::Notifications, |list| {
            for notification in &mut list.notifications {
                if id.is_none_or(|id| notification.id == id) && !notification.read {
                    notification.read = true;
                    list.unread = list.unread.saturating_sub(1);
                }
            }
        });
        let outcome = self.watch(api::notifications::read(id).await);
        match &outcome {
            Ok(()) => self.invalidate(Resource::Notifications),
            Err(_) => self.roll_back(undo),
        }
        outcome
    }
}
