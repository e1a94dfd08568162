//! A decoder: its weights, and the layout that says what lies where. Matrices come first, then norms and biases.
//!
//! Projections that read the same input lie one below the other (q, k, v; gate, up), so that one product serves them.

mod load;
mod save;
mod weights;

pub(crate) use weights::{Numbers, Weights};

use crate::{
    Error,
    config::ModelConfig,
    random::{Purpose, Stream},
};
use shared::{memory::ModelShape, run::Projection};
use std::{ops::Range, path::Path};

/// The four products of a decoder layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// q, k and v.
    Attention = 0,
    /// o.
    Output = 1,
    /// gate and up.
    GateUp = 2,
    /// down.
    Down = 3,
}

impl Group {
    pub(crate) const ALL: [Self; 4] = [Self::Attention, Self::Output, Self::GateUp, Self::Down];

    /// Its projections, in the order in which their rows lie.
    pub(crate) const fn projections(self) -> &'static [Projection] {
        match self {
            Self::Attention => &[Projection::QProj, Projection::KProj, Projection::VProj],
            Self::Output => &[Projection::OProj],
            Self::GateUp => &[Projection::GateProj, Projection::UpProj],
            Self::Down => &[Projection::DownProj],
        }
    }

    /// Its matrix, at the cursor; without a bias.
    fn layout(self, inputs: usize, sizes: &[usize], cursor: &mut Cursor) -> GroupLayout {
        let outputs = sizes.iter().sum();
        let mut row = 0;
        let parts = self
            .projections()
            .iter()
            .zip(sizes)
            .map(|(projection, size)| {
                row += size;
                (*projection, row - size..row)
            })
            .collect();
        GroupLayout {
            weight: cursor.take(outputs * inputs),
            bias: 0..0,
            inputs,
            outputs,
            parts,
        }
    }
}

/// Where one product's weights lie.
#[derive(Debug, Clone)]
pub(crate) struct GroupLayout {
    /// `[outputs, inputs]`.
    pub(crate) weight: Range<usize>,
    /// `[outputs]`, or empty.
    pub(crate) bias: Range<usize>,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// Each projection's rows.
    pub(crate) parts: Vec<(Projection, Range<usize>)>,
}

/// Where one layer's weights lie.
#[derive(Debug, Clone)]
pub(crate) struct LayerLayout {
    pub(crate) attention_norm: Range<usize>,
    pub(crate) mlp_norm: Range<usize>,
    /// Queries' and keys' norms one after the other, or empty.
    pub(crate) head_norms: Range<usize>,
    pub(crate) groups: [GroupLayout; 4],
}

/// Where everything lies.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) embedding: Range<usize>,
    pub(crate) layers: Vec<LayerLayout>,
    pub(crate) final_norm: Range<usize>,
    /// The same as `embedding` where the two are tied.
    pub(crate) head: Range<usize>,
    /// Numbers in all matrices.
    pub(crate) matrices: usize,
    pub(crate) total: usize,
}

/// One tensor of a Hugging Face folder and where its numbers lie.
#[derive(Debug, Clone)]
pub(crate) struct NamedTensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) range: Range<usize>,
}

struct Cursor(usize);

impl Cursor {
    fn take(&mut self, count: usize) -> Range<usize> {
        let start = self.0;
        self.0 += count;
        start..self.0
    }
}

impl Layout {
    pub(crate) fn new(config: &ModelConfig) -> Self {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let (query, key) = (config.query_size(), config.key_size());
        let groups = [
            (Group::Attention, hidden, vec![query, key, key], config.qkv_bias),
            (Group::Output, query, vec![hidden], config.output_bias),
            (Group::GateUp, hidden, vec![inner, inner], config.mlp_bias),
            (Group::Down, inner, vec![hidden], config.mlp_bias),
        ];
        let mut cursor = Cursor(0);
        let embedding = cursor.take(config.vocab_size * hidden);
        let mut layers: Vec<LayerLayout> = (0..config.num_hidden_layers)
            .map(|_| LayerLayout {
                groups: groups
                    .each_ref()
                    .map(|(group, inputs, sizes, _)| group.layout(*inputs, sizes, &mut cursor)),
                attention_norm: 0..0,
                mlp_norm: 0..0,
                head_norms: 0..0,
            })
            .collect();
        let head = if config.tie_word_embeddings {
            embedding.clone()
        } else {
            cursor.take(config.vocab_size * hidden)
        };
        let matrices = cursor.0;
        for layer in &mut layers {
            layer.attention_norm = cursor.take(hidden);
            layer.mlp_norm = cursor.take(hidden);
            if config.has_head_norms() {
                layer.head_norms = cursor.take(2 * config.head_dim);
            }
            for (layout, (_, _, _, bias)) in layer.groups.iter_mut().zip(&groups) {
                if *bias {
                    layout.bias = cursor.take(layout.outputs);
                }
            }
        }
        let final_norm = cursor.take(hidden);
        Self {
            embedding,
            layers,
            final_norm,
            head,
            matrices,
            total: cursor.0,
        }
    }

    /// All tensors under the names that Hugging Face folders use.
    pub(crate) fn tensors(&self, config: &ModelConfig) -> Vec<NamedTensor> {
        let hidden = config.hidden_size;
        let mut list = Vec::new();
        let mut push = |name: String, shape: &[usize], range: Range<usize>| {
            list.push(NamedTensor {
                name,
                shape: shape.to_vec(),
                range,
            });
        };
        push(
            "model.embed_tokens.weight".to_owned(),
            &[config.vocab_size, hidden],
            self.embedding.clone(),
        );
        for (index, layer) in self.layers.iter().enumerate() {
            let prefix = format!("model.layers.{index}");
            push(
                format!("{prefix}.input_layernorm.weight"),
                &[hidden],
                layer.attention_norm.clone(),
            );
            push(
                format!("{prefix}.post_attention_layernorm.weight"),
                &[hidden],
                layer.mlp_norm.clone(),
            );
            if !layer.head_norms.is_empty() {
                let (start, size) = (layer.head_norms.start, config.head_dim);
                push(
                    format!("{prefix}.self_attn.q_norm.weight"),
                    &[size],
                    start..start + size,
                );
                push(
                    format!("{prefix}.self_attn.k_norm.weight"),
                    &[size],
                    start + size..start + 2 * size,
                );
            }
            for group in &layer.groups {
                for (projection, rows) in &group.parts {
                    let name = format!("{prefix}.{}", module_path(*projection));
                    let start = group.weight.start;
                    let range = start + rows.start * group.inputs..start + rows.end * group.inputs;
                    push(format!("{name}.weight"), &[rows.len(), group.inputs], range);
                    if !group.bias.is_empty() {
                        let start = group.bias.start;
                        push(
                            format!("{name}.bias"),
                            &[rows.len()],
                            start + rows.start..start + rows.end,
                        );
                    }
                }
            }
        }
        push("model.norm.weight".to_owned(), &[hidden], self.final_norm.clone());
        if self.head != self.embedding {
            push(
                "lm_head.weight".to_owned(),
                &[config.vocab_size, hidden],
                self.head.clone(),
            );
        }
        list
    }
}

/// A projection's module inside its layer.
pub(crate) fn module_path(projection: Projection) -> String {
    let part = match projection {
        Projection::QProj | Projection::KProj | Projection::VProj | Projection::OProj => "self_attn",
        Projection::GateProj | Projection::UpProj | Projection::DownProj => "mlp",
    };
    format!("{part}.{}", projection.as_str())
}

/// A decoder with its weights, in memory as they were stored.
#[derive(Debug, Clone)]
pub struct Model {
    pub(crate) config: ModelConfig,
    pub(crate) layout: Layout,
    pub(crate) weights: Weights,
}

impl Model {
    /// A model with random weights: matrices normal with deviation 0.02 (the last product of each residual branch
    /// divided by √(2 · layers), Radford et al. 2019), norms 1, biases 0. A pure function of configuration and seed.
    ///
    /// # Errors
    /// [`Error::InvalidModel`] where the configuration contradicts itself.
    pub fn random(config: ModelConfig, seed: u64) -> Result<Self, Error> {
        config.check()?;
        let layout = Layout::new(&config);
        let mut weights = Weights::full(layout.total);
        let residual = 1.0 / (2.0 * config.num_hidden_layers as f64).sqrt();
        for (index, tensor) in layout.tensors(&config).into_iter().enumerate() {
            let stream = Stream::new(seed, Purpose::Initialisation, &[index as u64]);
            let into_residual = tensor.name.contains("o_proj") || tensor.name.contains("down_proj");
            let deviation = if into_residual { 0.02 * residual } else { 0.02 };
            let slice = &mut weights.full[tensor.range.clone()];
            match tensor.shape.len() {
                2 => {
                    for (place, weight) in slice.iter_mut().enumerate() {
                        *weight = (stream.normal(place as u64) * deviation) as f32;
                    }
                }
                _ if tensor.name.ends_with(".bias") => {}
                _ => slice.fill(1.0),
            }
        }
        Ok(Self {
            config,
            layout,
            weights,
        })
    }

    /// Loads a Hugging Face folder: `config.json` and `model.safetensors`, or the shards that
    /// `model.safetensors.index.json` names; f32, f16 or bf16. Matrices stay in 16 bits where all of them are stored so.
    ///
    /// # Errors
    /// [`Error::InvalidModel`], [`Error::UnknownArchitecture`], [`Error::WeightShapeMismatch`], [`Error::Read`].
    pub fn load(folder: &Path) -> Result<Self, Error> {
        load::load(folder)
    }

    /// The same model with all weights in f32.
    #[must_use]
    pub fn into_f32(self) -> Self {
        Self {
            weights: self.weights.into_full(),
            ..self
        }
    }

    /// The model's shape.
    #[must_use]
    pub const fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Number of weights; tied ones count once.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.layout.total
    }
}

/// Looks for every tensor of a folder's model, without loading any.
///
/// # Errors
/// [`Error::InvalidModel`], [`Error::UnknownArchitecture`], [`Error::WeightShapeMismatch`],
/// [`Error::UnsupportedQuantisation`], [`Error::Read`].
pub(crate) fn stored(folder: &Path) -> Result<load::Stored, Error> {
    load::stored(folder)
}

/// Reads only `config.json` of a model's folder.
///
/// # Errors
/// [`Error::InvalidModel`], [`Error::UnknownArchitecture`], [`Error::Read`].
pub fn read_config(folder: &Path) -> Result<ModelConfig, Error> {
    load::read_config(folder)
}

/// What of a model's folder decides about memory, from `config.json` and the headers of its weights.
///
/// # Errors
/// As [`Model::load`].
pub fn read_shape(folder: &Path) -> Result<ModelShape, Error> {
    load::read_shape(folder)
}
