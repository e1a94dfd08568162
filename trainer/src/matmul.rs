//! Matrix products over plain slices, with bounds checked here once so that everything else stays safe code.
//!
//! Invariant: how a product is cut into tasks depends on its shape alone, never on the number of threads, and the inner
//! dimension is never split: equal inputs give equal bits on any number of threads.

use gemm::Parallelism;
use rayon::prelude::*;

/// A read-only matrix inside a slice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Rows one after the other.
    #[inline]
    pub(crate) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns)
    }

    /// Rows that begin `row_stride` numbers apart.
    #[inline]
    pub(crate) fn strided(data: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        let matrix = Self {
            data,
            rows,
            columns,
            row_stride,
            column_stride: 1,
        };
        assert!(matrix.end() <= data.len(), "a matrix must lie inside its slice");
        matrix
    }

    /// The same numbers with rows and columns exchanged.
    #[inline]
    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    fn end(&self) -> usize {
        if self.rows == 0 || self.columns == 0 {
            return 0;
        }
        (self.rows - 1) * self.row_stride + (self.columns - 1) * self.column_stride + 1
    }

    fn row_range(self, start: usize, count: usize) -> Self {
        Self {
            data: &self.data[(start * self.row_stride).min(self.data.len())..],
            rows: count,
            ..self
        }
    }
}

/// `out = scale · left · right`, or `out += …` with `accumulate`, on the calling thread. The rows of `out` begin
/// `out_stride` numbers apart.
#[expect(
    unsafe_code,
    reason = "the product's entry point takes raw pointers; every bound is asserted just before"
)]
pub(crate) fn multiply(
    out: &mut [f32],
    out_stride: usize,
    left: Matrix<'_>,
    right: Matrix<'_>,
    scale: f32,
    accumulate: bool,
) {
    let (rows, columns, inner) = (left.rows, right.columns, left.columns);
    assert_eq!(inner, right.rows, "the inner dimensions of a product must agree");
    if rows == 0 || columns == 0 {
        return;
    }
    assert!(out_stride >= columns, "the rows of a product must not overlap");
    assert!(
        (rows - 1) * out_stride + columns <= out.len(),
        "a product must fit its slice"
    );
    assert!(
        left.end() <= left.data.len() && right.end() <= right.data.len(),
        "a matrix must lie inside its slice"
    );
    // SAFETY: the three assertions above and those in `Matrix` keep every address inside its slice; `out` is borrowed
    // mutably, so it overlaps neither operand; strides fit `isize` because they are shorter than a slice.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            out.as_mut_ptr(),
            1,
            out_stride as isize,
            accumulate,
            left.data.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.data.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            1.0,
            scale,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// Rows that one task of [`multiply_parallel`] takes: enough tasks for a few threads, and none so small that packing
/// the other operand again for each outweighs the product.
pub(crate) fn rows_per_task(rows: usize) -> usize {
    rows.div_ceil(8).next_multiple_of(16).clamp(32, 256)
}

/// [`multiply`] over all threads of the current pool; the rows of `out` follow each other without gaps.
pub(crate) fn multiply_parallel(
    out: &mut [f32],
    left: Matrix<'_>,
    right: Matrix<'_>,
    scale: f32,
    accumulate: bool,
) {
    multiply_columns_parallel(out, right.columns, 0, left, right, scale, accumulate);
}

/// [`multiply_parallel`] into the columns from `column` on of an `out` that is `width` wide.
pub(crate) fn multiply_columns_parallel(
    out: &mut [f32],
    width: usize,
    column: usize,
    left: Matrix<'_>,
    right: Matrix<'_>,
    scale: f32,
    accumulate: bool,
) {
    if left.rows == 0 || right.columns == 0 {
        return;
    }
    let rows = rows_per_task(left.rows);
    out[..left.rows * width]
        .par_chunks_mut(rows * width)
        .enumerate()
        .for_each(|(task, chunk)| {
            let part = left.row_range(task * rows, chunk.len() / width);
            multiply(&mut chunk[column..], width, part, right, scale, accumulate);
        });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    fn numbers(count: usize, path: u64) -> Vec<f32> {
        let stream = Stream::new(1, Purpose::Caller, &[path]);
        (0..count as u64)
            .map(|place| stream.normal(place) as f32)
            .collect()
    }

    fn naive(left: &[f32], right: &[f32], rows: usize, inner: usize, columns: usize) -> Vec<f32> {
        let mut out = vec![0.0; rows * columns];
        for row in 0..rows {
            for column in 0..columns {
                out[row * columns + column] = (0..inner)
                    .map(|at| left[row * inner + at] * right[column * inner + at])
                    .sum();
            }
        }
        out
    }

    #[test]
    fn products_agree_with_the_definition_in_every_layout() {
        let (rows, inner, columns) = (67, 19, 33);
        let (left, right) = (numbers(rows * inner, 1), numbers(columns * inner, 2));
        let expected = naive(&left, &right, rows, inner, columns);
        let mut out = vec![f32::NAN; rows * columns];
        let right = Matrix::new(&right, columns, inner).transposed();
        multiply_parallel(&mut out, Matrix::new(&left, rows, inner), right, 1.0, false);
        assert!(out.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-4));
        let mut wide = vec![1.0; rows * 40];
        multiply(&mut wide, 40, Matrix::new(&left, rows, inner), right, 2.0, true);
        for row in 0..rows {
            assert!((wide[row * 40 + 7] - 1.0 - 2.0 * expected[row * columns + 7]).abs() < 1e-4);
            assert_eq!(wide[row * 40 + 35], 1.0, "gaps between rows stay untouched");
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let (left, right) = (numbers(300 * 50, 3), numbers(70 * 50, 4));
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            let mut out = vec![0.0; 300 * 70];
            pool.install(|| {
                let right = Matrix::new(&right, 70, 50).transposed();
                multiply_parallel(&mut out, Matrix::new(&left, 300, 50), right, 1.0, false);
            });
            out
        };
        assert_eq!(run(1), run(3));
    }
}
