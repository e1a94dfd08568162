use super::*;
use crate::{Precision, ops::loss::Totals, random::Stream, testing::tiny_model};
use shared::run::{LoraSpec, Projection};

fn batch() -> Batch {
    let mut batch = Batch::default();
    batch.push(&[1, 5, 9, 30, 7], [true; 5]);
    batch.push(
        &[4, 8, 8, 2, 40, 41, 3],
        [false, false, false, true, true, false, true],
    );
    batch
}

fn spec(targets: &[Projection]) -> LoraSpec {
    LoraSpec {
        rank: 3,
        alpha: 6.0,
        dropout: 0.0,
        targets: targets.to_vec(),
    }
}

fn noisy_adapter(model: &Model, targets: &[Projection]) -> Adapter {
    let mut adapter = Adapter::random(model, &spec(targets), 1).unwrap();
    let stream = Stream::new(8, Purpose::Caller, &[]);
    for (place, value) in adapter.values.iter_mut().enumerate() {
        *value += stream.normal(place as u64) as f32 * 0.1;
    }
    adapter
}

const DROPOUT: Dropout = Dropout {
    seed: 1,
    step: 4,
    probability: 0.3,
};

/// The loss of [`batch`] and the adapter's gradients.
fn gradients(model: &Model, adapter: &Adapter, dropout: Option<Dropout>) -> (Totals, Vec<f32>) {
    gradients_in(&mut Workspace::default(), model, adapter, dropout)
}

fn gradients_in(
    workspace: &mut Workspace,
    model: &Model,
    adapter: &Adapter,
    dropout: Option<Dropout>,
) -> (Totals, Vec<f32>) {
    let mut grads = vec![0.0; adapter.values.len()];
    let network = Network {
        model,
        adapter: Some(adapter),
        dropout,
    };
    let totals = workspace.train(network, &batch(), 0.5, Trained::Adapter, &mut grads);
    (totals, grads)
}

fn check_adapter(family: &str, targets: &[Projection], dropout: Option<Dropout>) {
    let model = tiny_model(family, 2);
    let mut adapter = noisy_adapter(&model, targets);
    let batch = batch();
    let mut workspace = Workspace::default();
    let mut grads = vec![0.0; adapter.values.len()];
    let network = Network {
        model: &model,
        adapter: Some(&adapter),
        dropout,
    };
    workspace.train(network, &batch, 0.5, Trained::Adapter, &mut grads);
    let mut worst: f64 = 0.0;
    let step = 3e-3;
    let stride = adapter.values.len() / 60;
    for place in (0..adapter.values.len()).step_by(stride.max(1)) {
        let kept = adapter.values[place];
        let mut loss_at = |value: f32| {
            adapter.values[place] = value;
            let network = Network {
                model: &model,
                adapter: Some(&adapter),
                dropout,
            };
            0.5 * workspace.evaluate(network, &batch).loss
        };
        let expected = (loss_at(kept + step) - loss_at(kept - step)) / (2.0 * f64::from(step));
        adapter.values[place] = kept;
        worst = worst.max((f64::from(grads[place]) - expected).abs() / (0.05 + expected.abs()));
    }
    assert!(worst < 2e-2, "{family} {targets:?}: {worst}");
    assert!(grads.iter().any(|grad| grad.abs() > 1e-3));
}

#[test]
fn adapter_gradients_agree_with_finite_differences_in_every_family() {
    for family in ["llama", "qwen2", "qwen3"] {
        check_adapter(family, &Projection::ALL, None);
    }
    check_adapter("llama", &[Projection::VProj], None);
    check_adapter(
        "llama",
        &[Projection::QProj, Projection::UpProj, Projection::DownProj],
        None,
    );
}

#[test]
fn adapter_gradients_through_dropout_agree_with_finite_differences() {
    check_adapter("qwen2", &Projection::ALL, Some(DROPOUT));
}

#[test]
fn all_gradients_agree_with_finite_differences() {
    for family in ["llama", "qwen2", "qwen3"] {
        let mut model = tiny_model(family, 2);
        let batch = batch();
        let mut workspace = Workspace::default();
        let mut grads = vec![0.0; model.parameters()];
        workspace.train(
            Network::frozen(&model),
            &batch,
            1.0,
            Trained::Everything,
            &mut grads,
        );
        for tensor in model.layout.tensors(&model.config) {
            for place in [
                tensor.range.start,
                tensor.range.start + tensor.range.len() / 3,
                tensor.range.end - 1,
            ] {
                let kept = model.weights.full[place];
                let step = 3e-3;
                let mut loss_at = |value: f32| {
                    model.weights.full[place] = value;
                    workspace.evaluate(Network::frozen(&model), &batch).loss
                };
                let expected = (loss_at(kept + step) - loss_at(kept - step)) / (2.0 * f64::from(step));
                model.weights.full[place] = kept;
                let found = f64::from(grads[place]);
                let close = (found - expected).abs() < 2e-2 * (0.1 + expected.abs());
                assert!(close, "{family} {} {place}: {found} {expected}", tensor.name);
            }
        }
    }
}

#[test]
fn packed_sequences_give_what_each_gives_alone() {
    let model = tiny_model("qwen3", 4);
    let adapter = noisy_adapter(&model, &Projection::ALL);
    let network = Network {
        model: &model,
        adapter: Some(&adapter),
        dropout: None,
    };
    let both = batch();
    let mut workspace = Workspace::default();
    let mut together = vec![0.0; adapter.values.len()];
    let totals = workspace.train(network, &both, 1.0, Trained::Adapter, &mut together);
    let mut alone = vec![0.0; adapter.values.len()];
    let mut sum = Totals::default();
    for segment in &both.segments {
        let mut single = Batch::default();
        let range = segment.start..segment.start + segment.len;
        let counts = range
            .clone()
            .map(|row| both.targets.iter().any(|target| target.row as usize + 1 == row));
        single.push(&both.tokens[range], counts);
        sum.add(workspace.train(network, &single, 1.0, Trained::Adapter, &mut alone));
    }
    assert!((totals.loss - sum.loss).abs() < 1e-5 && totals.count == sum.count);
    assert!(together.iter().zip(&alone).all(|(a, b)| (a - b).abs() < 1e-5));
}

#[test]
fn a_merged_model_is_the_model_with_its_adapter() {
    let model = tiny_model("qwen2", 4);
    let adapter = noisy_adapter(&model, &Projection::ALL);
    let mut workspace = Workspace::default();
    let network = Network {
        model: &model,
        adapter: Some(&adapter),
        dropout: None,
    };
    let with = workspace.evaluate(network, &batch());
    let merged = adapter.merged(&model);
    let without = workspace.evaluate(Network::frozen(&merged), &batch());
    assert!((with.loss - without.loss).abs() < 1e-5);
    let bare = workspace.evaluate(Network::frozen(&model), &batch());
    assert!((with.loss - bare.loss).abs() > 1e-3);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let model = tiny_model("qwen3", 4);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let mut grads = vec![0.0; model.parameters()];
        let train = || {
            Workspace::default()
                .train(
                    Network::frozen(&model),
                    &batch(),
                    1.0,
                    Trained::Everything,
                    &mut grads,
                )
                .loss
        };
        let loss = pool.install(train);
        (loss, grads)
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn weights_kept_in_sixteen_bits_train_to_the_bits_that_they_train_to_in_f32() {
    for (family, precision) in [("qwen3", Precision::Bf16), ("qwen2", Precision::F16)] {
        let folder = tempfile::tempdir().unwrap();
        tiny_model(family, 4).save(folder.path(), precision).unwrap();
        let kept = Model::load(folder.path()).unwrap();
        let full = kept.clone().into_f32();
        assert!(kept.weights.full.len() < full.weights.full.len());
        let adapter = noisy_adapter(&full, &[Projection::KProj, Projection::UpProj]);
        for dropout in [None, Some(DROPOUT)] {
            let run = |model: &Model| gradients(model, &adapter, dropout);
            assert_eq!(run(&kept), run(&full), "{family}");
        }
        let merged = adapter.merged(&kept);
        assert_eq!(merged.weights, adapter.merged(&full).weights);
        adapter.save_merged(&kept, folder.path()).unwrap();
        assert_eq!(Model::load(folder.path()).unwrap().weights, merged.weights);
    }
}

#[test]
fn layers_that_are_run_again_give_the_bits_of_layers_that_are_kept() {
    for family in ["llama", "qwen2", "qwen3"] {
        let model = tiny_model(family, 4);
        let adapter = noisy_adapter(&model, &Projection::ALL);
        for dropout in [None, Some(DROPOUT)] {
            let expected = gradients(&model, &adapter, dropout);
            let mut workspace = Workspace::new(true);
            // Twice, because buffers change places.
            for _ in 0..2 {
                let found = gradients_in(&mut workspace, &model, &adapter, dropout);
                assert_eq!(found, expected, "{family}");
                assert_eq!(workspace.layers.len(), 1);
            }
        }
    }
}

#[test]
fn all_gradients_are_the_same_where_layers_are_run_again() {
    let model = tiny_model("qwen3", 4);
    let run = |mut workspace: Workspace| {
        let mut grads = vec![0.0; model.parameters()];
        let network = Network::frozen(&model);
        let totals = workspace.train(network, &batch(), 1.0, Trained::Everything, &mut grads);
        (totals, grads)
    };
    assert_eq!(run(Workspace::new(true)), run(Workspace::default()));
}
