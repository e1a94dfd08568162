//! The ways to train, and their own settings.

use serde::{Deserialize, Serialize};

/// What a run minimises, with its own settings: `"supervised"` or `{"dpo": {"beta": 0.1}}`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum MethodSpec {
    /// The cross-entropy of the assistant's answers.
    #[default]
    Supervised,
    /// Direct preference optimisation (Rafailov et al. 2023, equation 7) of pairs of answers. The reference is the base
    /// model without an adapter.
    Dpo {
        /// How strongly the answers' log-probabilities are held to the reference's, in (0, 2].
        beta: f64,
    },
}

impl MethodSpec {
    /// The method's word.
    #[must_use]
    pub const fn method(self) -> Method {
        match self {
            Self::Supervised => Method::Supervised,
            Self::Dpo { .. } => Method::Dpo,
        }
    }

    /// Beta, where the method has one.
    #[must_use]
    pub const fn beta(self) -> Option<f64> {
        match self {
            Self::Supervised => None,
            Self::Dpo { beta } => Some(beta),
        }
    }

    pub(super) const fn is_supervised(&self) -> bool {
        matches!(self, Self::Supervised)
    }
}

/// Largest `beta` of [`MethodSpec::Dpo`]; it is above 0.
pub const MAX_BETA: f64 = 2.0;

/// `beta` where nobody chose one.
pub const DEFAULT_BETA: f64 = 0.1;

/// Whether `beta` can be used.
#[must_use]
pub fn is_beta(beta: f64) -> bool {
    beta > 0.0 && beta <= MAX_BETA
}

/// The ways to train, by the words of the fine-tuning API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// From answers to imitate.
    #[default]
    Supervised,
    /// From pairs of answers of which one is preferred.
    Dpo,
}

impl Method {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Supervised => "supervised",
            Self::Dpo => "dpo",
        }
    }
}
