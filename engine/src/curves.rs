//! Curves in small. Pure: what of a block of steps a chart can show, as bytes, and how it is read again.
//!
//! A block is cut into parts of equal width along the steps; of each part its M4 points (`shared::decimate`) are kept with the number of
//! points that it had. Reduced once more to columns that are whole numbers of parts wide, they give exactly what the points
//! themselves would have given: the first, smallest, largest and last of a column are those of one of its parts.

use shared::decimate::m4_by;

/// How wide parts and blocks are, in steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level {
    /// Steps of a part.
    pub(crate) width: u64,
    /// Steps of a block.
    pub(crate) block: u64,
}

/// The levels, fine to coarse. A block of one is a whole number of blocks of the one before.
pub(crate) const LEVELS: [Level; 2] = [
    Level {
        width: 16,
        block: 4_096,
    },
    Level {
        width: 256,
        block: 65_536,
    },
];

/// Columns are so many parts wide at least, so that rounding them up to whole parts costs little.
const PARTS_A_COLUMN: u64 = 2;

/// The level to read a range of so many steps from, and how wide its columns are then; none where the steps themselves are few enough.
pub(crate) fn level_for(span: u64, columns: u32) -> Option<(Level, u64)> {
    let column = span.div_ceil(u64::from(columns.max(1)));
    let level = LEVELS
        .into_iter()
        .rev()
        .find(|level| column >= level.width * PARTS_A_COLUMN)?;
    Some((level, column.div_ceil(level.width).saturating_mul(level.width)))
}

/// A part of a curve: how many points it had, and those that are kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Parts {
    /// Points before reduction, of every part.
    counts: Vec<(u64, u32)>,
    /// The points that are kept, ascending by step.
    pub(crate) points: Vec<(u64, f64)>,
}

impl Parts {
    /// Reduces points, ascending by step, to parts of a width.
    pub(crate) fn of(points: &[(u64, f64)], width: u64) -> Self {
        let mut counts: Vec<(u64, u32)> = Vec::new();
        for (step, _) in points {
            let part = step / width;
            match counts.last_mut() {
                Some((last, count)) if *last == part => *count += 1,
                _ => counts.push((part, 1)),
            }
        }
        Self {
            counts,
            points: m4_by(points, |step| step / width),
        }
    }

    /// Makes wider parts of these, whose width divides the new one.
    pub(crate) fn widened(&self, width: u64, wider: u64) -> Self {
        let mut counts: Vec<(u64, u32)> = Vec::new();
        for (part, count) in &self.counts {
            let part = part * width / wider;
            match counts.last_mut() {
                Some((last, sum)) if *last == part => *sum += count,
                _ => counts.push((part, *count)),
            }
        }
        Self {
            counts,
            points: m4_by(&self.points, |step| step / wider),
        }
    }

    /// Adds parts that come after these.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.counts.append(&mut other.counts);
        self.points.append(&mut other.points);
    }

    /// Leaves only the parts from one number to another.
    pub(crate) fn retain(&mut self, from: u64, to: u64, width: u64) {
        self.counts.retain(|(part, _)| (from..=to).contains(part));
        self.points
            .retain(|(step, _)| (from..=to).contains(&(step / width)));
    }

    /// How many points they had.
    pub(crate) fn total(&self) -> u64 {
        self.counts.iter().map(|(_, count)| u64::from(*count)).sum()
    }

    /// As bytes, little-endian: the number of parts, of each its number and count; then of each point step and value.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4 + self.counts.len() * 12 + self.points.len() * 16);
        bytes.extend((self.counts.len() as u32).to_le_bytes());
        for (part, count) in &self.counts {
            bytes.extend(part.to_le_bytes());
            bytes.extend(count.to_le_bytes());
        }
        for (step, value) in &self.points {
            bytes.extend(step.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        bytes
    }

    /// Reads what [`Parts::to_bytes`] wrote; nothing where it is something else.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (number, rest) = bytes.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*number))
            .ok()?
            .checked_mul(12)?;
        let (counts, points) = rest.split_at_checked(length)?;
        let counts = counts.chunks_exact(12).map(|entry| {
            let (part, count) = entry.split_first_chunk::<8>()?;
            Some((
                u64::from_le_bytes(*part),
                u32::from_le_bytes(count.try_into().ok()?),
            ))
        });
        let (points, tail) = points.as_chunks::<16>();
        let points = points.iter().map(|entry| {
            let (step, value) = entry.split_first_chunk::<8>()?;
            Some((
                u64::from_le_bytes(*step),
                f64::from_le_bytes(value.try_into().ok()?),
            ))
        });
        let parts = Self {
            counts: counts.collect::<Option<_>>()?,
            points: points.collect::<Option<_>>()?,
        };
        tail.is_empty().then_some(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn curve() -> impl Strategy<Value = Vec<(u64, f64)>> {
        let value = prop_oneof![8 => -1e6..1e6f64, 1 => Just(f64::NAN)];
        proptest::collection::btree_map(1..3_000u64, value, 0..600)
            .prop_map(|points: std::collections::BTreeMap<u64, f64>| points.into_iter().collect())
    }

    fn same(left: &[(u64, f64)], right: &[(u64, f64)]) -> bool {
        let bits = |points: &[(u64, f64)]| {
            points
                .iter()
                .map(|(step, value)| (*step, value.to_bits()))
                .collect::<Vec<_>>()
        };
        bits(left) == bits(right)
    }

    proptest! {
        #[test]
        fn columns_of_whole_parts_are_what_the_points_themselves_give(points in curve(), wide in 1..9u64) {
            let column = 16 * wide;
            let parts = Parts::of(&points, 16);
            prop_assert!(same(&m4_by(&parts.points, |step| step / column), &m4_by(&points, |step| step / column)));
            prop_assert_eq!(parts.total(), points.len() as u64);
            let wider = parts.widened(16, 64);
            prop_assert!(same(&wider.points, &Parts::of(&points, 64).points));
            prop_assert_eq!(&wider.counts, &Parts::of(&points, 64).counts);
        }

        #[test]
        fn bytes_read_back_and_nonsense_is_refused(points in curve(), cut in 1..40usize) {
            let parts = Parts::of(&points, 16);
            let bytes = parts.to_bytes();
            let back = Parts::from_bytes(&bytes).expect("it was written here");
            prop_assert!(same(&back.points, &parts.points) && back.counts == parts.counts);
            let short = bytes.len().saturating_sub(cut);
            if let Some(less) = Parts::from_bytes(&bytes[..short]) {
                prop_assert!(less.points.len() < parts.points.len());
            }
        }
    }

    #[test]
    fn few_steps_are_read_themselves_and_many_by_the_coarsest_level_that_fits() {
        assert_eq!(level_for(10_000, 800), None);
        assert_eq!(level_for(25_600, 800), Some((LEVELS[0], 32)));
        assert_eq!(level_for(1_000_000, 800), Some((LEVELS[1], 1_280)));
        assert_eq!(level_for(u64::MAX, 0).map(|(level, _)| level), Some(LEVELS[1]));
    }
}
