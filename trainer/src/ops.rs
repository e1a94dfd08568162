//! The operations of a decoder with exact backward passes, each checked by finite differences.
//!
//! Shapes are written `[rows, columns]`, row-major. Work is cut into tasks by shape alone, so results don't depend on
//! the number of threads.

pub(crate) mod attention;
pub(crate) mod feed_forward;
pub(crate) mod loss;
pub(crate) mod norm;

/// Rows that one task of an element-wise pass takes.
pub(crate) const ROWS_PER_TASK: usize = 64;
