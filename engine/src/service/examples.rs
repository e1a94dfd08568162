//! "Use the example dataset".

use super::Service;
use crate::{
    error::Error,
    models::bundled::{EXAMPLES, example},
    secret,
    store::{
        files::{self, FINE_TUNE, NewFile},
        is_unique_violation,
    },
};
use shared::{
    dataset::{DatasetList, DatasetStatus},
    id::Subject,
};

impl Service {
    /// Gives the subject the example's training and validation dataset, `ready`, in that order. Asked again, answers
    /// those that are there.
    ///
    /// # Errors
    /// [`Error::NotFound`] in a build without the example.
    pub async fn create_example_datasets(&self, subject: &Subject) -> Result<DatasetList, Error> {
        let mut datasets = Vec::new();
        for (kind, name, filename) in EXAMPLES {
            let found = match files::find_example(self.inner.store.read(), subject, kind).await? {
                Some(row) => row,
                None => {
                    self.add_example(subject, kind, name, filename).await?;
                    files::find_example(self.inner.store.read(), subject, kind)
                        .await?
                        .ok_or(Error::NotFound("example dataset"))?
                }
            };
            datasets.push(found.to_dataset());
        }
        Ok(DatasetList { datasets })
    }

    async fn add_example(
        &self,
        subject: &Subject,
        kind: &str,
        name: &str,
        filename: &str,
    ) -> Result<(), Error> {
        let bytes = example(filename).ok_or(Error::NotFound("example dataset"))?;
        let id = secret::new_id("file-")?;
        let file = NewFile {
            id: &id,
            owner: subject,
            purpose: FINE_TUNE,
            name,
            filename,
            bytes: bytes.len() as u64,
            status: DatasetStatus::Validating,
            created_at: self.distinct_now(),
            expires_at: None,
            example: Some(kind),
            upload: None,
        };
        self.inner.blobs.put(&id, bytes).await?;
        let mut transaction = self.inner.store.begin().await?;
        match files::insert(&mut transaction, &file).await {
            Ok(()) => transaction.commit().await?,
            // Somebody was faster: theirs is as good.
            Err(error) if is_unique_violation(&error) => {
                drop(transaction);
                return self.inner.blobs.delete(&id).await;
            }
            Err(error) => return Err(error.into()),
        }
        let row = self.find_file_row(subject, &id).await?;
        self.check_lines(subject, &row).await
    }
}
