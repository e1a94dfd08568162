use super::*;
use crate::{
    Model,
    generate::{best, greedy, logits},
    lora::Adapter,
    testing::tiny_model,
};
use serde::Deserialize;
use shared::run::{LoraSpec, Projection};
use std::path::Path;

#[derive(Deserialize)]
struct Case {
    adapter: bool,
    prompt: Vec<u32>,
    answer: Vec<u32>,
}

/// Greedy decoding with the adapter beside the weights.
fn decode(model: &Model, adapter: Option<&Adapter>, prompt: &[u32], count: usize) -> Vec<u32> {
    let network = Network {
        model,
        adapter,
        dropout: None,
    };
    let (mut sequence, mut buffers) = (Sequence::new(&model.config, 0), Buffers::default());
    let mut tokens = prompt.to_vec();
    let mut answer = Vec::new();
    while answer.len() < count {
        while tokens.len() > PART {
            let rest = tokens.split_off(PART);
            buffers.read_part(network, &mut sequence, &tokens);
            tokens = rest;
        }
        let reading = Reading {
            sequence: &mut sequence,
            tokens: &tokens,
        };
        let next = best(&buffers.read(network, &mut [reading]));
        answer.push(next);
        tokens = vec![next];
    }
    answer
}

/// `reference/make_greedy.py` recorded the answers.
#[test]
fn greedy_answers_are_those_of_transformers() {
    for family in ["llama", "qwen2", "qwen3"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("reference")
            .join(family);
        let cases = std::fs::read(folder.join("greedy.json")).unwrap();
        let cases: Vec<Case> = serde_json::from_slice(&cases).unwrap();
        let model = Model::load(&folder).unwrap();
        let adapter = Adapter::open(&folder.join("adapter"), &model).unwrap();
        assert!(cases.iter().any(|case| case.prompt.len() > PART) && cases.len() == 8);
        for case in cases {
            let adapter = case.adapter.then_some(&adapter);
            let count = case.answer.len();
            assert_eq!(
                decode(&model, adapter, &case.prompt, count),
                case.answer,
                "{family}"
            );
            let within = greedy(&model, adapter, &[case.prompt], count, &[], 1).unwrap();
            assert_eq!(within, [case.answer], "{family}");
        }
    }
}

#[test]
fn one_row_and_many_agree_in_every_precision_with_an_adapter_and_without() {
    let spec = LoraSpec {
        rank: 3,
        alpha: 6.0,
        dropout: 0.0,
        targets: vec![
            Projection::QProj,
            Projection::VProj,
            Projection::UpProj,
            Projection::DownProj,
        ],
    };
    for (family, precision) in [
        ("llama", crate::Precision::Bf16),
        ("qwen2", crate::Precision::F16),
        ("qwen3", crate::Precision::F32),
    ] {
        let folder = tempfile::tempdir().unwrap();
        tiny_model(family, 6).save(folder.path(), precision).unwrap();
        let model = Model::load(folder.path()).unwrap();
        let mut adapter = Adapter::random(&model, &spec, 1).unwrap();
        adapter.values.iter_mut().for_each(|value| *value += 0.05);
        let text: Vec<u32> = (0..300).map(|place| place * 7 % 48).collect();
        for adapter in [None, Some(&adapter)] {
            let network = Network {
                model: &model,
                adapter,
                dropout: None,
            };
            let expected = logits(&model, adapter, &text).unwrap();
            let expected = &expected[expected.len() - 48..];
            let (mut sequence, mut buffers) = (Sequence::new(&model.config, 0), Buffers::default());
            let mut at = 0;
            // Blocks of every kind: a single row, a part of a block, more than one.
            for size in [1, 1, 70, 128, 3, 96, 1] {
                let reading = Reading {
                    sequence: &mut sequence,
                    tokens: &text[at..at + size],
                };
                let found = buffers.read(network, &mut [reading]);
                at += size;
                if at == text.len() {
                    let apart = found.iter().zip(expected).map(|(one, other)| (one - other).abs());
                    assert!(
                        apart.fold(0.0, f32::max) < 2e-3,
                        "{family}: {found:?} {expected:?}"
                    );
                }
            }
            assert_eq!(at, text.len());
        }
    }
}

#[test]
fn what_was_read_can_be_forgotten_from_the_end() {
    let model = tiny_model("llama", 6);
    let network = Network::frozen(&model);
    let (mut sequence, mut buffers) = (Sequence::new(&model.config, 0), Buffers::default());
    let mut read =
        |sequence: &mut Sequence, tokens: &[u32]| buffers.read(network, &mut [Reading { sequence, tokens }]);
    let first = read(&mut sequence, &[1, 2, 3, 4, 5]);
    read(&mut sequence, &[9, 9, 9]);
    sequence.truncate(&model.config, 3);
    let again = read(&mut sequence, &[4, 5]);
    let apart = first.iter().zip(&again).map(|(one, other)| (one - other).abs());
    assert!(apart.fold(0.0, f32::max) < 1e-4);
}
