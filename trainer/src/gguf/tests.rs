use super::*;
use crate::gguf::testing::{Writer, config, model, tensors};
use proptest::prelude::*;

fn tiny(matrices: TensorType) -> Writer {
    let config = config("llama", "");
    model(&config, &tensors(&config, true), matrices)
}

fn open(bytes: &[u8]) -> Result<GgufFile, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.gguf");
    std::fs::write(&path, bytes).unwrap();
    GgufFile::open(&path)
}

fn refusal(change: impl FnOnce(&mut Writer)) -> Error {
    let mut writer = tiny(TensorType::F16);
    change(&mut writer);
    open(&writer.bytes()).unwrap_err()
}

#[test]
fn versions_2_and_3_are_read_and_others_refused() {
    for version in [2, 3] {
        let mut writer = tiny(TensorType::F16);
        writer.version = version;
        assert_eq!(open(&writer.bytes()).unwrap().tensors.len(), writer.tensors.len());
    }
    assert!(
        refusal(|writer| writer.version = 1)
            .to_string()
            .contains("version 1")
    );
    assert!(
        refusal(|writer| writer.version = 3 << 24)
            .to_string()
            .contains("big-endian")
    );
    assert!(
        refusal(|writer| writer.version = 77)
            .to_string()
            .contains("version 77")
    );
    assert!(open(b"PK").unwrap_err().to_string().contains("too early"));
    assert_eq!(open(&[7; 100]).unwrap_err().code(), "invalid_model");
}

#[test]
fn a_type_that_can_not_be_read_is_refused_by_name() {
    let error = refusal(|writer| writer.tensors[1].kind = 23);
    assert_eq!(error.code(), "unsupported_quantisation");
    let text = error.to_string();
    assert!(text.contains("IQ4_XS") && text.contains("blk.0."), "{text}");
    assert!(
        refusal(|writer| writer.tensors[1].kind = 77)
            .to_string()
            .contains("type 77")
    );
}

#[test]
fn a_file_that_ends_early_is_refused_wherever_it_is_cut() {
    let bytes = tiny(TensorType::Q8_0).bytes();
    for length in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
        assert_eq!(
            open(&bytes[..length]).unwrap_err().code(),
            "invalid_model",
            "{length}"
        );
    }
    assert!(open(&bytes).is_ok());
}

#[test]
fn lengths_and_places_that_lie_are_refused() {
    let beyond = refusal(|writer| writer.tensors[0].offset = Some(1 << 40));
    assert!(beyond.to_string().contains("ends beyond it"), "{beyond}");
    let wraps = refusal(|writer| writer.tensors[0].offset = Some(u64::MAX - 10));
    assert!(wraps.to_string().contains("ends beyond it"), "{wraps}");
    let shared = refusal(|writer| {
        let is_large = |name: &str| name.contains(".ffn_") && !name.contains("norm");
        writer.tensors.retain(|tensor| is_large(&tensor.name));
        for tensor in &mut writer.tensors {
            tensor.offset = Some(0);
        }
        writer
            .tensors
            .iter_mut()
            .skip(1)
            .for_each(|tensor| tensor.bytes.clear());
    });
    assert!(shared.to_string().contains("over each other"), "{shared}");
    let huge = refusal(|writer| writer.tensors[0].shape = vec![1 << 40, 1 << 40]);
    assert!(huge.to_string().contains("makes no sense"), "{huge}");
    let none = refusal(|writer| writer.tensors[0].shape = vec![0, 4]);
    assert!(none.to_string().contains("makes no sense"), "{none}");
    let twice = refusal(|writer| writer.tensors[1].name = "token_embd.weight".to_owned());
    assert!(twice.to_string().contains("twice"), "{twice}");
    let count = refusal(|writer| writer.set("x", 9, &[8, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 127]));
    assert!(count.to_string().contains("too early"), "{count}");
    let alignment = refusal(|writer| writer.number("general.alignment", 33));
    assert!(alignment.to_string().contains("alignment"), "{alignment}");
    let row = refusal(|writer| {
        writer.tensors[0].kind = TensorType::Q8_0.id();
        writer.tensors[0].shape = vec![32, 48];
    });
    assert!(row.to_string().contains("whole number of Q8_0 blocks"), "{row}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever stands in a file: an answer or a refusal.
    #[test]
    fn bytes_that_were_changed_never_make_it_panic(
        changes in proptest::collection::vec((0.0..1.0_f64, any::<u8>()), 1..6),
        cut in 0.5..1.5_f64,
    ) {
        let mut bytes = tiny(TensorType::Q8_0).bytes();
        // Most of what can lie stands in the head, which is a small part of the file.
        let head = 6_000;
        for (place, byte) in changes {
            bytes[(place * f64::from(head)) as usize] = byte;
        }
        bytes.truncate((bytes.len() as f64 * cut) as usize);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gguf");
        std::fs::write(&path, &bytes).unwrap();
        let attempt = || -> Result<(), Error> {
            let file = GgufFile::open(&path)?;
            let config = config::read(&file)?;
            let plan = weights::Plan::new(&file, &config)?;
            tokenizer::read(&file, &config)?;
            plan.write(&folder.path().join("model.safetensors"))
        };
        if let Err(error) = attempt() {
            prop_assert_ne!(error.code(), "storage");
        }
    }
}
