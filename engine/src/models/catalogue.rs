//! Base models worth having, small first. Figures are those of their repositories; what is really fetched, the Hub
//! tells.

use shared::model::CatalogueEntry;

/// Repository, name, weights, bytes to fetch, licence.
const MODELS: [(&str, &str, u64, u64, &str); 7] = [
    (
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        "SmolLM2 135M Instruct",
        134_515_008,
        272_000_000,
        "apache-2.0",
    ),
    (
        "HuggingFaceTB/SmolLM2-360M-Instruct",
        "SmolLM2 360M Instruct",
        361_821_120,
        727_000_000,
        "apache-2.0",
    ),
    (
        "Qwen/Qwen2.5-0.5B-Instruct",
        "Qwen2.5 0.5B Instruct",
        494_032_768,
        1_000_000_000,
        "apache-2.0",
    ),
    (
        "Qwen/Qwen3-0.6B",
        "Qwen3 0.6B",
        596_049_920,
        1_520_000_000,
        "apache-2.0",
    ),
    (
        "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
        "TinyLlama 1.1B Chat",
        1_100_048_384,
        2_200_000_000,
        "apache-2.0",
    ),
    (
        "Qwen/Qwen2.5-1.5B-Instruct",
        "Qwen2.5 1.5B Instruct",
        1_543_714_304,
        3_100_000_000,
        "apache-2.0",
    ),
    (
        "HuggingFaceTB/SmolLM2-1.7B-Instruct",
        "SmolLM2 1.7B Instruct",
        1_711_376_384,
        3_430_000_000,
        "apache-2.0",
    ),
];

/// All of them.
pub(crate) fn entries() -> impl Iterator<Item = CatalogueEntry> {
    MODELS
        .iter()
        .map(|(id, name, parameters, bytes, licence)| CatalogueEntry {
            source: format!("hf:{id}"),
            id: (*id).to_owned(),
            display_name: (*name).to_owned(),
            parameters: *parameters,
            bytes: *bytes,
            licence: (*licence).to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::source::Source;

    #[test]
    fn every_entry_can_be_added_and_the_small_come_first() {
        let mut before = 0;
        for entry in entries() {
            let source = Source::parse(&entry.source).unwrap();
            assert_eq!(source.default_id(), entry.id);
            assert!(entry.parameters > before, "{}", entry.id);
            before = entry.parameters;
        }
    }
}
