//! LoRA adapters (Hu et al. 2021): y = x Wᵀ + (alpha ÷ rank) · (x Aᵀ) Bᵀ on chosen projections.
//!
//! All numbers lie in one flat buffer. The A matrices of projections that read the same input lie side by side,
//! transposed, as `[inputs, rank · projections]`, so that one product serves them; files hold them PEFT's way.

mod peft;

pub(crate) use peft::TENSORS;

use crate::{
    Error,
    model::{Group, Layout, Model, module_path},
    network::linear::add_update,
    random::{Purpose, Stream},
    tensor_file::{Precision, Tensor},
};
use shared::run::{LoraSpec, Projection};
use std::{borrow::Cow, ops::Range, path::Path};

/// One projection's share of a group.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) projection: Projection,
    /// Its rows among the group's outputs.
    pub(crate) rows: Range<usize>,
    /// Its first column in the group's A.
    pub(crate) column: usize,
    /// `[rows, rank]`.
    pub(crate) b: Range<usize>,
}

/// The adapters of projections that read the same input.
#[derive(Debug, Clone)]
pub(crate) struct AdapterGroup {
    /// `[inputs, width]`.
    pub(crate) a: Range<usize>,
    pub(crate) inputs: usize,
    /// rank · parts.
    pub(crate) width: usize,
    pub(crate) parts: Vec<Part>,
}

/// An adapter for one model.
#[derive(Debug, Clone)]
pub struct Adapter {
    pub(crate) spec: LoraSpec,
    pub(crate) layers: Vec<[Option<AdapterGroup>; 4]>,
    pub(crate) values: Vec<f32>,
}

impl Adapter {
    /// PEFT's start: A uniform within ±1 ÷ √inputs (Kaiming with a = √5), B zero. A pure function of shape and seed.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] where the shape makes no sense.
    pub fn random(model: &Model, spec: &LoraSpec, seed: u64) -> Result<Self, Error> {
        let mut adapter = Self::zero(model, spec)?;
        let Self { layers, values, .. } = &mut adapter;
        for (index, layer) in layers.iter().enumerate() {
            for group in layer.iter().flatten() {
                let bound = 1.0 / (group.inputs as f64).sqrt();
                let a = &mut values[group.a.clone()];
                for part in &group.parts {
                    let path = [index as u64, part.projection as u64];
                    let stream = Stream::new(seed, Purpose::Initialisation, &path);
                    for inner in 0..spec.rank as usize {
                        for input in 0..group.inputs {
                            let place = (inner * group.inputs + input) as u64;
                            a[input * group.width + part.column + inner] =
                                ((2.0 * stream.uniform(place) - 1.0) * bound) as f32;
                        }
                    }
                }
            }
        }
        Ok(adapter)
    }

    fn zero(model: &Model, spec: &LoraSpec) -> Result<Self, Error> {
        check(spec)?;
        let rank = spec.rank as usize;
        let mut total = 0;
        let mut take = |count: usize| {
            total += count;
            total - count..total
        };
        let layers = model
            .layout
            .layers
            .iter()
            .map(|layer| {
                Group::ALL.map(|group| {
                    let layout = &layer.groups[group as usize];
                    let chosen: Vec<_> = layout
                        .parts
                        .iter()
                        .filter(|(projection, _)| spec.targets.contains(projection))
                        .collect();
                    if chosen.is_empty() {
                        return None;
                    }
                    let width = rank * chosen.len();
                    let a = take(layout.inputs * width);
                    let parts = chosen
                        .into_iter()
                        .enumerate()
                        .map(|(index, (projection, rows))| Part {
                            projection: *projection,
                            rows: rows.clone(),
                            column: index * rank,
                            b: take(rows.len() * rank),
                        })
                        .collect();
                    Some(AdapterGroup {
                        a,
                        inputs: layout.inputs,
                        width,
                        parts,
                    })
                })
            })
            .collect();
        Ok(Self {
            spec: spec.clone(),
            layers,
            values: vec![0.0; total],
        })
    }

    /// The shape it was made with.
    #[must_use]
    pub const fn spec(&self) -> &LoraSpec {
        &self.spec
    }

    /// Number of trained values.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.values.len()
    }

    /// alpha ÷ rank.
    pub(crate) fn scale(&self) -> f32 {
        (self.spec.alpha / f64::from(self.spec.rank)) as f32
    }

    /// The model with the adapter added in: W + (alpha ÷ rank) · B A.
    #[must_use]
    pub fn merged(&self, model: &Model) -> Model {
        let mut merged = model.clone().into_f32();
        let Layout { layers, .. } = &merged.layout;
        for (layer, groups) in layers.iter().zip(&self.layers) {
            for (layout, group) in layer.groups.iter().zip(groups) {
                if let Some(group) = group {
                    let weight = &mut merged.weights.full[layout.weight.clone()];
                    add_update(self, group, 0..layout.outputs, weight);
                }
            }
        }
        merged
    }

    /// Writes what [`Adapter::merged`] gives as the files of a model, f32, with one tensor in memory at a time.
    pub(crate) fn save_merged(&self, model: &Model, folder: &Path) -> Result<(), Error> {
        model.save_each(folder, Precision::F32, |range| {
            let mut values = vec![0.0; range.len()];
            model.weights.numbers(range).read(&mut values);
            let groups = model.layout.layers.iter().zip(&self.layers);
            let own = groups
                .flat_map(|(layer, groups)| layer.groups.iter().zip(groups))
                .find(|(layout, _)| layout.weight.contains(&range.start));
            if let Some((layout, Some(group))) = own {
                let first = (range.start - layout.weight.start) / layout.inputs;
                add_update(
                    self,
                    group,
                    first..first + range.len() / layout.inputs,
                    &mut values,
                );
            }
            values
        })
    }

    /// Numbers that lie as [`Adapter::values`] do (the values themselves, or an optimizer's moments), as PEFT's tensors.
    pub(crate) fn tensors(&self, values: &[f32]) -> Vec<Tensor<Cow<'static, [f32]>>> {
        let rank = self.spec.rank as usize;
        let mut list = Vec::new();
        for (name, group, part) in self.parts() {
            let a = &values[group.a.clone()];
            let transposed: Vec<f32> = (0..rank)
                .flat_map(|inner| {
                    (0..group.inputs).map(move |input| input * group.width + part.column + inner)
                })
                .map(|place| a[place])
                .collect();
            list.push(Tensor {
                name: format!("{name}.lora_A.weight"),
                shape: vec![rank, group.inputs],
                values: Cow::Owned(transposed),
            });
            list.push(Tensor {
                name: format!("{name}.lora_B.weight"),
                shape: vec![part.rows.len(), rank],
                values: Cow::Owned(values[part.b.clone()].to_vec()),
            });
        }
        list
    }

    /// Reads such numbers back; `read` fills one tensor by name and shape.
    pub(crate) fn read_tensors(
        &self,
        values: &mut [f32],
        mut read: impl FnMut(&str, &[usize], &mut [f32]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let rank = self.spec.rank as usize;
        for (name, group, part) in self.parts() {
            let mut transposed = vec![0.0; rank * group.inputs];
            read(
                &format!("{name}.lora_A.weight"),
                &[rank, group.inputs],
                &mut transposed,
            )?;
            let a = &mut values[group.a.clone()];
            for (inner, row) in transposed.chunks_exact(group.inputs).enumerate() {
                for (input, value) in row.iter().enumerate() {
                    a[input * group.width + part.column + inner] = *value;
                }
            }
            let shape = [part.rows.len(), rank];
            read(
                &format!("{name}.lora_B.weight"),
                &shape,
                &mut values[part.b.clone()],
            )?;
        }
        Ok(())
    }

    /// Each adapted projection under PEFT's name.
    fn parts(&self) -> impl Iterator<Item = (String, &AdapterGroup, &Part)> {
        self.layers.iter().enumerate().flat_map(|(index, layer)| {
            layer.iter().flatten().flat_map(move |group| {
                group.parts.iter().map(move |part| {
                    let name = format!(
                        "base_model.model.model.layers.{index}.{}",
                        module_path(part.projection)
                    );
                    (name, group, part)
                })
            })
        })
    }
}

fn check(spec: &LoraSpec) -> Result<(), Error> {
    let refuse = |message: &str| Err(Error::InvalidSpec(message.to_owned()));
    if spec.rank == 0 {
        return refuse("`lora.rank` must be at least 1");
    }
    if !spec.alpha.is_finite() || spec.alpha <= 0.0 {
        return refuse("`lora.alpha` must be a number above 0");
    }
    if !(0.0..1.0).contains(&spec.dropout) {
        return refuse("`lora.dropout` must be in [0, 1)");
    }
    if spec.targets.is_empty() {
        return refuse("`lora.targets` must name at least one projection");
    }
    let mut targets = spec.targets.clone();
    targets.sort_unstable();
    targets.dedup();
    if targets.len() != spec.targets.len() {
        return refuse("`lora.targets` names a projection twice");
    }
    Ok(())
}
