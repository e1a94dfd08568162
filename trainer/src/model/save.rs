//! Writing a Hugging Face folder.

use super::Model;
use crate::{
    Error, storage,
    tensor_file::{self, Precision, Tensor},
};
use std::{borrow::Cow, path::Path};

pub(super) fn save(model: &Model, folder: &Path, precision: Precision) -> Result<(), Error> {
    let config = model.config.to_json(precision.as_str());
    storage::write_file(&folder.join("config.json"), |out| {
        out.write_all(config.as_bytes())
    })?;
    let tensors = model
        .layout
        .tensors(&model.config)
        .into_iter()
        .map(|tensor| Tensor {
            values: Cow::Borrowed(&model.weights[tensor.range.clone()]),
            name: tensor.name,
            shape: tensor.shape,
        })
        .collect();
    storage::write_file(&folder.join("model.safetensors"), |mut out| {
        tensor_file::write(&mut out, tensors, precision)
    })?;
    storage::sync_folder(folder)
}
