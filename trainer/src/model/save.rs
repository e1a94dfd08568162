//! Writing a Hugging Face folder.

use super::Model;
use crate::{
    Error, storage,
    tensor_file::{self, Precision, Tensor},
};
use std::{borrow::Cow, ops::Range, path::Path};

impl Model {
    /// Writes `config.json` and `model.safetensors` into an existing folder, durably.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn save(&self, folder: &Path, precision: Precision) -> Result<(), Error> {
        self.save_each(folder, precision, |range| {
            let mut values = vec![0.0; range.len()];
            self.weights.numbers(range).read(&mut values);
            values
        })
    }

    /// The same with other numbers, which `tell` gives for the place of each tensor when its turn comes.
    pub(crate) fn save_each(
        &self,
        folder: &Path,
        precision: Precision,
        tell: impl Fn(&Range<usize>) -> Vec<f32>,
    ) -> Result<(), Error> {
        let config = self.config.to_json(precision.as_str());
        storage::write_file(&folder.join("config.json"), |out| {
            out.write_all(config.as_bytes())
        })?;
        let tensors = self
            .layout
            .tensors(&self.config)
            .into_iter()
            .map(|tensor| Tensor {
                values: tensor.range,
                name: tensor.name,
                shape: tensor.shape,
            })
            .collect();
        storage::write_file(&folder.join("model.safetensors"), |mut out| {
            tensor_file::write_each(&mut out, tensors, precision, |range| Cow::Owned(tell(range)))
        })?;
        storage::sync_folder(folder)
    }
}
