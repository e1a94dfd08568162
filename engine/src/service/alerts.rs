//! Alerts: what somebody's jobs are watched for. The watching is the supervisor's (`supervise::watch`).

use super::Service;
use crate::{
    error::{Error, one_finding},
    store::alerts,
};
use shared::{
    alert::{AlertFault, AlertRules},
    id::{JobId, Subject},
};

impl Service {
    /// The rules that the subject's new jobs begin with; none unless they were set.
    ///
    /// # Errors
    /// Storage only.
    pub async fn alert_defaults(&self, subject: &Subject) -> Result<AlertRules, Error> {
        Ok(alerts::defaults(self.inner.store.read(), subject).await?)
    }

    /// Sets them. Jobs that exist keep their own.
    ///
    /// # Errors
    /// [`Error::Invalid`] where they can't be meant.
    pub async fn set_alert_defaults(
        &self,
        subject: &Subject,
        rules: AlertRules,
    ) -> Result<AlertRules, Error> {
        check(&rules)?;
        let mut transaction = self.inner.store.begin().await?;
        alerts::set_defaults(&mut transaction, subject, &rules).await?;
        transaction.commit().await?;
        Ok(rules)
    }

    /// A job's rules.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn job_alerts(&self, subject: &Subject, id: &JobId) -> Result<AlertRules, Error> {
        self.find_job_row(subject, id).await?;
        Ok(alerts::of_job(self.inner.store.read(), id.as_str()).await?)
    }

    /// Sets them; a job at work is watched by them at once. What has come true once isn't told again.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] where they can't be meant.
    pub async fn set_job_alerts(
        &self,
        subject: &Subject,
        id: &JobId,
        rules: AlertRules,
    ) -> Result<AlertRules, Error> {
        check(&rules)?;
        let mut transaction = self.inner.store.begin().await?;
        if !alerts::set_of_job(&mut transaction, subject, id, &rules).await? {
            return Err(Error::NotFound("job"));
        }
        transaction.commit().await?;
        self.inner.running.nudge(id.as_str());
        Ok(rules)
    }
}

/// Refuses rules that can't be meant.
fn check(rules: &AlertRules) -> Result<(), Error> {
    let (condition, code, parameter) = match rules.fault() {
        None => return Ok(()),
        Some(AlertFault::Twice(condition)) => {
            let value = [("value", condition.as_str())];
            return Err(Error::Invalid(one_finding("rules", "duplicate", &value)));
        }
        Some(AlertFault::CanNotPause(condition)) => {
            let value = [("condition", condition.as_str())];
            return Err(Error::Invalid(one_finding(
                "rules",
                "action_not_possible",
                &value,
            )));
        }
        Some(AlertFault::UnknownParameter(condition, name)) => (condition, "unknown_parameter", name),
        Some(AlertFault::OutOfRange(condition, name)) => (condition, "parameter_out_of_range", name),
    };
    let params = [("condition", condition.as_str()), ("parameter", parameter)];
    Err(Error::Invalid(one_finding("rules", code, &params)))
}
