//! Matrix products over plain slices, with bounds checked here once so that everything else stays safe code.
//!
//! Invariant: how a product is cut into tasks depends on its shape alone, never on the number of threads, and the inner
//! dimension is never split: equal inputs give equal bits on any number of threads.

use gemm::Parallelism;
use rayon::prelude::*;
use std::{marker::PhantomData, ops::Range};

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
}

/// `out = scale · left · right`, or `out += …` with `accumulate`, on the calling thread. The rows of `out` begin
/// `out_stride` numbers apart.
pub(crate) fn multiply(
    out: &mut [f32],
    out_stride: usize,
    left: Matrix<'_>,
    right: Matrix<'_>,
    scale: f32,
    accumulate: bool,
) {
    let tiles = Tiles::new(out, out_stride, 0, left, right);
    tiles.product(0..left.rows, 0..right.columns, scale, accumulate);
}

/// A product that is computed in tiles, perhaps by several threads, each tile by one.
struct Tiles<'a> {
    out: *mut f32,
    stride: usize,
    left: Matrix<'a>,
    right: Matrix<'a>,
    /// `out` is borrowed mutably for as long as this lives.
    borrowed: PhantomData<&'a mut [f32]>,
}

#[expect(
    unsafe_code,
    reason = "threads write different tiles, whose rows lie between each other's in memory"
)]
// SAFETY: `out` is only written through `product`, whose only caller besides `multiply` hands out disjoint tiles.
unsafe impl Sync for Tiles<'_> {}

impl<'a> Tiles<'a> {
    /// A product into the columns of `out` from `column` on.
    fn new(out: &'a mut [f32], stride: usize, column: usize, left: Matrix<'a>, right: Matrix<'a>) -> Self {
        let (rows, columns) = (left.rows, right.columns);
        assert_eq!(
            left.columns, right.rows,
            "the inner dimensions of a product must agree"
        );
        assert!(
            left.end() <= left.data.len() && right.end() <= right.data.len(),
            "a matrix must lie inside its slice"
        );
        if rows > 0 && columns > 0 {
            assert!(
                stride >= column + columns,
                "the rows of a product must not overlap"
            );
            assert!(
                (rows - 1) * stride + column + columns <= out.len(),
                "a product must fit its slice"
            );
        }
        let start = column.min(out.len());
        Self {
            out: out[start..].as_mut_ptr(),
            stride,
            left,
            right,
            borrowed: PhantomData,
        }
    }

    /// Computes one tile.
    #[expect(
        unsafe_code,
        reason = "the product's entry point takes raw pointers; every bound is asserted before"
    )]
    fn product(&self, rows: Range<usize>, columns: Range<usize>, scale: f32, accumulate: bool) {
        assert!(rows.end <= self.left.rows && columns.end <= self.right.columns);
        if rows.is_empty() || columns.is_empty() {
            return;
        }
        let (left, right) = (self.left, self.right);
        // SAFETY: `new` and `Matrix` assert that the whole matrices lie inside their slices, and the tile lies inside the
        // matrices; `out` is borrowed mutably, so it overlaps neither operand, and no other thread has this tile;
        // strides fit `isize` because they are shorter than a slice.
        unsafe {
            gemm::gemm(
                rows.len(),
                columns.len(),
                left.columns,
                self.out.add(rows.start * self.stride + columns.start),
                1,
                self.stride as isize,
                accumulate,
                left.data.as_ptr().add(rows.start * left.row_stride),
                left.column_stride as isize,
                left.row_stride as isize,
                right.data.as_ptr().add(columns.start * right.column_stride),
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
}

/// Tasks that a product is cut into, where it's large enough: some for each of a few threads.
const TASKS: usize = 8;

/// Rows and columns that one task takes: as near to a square as can be, because each task packs its share of both
/// operands; multiples of what the product's kernel takes at once.
fn tile(rows: usize, columns: usize) -> (usize, usize) {
    const SMALLEST: (usize, usize) = (48, 64);
    let (mut down, mut across) = (1, 1);
    let size = |(down, across): (usize, usize)| {
        (
            rows.div_ceil(down).next_multiple_of(SMALLEST.0),
            columns.div_ceil(across).next_multiple_of(SMALLEST.1),
        )
    };
    while down * across < TASKS {
        let (high, wide) = size((down, across));
        if high >= wide && high > SMALLEST.0 {
            down *= 2;
        } else if wide > SMALLEST.1 {
            across *= 2;
        } else if high > SMALLEST.0 {
            down *= 2;
        } else {
            break;
        }
    }
    size((down, across))
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
    let (rows, columns) = (left.rows, right.columns);
    if rows == 0 || columns == 0 {
        return;
    }
    let tiles = Tiles::new(out, width, column, left, right);
    let (high, wide) = tile(rows, columns);
    let across = columns.div_ceil(wide);
    (0..rows.div_ceil(high) * across)
        .into_par_iter()
        .for_each(|task| {
            let (top, first) = (task / across * high, task % across * wide);
            let (bottom, last) = ((top + high).min(rows), (first + wide).min(columns));
            tiles.product(top..bottom, first..last, scale, accumulate);
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
    fn tiles_cover_a_product_once_and_leave_what_is_beside_it() {
        for (rows, columns) in [(1, 1), (700, 5), (5, 700), (333, 777), (49, 65)] {
            let (left, right) = (numbers(rows * 7, 5), numbers(columns * 7, 6));
            let expected = naive(&left, &right, rows, 7, columns);
            let mut out = vec![1.0; rows * (columns + 3)];
            let right = Matrix::new(&right, columns, 7).transposed();
            let left = Matrix::new(&left, rows, 7);
            multiply_columns_parallel(&mut out, columns + 3, 2, left, right, 1.0, true);
            for (row, expected) in out.chunks_exact(columns + 3).zip(expected.chunks_exact(columns)) {
                assert_eq!((row[0], row[1], row[columns + 2]), (1.0, 1.0, 1.0));
                let all = row[2..columns + 2].iter().zip(expected);
                assert!(
                    all.into_iter()
                        .all(|(found, sum)| (found - 1.0 - sum).abs() < 1e-4)
                );
            }
        }
        assert_eq!(tile(2048, 576), (528, 320), "near to a square");
        assert_eq!(tile(85, 4000), (96, 512), "all rows and a share of the columns");
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
