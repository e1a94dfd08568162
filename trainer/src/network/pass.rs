//! The two passes over all layers.

use super::{
    Batch, Network, Trained, Workspace,
    workspace::{Keep, LayerCache, Shared, fit},
};
use crate::{
    config::ModelConfig,
    model::Group,
    ops::{
        attention::{self, Gradients, Shape},
        feed_forward,
        loss::{self, Totals},
        norm,
    },
    rope::RopeTable,
};

fn shape<'a>(config: &ModelConfig, batch: &'a Batch, tables: &'a [&'a RopeTable]) -> Shape<'a> {
    Shape {
        heads: config.num_attention_heads,
        key_heads: config.num_key_value_heads,
        head_dim: config.head_dim,
        segments: &batch.segments,
        tables,
    }
}

/// One layer from `cache.input` to `cache.gate_up`: all that its backward pass reads.
fn layer(network: Network<'_>, index: usize, shape: Shape<'_>, cache: &mut LayerCache, shared: &mut Shared) {
    let (layout, eps) = (
        &network.model.layout.layers[index],
        network.model.config.rms_norm_eps,
    );
    let Shared {
        normed,
        product,
        qkv,
        inner,
        scratch,
        ..
    } = shared;
    let weight = network.vector(&layout.attention_norm);
    norm::forward(&cache.input, weight, eps, normed, &mut cache.attention_scales);
    network
        .linear(index, Group::Attention)
        .forward(normed, qkv, scratch);
    let norms = network.head_norms(index);
    attention::forward(
        shape,
        norms,
        qkv,
        &mut cache.attention,
        inner,
        &mut cache.attended,
    );
    if norms.is_some() {
        // The buffers change places: the next layer overwrites its own.
        fit(&mut cache.qkv, qkv.len());
        std::mem::swap(&mut cache.qkv, qkv);
    }
    network
        .linear(index, Group::Output)
        .forward(&cache.attended, product, scratch);
    norm::add_forward(
        (&cache.input, product),
        network.vector(&layout.mlp_norm),
        eps,
        &mut cache.middle,
        normed,
        &mut cache.mlp_scales,
    );
    network
        .linear(index, Group::GateUp)
        .forward(normed, &mut cache.gate_up, scratch);
}

/// What the loss is asked for besides itself.
enum Wanted<'a> {
    Nothing,
    /// The gradient of the scaled sum of all losses, in the stream and, where every weight is trained, in this buffer.
    Sum(f32, Option<&'a mut [f32]>),
    /// The gradient of the losses in the stream, each weighed by what this tells of them.
    Weighed(&'a mut dyn FnMut(&[Totals]) -> Vec<f32>),
}

impl Workspace {
    /// Loss and accuracy of a batch, nothing kept.
    pub(crate) fn evaluate(&mut self, network: Network<'_>, batch: &Batch) -> Totals {
        self.forward(network, batch, Keep::Nothing);
        Totals::sum(&self.loss(network, batch, Wanted::Nothing))
    }

    /// As [`Self::evaluate`], of each sequence.
    pub(crate) fn evaluate_texts(&mut self, network: Network<'_>, batch: &Batch) -> Vec<Totals> {
        self.forward(network, batch, Keep::Nothing);
        batch.by_text(&self.loss(network, batch, Wanted::Nothing))
    }

    /// Loss and accuracy of a batch; adds the gradient of `grad_scale` · (sum of the losses) to `grads`.
    pub(crate) fn train(
        &mut self,
        network: Network<'_>,
        batch: &Batch,
        grad_scale: f32,
        trained: Trained,
        grads: &mut [f32],
    ) -> Totals {
        self.forward(network, batch, self.kept_in_training());
        let full = (trained == Trained::Everything).then_some(&mut *grads);
        let totals = Totals::sum(&self.loss(network, batch, Wanted::Sum(grad_scale, full)));
        self.backward(network, batch, trained, grads);
        totals
    }

    /// Adds the gradient of a weighed sum of the sequences' losses to the adapter's `grads`. `weigh` is told the loss of
    /// each sequence and gives its weight. The gradient of a loss is linear in its weight, so the weights may be known
    /// late: nothing is computed twice.
    pub(crate) fn train_weighed(
        &mut self,
        network: Network<'_>,
        batch: &Batch,
        mut weigh: impl FnMut(&[Totals]) -> Vec<f32>,
        grads: &mut [f32],
    ) {
        self.forward(network, batch, self.kept_in_training());
        let mut weigh_targets = |targets: &[Totals]| {
            let weights = weigh(&batch.by_text(targets));
            batch.text_of_targets().map(|text| weights[text]).collect()
        };
        self.loss(network, batch, Wanted::Weighed(&mut weigh_targets));
        self.backward(network, batch, Trained::Adapter, grads);
    }

    const fn kept_in_training(&self) -> Keep {
        if self.gradient_checkpointing {
            Keep::Inputs
        } else {
            Keep::Everything
        }
    }

    /// Runs all layers and gives the residual stream after the last, `[rows, hidden]`.
    pub(crate) fn forward(&mut self, network: Network<'_>, batch: &Batch, keep: Keep) -> &[f32] {
        let config = &network.model.config;
        self.prepare(config, batch, keep);
        network.embed(&batch.tokens, &mut self.stream);
        let Self {
            layers,
            inputs,
            stream,
            shared,
            tables,
            ..
        } = self;
        let tables = tables.of_each(batch);
        let shape = shape(config, batch, &tables);
        for index in 0..config.num_hidden_layers {
            let cache = &mut layers[if keep == Keep::Everything { index } else { 0 }];
            std::mem::swap(stream, &mut cache.input);
            layer(network, index, shape, cache, shared);
            feed_forward::forward(&cache.gate_up, config.intermediate_size, &mut shared.active);
            network.linear(index, Group::Down).forward(
                &shared.active,
                &mut shared.product,
                &mut shared.scratch,
            );
            norm::add(&cache.middle, &shared.product, stream);
            if keep == Keep::Inputs {
                std::mem::swap(&mut cache.input, &mut inputs[index]);
            }
        }
        stream
    }

    /// The final norm and the loss of each target row; where a gradient is wanted, `grad` becomes that of the stream.
    fn loss(&mut self, network: Network<'_>, batch: &Batch, wanted: Wanted<'_>) -> Vec<Totals> {
        let model = network.model;
        let (layout, width) = (&model.layout, model.config.hidden_size);
        let weight = network.vector(&layout.final_norm);
        let count = batch.targets.len();
        let Self {
            stream,
            grad,
            selected,
            selected_normed,
            selected_scales,
            scores,
            shared,
            ..
        } = self;
        fit(selected, count * width);
        fit(selected_normed, count * width);
        fit(selected_scales, count);
        for (row, target) in selected.chunks_exact_mut(width).zip(&batch.targets) {
            row.copy_from_slice(&stream[target.row as usize * width..][..width]);
        }
        norm::forward(
            selected,
            weight,
            model.config.rms_norm_eps,
            selected_normed,
            selected_scales,
        );
        let (grad_scale, mut full, weigh) = match wanted {
            Wanted::Nothing => (None, None, None),
            Wanted::Sum(scale, full) => (Some(scale), full, None),
            Wanted::Weighed(weigh) => (Some(1.0), None, Some(weigh)),
        };
        let head = network.matrix(&layout.head);
        let grad_head = full.as_deref_mut().map(|grads| &mut grads[layout.head.clone()]);
        let totals = loss::cross_entropy(
            selected_normed,
            &batch.targets,
            head,
            width,
            (scores, &mut shared.scratch.weight),
            grad_scale,
            grad_head,
        );
        if let Some(weigh) = weigh {
            for (flow, weight) in selected_normed.chunks_exact_mut(width).zip(weigh(&totals)) {
                flow.iter_mut().for_each(|flow| *flow *= weight);
            }
        }
        if grad_scale.is_some() {
            if let Some(grads) = full {
                let grads = &mut grads[layout.final_norm.clone()];
                norm::backward_weight(selected_normed, selected, selected_scales, grads);
            }
            fit(grad, stream.len());
            grad.fill(0.0);
            let rows = selected_normed
                .chunks_exact(width)
                .zip(selected.chunks_exact(width));
            for ((target, scale), (flow, input)) in batch.targets.iter().zip(&*selected_scales).zip(rows) {
                let out = &mut grad[target.row as usize * width..][..width];
                norm::backward_row(flow, input, weight, *scale, out, false);
            }
        }
        totals
    }

    /// From the gradient of the stream after the last layer to all wanted gradients. Uses the caches up.
    fn backward(&mut self, network: Network<'_>, batch: &Batch, trained: Trained, grads: &mut [f32]) {
        let model = network.model;
        let (config, full) = (&model.config, trained == Trained::Everything);
        let Self {
            layers,
            inputs,
            grad,
            shared,
            tables,
            ..
        } = self;
        let tables = tables.of_each(batch);
        let shape = shape(config, batch, &tables);
        for (index, layout) in model.layout.layers.iter().enumerate().rev() {
            let cache = if let Some(input) = inputs.get_mut(index) {
                let cache = &mut layers[0];
                std::mem::swap(&mut cache.input, input);
                layer(network, index, shape, cache, shared);
                cache
            } else {
                &mut layers[index]
            };
            let Shared {
                normed,
                product,
                qkv,
                active,
                inner,
                scratch,
            } = &mut *shared;
            let weight_gradients =
                |group: Group, input: &[f32], grad: &[f32], scratch: &mut _, grads: &mut [f32]| {
                    let linear = network.linear(index, group);
                    if full {
                        linear.backward_weight(input, grad, grads);
                    } else {
                        linear.backward_adapter(input, grad, scratch, grads);
                    }
                };
            // Feed-forward.
            let weight = network.vector(&layout.mlp_norm);
            network
                .linear(index, Group::Down)
                .backward_input(grad, active, scratch);
            feed_forward::backward(&mut cache.gate_up, config.intermediate_size, active);
            weight_gradients(Group::Down, active, grad, scratch, grads);
            norm::recompute(&cache.middle, weight, &cache.mlp_scales, normed);
            weight_gradients(Group::GateUp, normed, &cache.gate_up, scratch, grads);
            network
                .linear(index, Group::GateUp)
                .backward_input(&cache.gate_up, product, scratch);
            norm::backward(product, &cache.middle, weight, &cache.mlp_scales, grad);
            if full {
                let grads = &mut grads[layout.mlp_norm.clone()];
                norm::backward_weight(product, &cache.middle, &cache.mlp_scales, grads);
            }
            // Attention.
            fit(inner, cache.attended.len());
            network
                .linear(index, Group::Output)
                .backward_input(grad, inner, scratch);
            weight_gradients(Group::Output, &cache.attended, grad, scratch, grads);
            let norm_weights = if full && !layout.head_norms.is_empty() {
                Some(&mut grads[layout.head_norms.clone()])
            } else {
                None
            };
            let gradients = Gradients {
                attended: &cache.attended,
                grad_attended: inner,
                qkv: &cache.qkv,
                norm_weights,
            };
            attention::backward(
                shape,
                network.head_norms(index),
                gradients,
                &mut cache.attention,
                qkv,
            );
            let weight = network.vector(&layout.attention_norm);
            norm::recompute(&cache.input, weight, &cache.attention_scales, normed);
            weight_gradients(Group::Attention, normed, qkv, scratch, grads);
            if index > 0 || full {
                network
                    .linear(index, Group::Attention)
                    .backward_input(qkv, product, scratch);
                norm::backward(product, &cache.input, weight, &cache.attention_scales, grad);
            }
            if full {
                let grads = &mut grads[layout.attention_norm.clone()];
                norm::backward_weight(product, &cache.input, &cache.attention_scales, grads);
            }
            if let Some(input) = inputs.get_mut(index) {
                std::mem::swap(&mut cache.input, input);
            }
        }
        if full {
            let width = config.hidden_size;
            let grads = &mut grads[model.layout.embedding.clone()];
            for (row, token) in grad.chunks_exact(width).zip(&batch.tokens) {
                for (total, value) in grads[*token as usize * width..][..width].iter_mut().zip(row) {
                    *total += value;
                }
            }
        }
    }
}
