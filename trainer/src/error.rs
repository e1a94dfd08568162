//! Everything that can go wrong in a run, with the stable code that the engine and the user see.

use shared::run::exit_code;
use std::{io, path::Path};

/// Why something could not be done. [`Error::code`] is stable; the text is for people.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The run directory or its `spec.json` can't be used.
    #[error("{0}")]
    InvalidSpec(String),
    /// The folder is no usable model.
    #[error("{0}")]
    InvalidModel(String),
    /// The model is of a family that this trainer doesn't know.
    #[error("`{0}` is an architecture that can't be trained here; use a Llama, Qwen2 or Qwen3 decoder")]
    UnknownArchitecture(String),
    /// The weights are stored in a way that can't be read.
    #[error("{0}")]
    UnsupportedQuantisation(String),
    /// A tensor isn't as `config.json` says.
    #[error(
        "tensor `{name}` has shape {found:?} where `config.json` asks for {expected:?}; the folder's files don't belong together"
    )]
    WeightShapeMismatch {
        /// The tensor's name.
        name: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// The shape that fits the configuration.
        expected: Vec<usize>,
    },
    /// `tokenizer.json` can't be read.
    #[error("{0}")]
    InvalidTokenizer(String),
    /// The chat template is missing or can't be rendered.
    #[error("{0}")]
    InvalidChatTemplate(String),
    /// The adapter to start from can't be used.
    #[error("{0}")]
    InvalidAdapter(String),
    /// A line of the training file can't be used.
    #[error("{}: {message}", place(*line, "training file"))]
    InvalidTrainingFile {
        /// The line, from 1; 0 speaks of the whole file.
        line: u64,
        /// What is wrong and what to do.
        message: String,
    },
    /// A line of the validation file can't be used.
    #[error("{}: {message}", place(*line, "validation file"))]
    InvalidValidationFile {
        /// The line, from 1; 0 speaks of the whole file.
        line: u64,
        /// What is wrong and what to do.
        message: String,
    },
    /// The loss or the gradient is no longer a number.
    #[error("{what} became {value} at step {step}; lower the learning rate or look for broken examples")]
    NotFinite {
        /// `the loss` or `the gradient norm`.
        what: &'static str,
        /// NaN or an infinity.
        value: f64,
        /// The optimizer step, from 1.
        step: u64,
    },
    /// Another process trains in this run directory.
    #[error("another process holds `run.lock`; wait for it to end or end it")]
    Locked,
    /// A file could not be read.
    #[error("could not read `{path}`: {source}")]
    Read {
        /// Which file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("could not write `{path}`: {source}")]
    Write {
        /// Which file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The disk has less room than is about to be needed.
    #[error(
        "the disk of `{path}` has {free_mb} MB of space left where {needed_mb} MB are needed; free some, or delete old jobs"
    )]
    NoSpace {
        /// A folder on the disk.
        path: String,
        /// Megabytes that are needed.
        needed_mb: u64,
        /// Megabytes that are there.
        free_mb: u64,
    },
    /// The run needs more memory than it may take.
    #[error(
        "training needs about {needed_mb} MB of memory{}, and may take {limit_mb} MB; choose a smaller batch size, more gradient accumulation, shorter examples or a smaller model",
        if *.gradient_checkpointing { " even with gradient checkpointing" } else { " without gradient checkpointing" }
    )]
    NotEnoughMemory {
        /// Megabytes that are needed.
        needed_mb: u64,
        /// Megabytes that may be taken.
        limit_mb: u64,
        /// Whether that is with gradient checkpointing.
        gradient_checkpointing: bool,
    },
    /// What a model is asked can't be written as it reads it.
    #[error("{0}")]
    InvalidPrompt(String),
    /// What a model is asked and what it may answer together are longer than it can read.
    #[error(
        "the model reads at most {context} tokens; the prompt has {prompt}{}: shorten it, or ask for fewer tokens",
        max_tokens.map(|max| format!(", and up to {max} were asked for")).unwrap_or_default()
    )]
    ContextLength {
        /// Tokens that the model can read.
        context: usize,
        /// Tokens of the prompt.
        prompt: usize,
        /// Tokens that the answer may have, where that was asked for.
        max_tokens: Option<u32>,
    },
    /// Answering needs more memory than it may take.
    #[error(
        "answering needs about {needed_mb} MB of memory, and may take {limit_mb} MB; choose a smaller model, or a shorter text"
    )]
    NotEnoughMemoryToAnswer {
        /// Megabytes that are needed.
        needed_mb: u64,
        /// Megabytes that may be taken.
        limit_mb: u64,
    },
    /// Threads could not be started.
    #[error("could not start worker threads: {0}")]
    Threads(String),
}

impl Error {
    /// A read error of this path.
    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::Read { path, source }
    }

    /// A write error of this path.
    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::Write { path, source }
    }

    /// The stable, `snake_case` name of the failure.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidSpec(_) => "invalid_spec",
            Self::InvalidModel(_) => "invalid_model",
            Self::UnknownArchitecture(_) => "unknown_architecture",
            Self::UnsupportedQuantisation(_) => "unsupported_quantisation",
            Self::WeightShapeMismatch { .. } => "weight_shape_mismatch",
            Self::InvalidTokenizer(_) => "invalid_tokenizer",
            Self::InvalidChatTemplate(_) => "invalid_chat_template",
            Self::InvalidAdapter(_) => "invalid_adapter",
            Self::InvalidTrainingFile { .. } => "invalid_training_file",
            Self::InvalidValidationFile { .. } => "invalid_validation_file",
            Self::NotFinite { .. } => "nan_loss",
            Self::Locked => "locked",
            Self::NoSpace { .. } => "disk_full",
            Self::NotEnoughMemory { .. } | Self::NotEnoughMemoryToAnswer { .. } => "not_enough_memory",
            Self::InvalidPrompt(_) => "invalid_prompt",
            Self::ContextLength { .. } => "context_length_exceeded",
            Self::Write { source, .. } if is_full(source) => "disk_full",
            Self::Read { .. } | Self::Write { .. } => "storage",
            Self::Threads(_) => "threads",
        }
    }

    /// The line of the training or validation file that is at fault, from 1, where one is.
    #[must_use]
    pub const fn line(&self) -> Option<u64> {
        match self {
            Self::InvalidTrainingFile { line: 0, .. } | Self::InvalidValidationFile { line: 0, .. } => None,
            Self::InvalidTrainingFile { line, .. } | Self::InvalidValidationFile { line, .. } => Some(*line),
            _ => None,
        }
    }

    /// How the process ends because of it.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NotFinite { .. } => exit_code::DIVERGED,
            Self::Locked => exit_code::LOCKED,
            Self::Write { .. } | Self::NoSpace { .. } => exit_code::STORAGE,
            _ => exit_code::REFUSED,
        }
    }
}

fn place(line: u64, file: &str) -> String {
    if line == 0 {
        format!("the {file}")
    } else {
        format!("line {line} of the {file}")
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
