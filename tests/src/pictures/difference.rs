//! What differs between two pictures.

use super::{Reduced, reduced::SCALE};
use std::fmt;

/// Side of the areas whose means are compared, in pixels of the reduced pictures: 16 of the browser's, about a line of
/// text. Letters of the same ink are the same in it.
const AREA: usize = 4;
/// Levels of 255 by which the mean of an area may differ in red, green or blue: other letters reach 17, a card that is
/// 8 pixels off 35.
const TOLERANCE: u32 = 24;
/// Levels by which the means of many areas may not differ, and how many of a hundred are many: a surface of another colour.
const FAINT: u32 = 3;
const MANY: usize = 5;
/// Rows by which the heights may differ: a row of the browser's more or less may be a rounding.
const ROWS: usize = 1;

/// What differs between two pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    before: (usize, usize),
    after: (usize, usize),
    /// How far each area's mean is off, by the area's upper left corner.
    areas: Vec<u32>,
    /// Areas in a row.
    across: usize,
}

impl Difference {
    /// Compares two pictures.
    #[must_use]
    pub fn between(before: &Reduced, after: &Reduced) -> Self {
        let (width, height) = (before.width.min(after.width), before.height.min(after.height));
        // Sums of everything above and left of each pixel, of one picture less the other.
        let stride = width + 1;
        let mut sums = vec![[0_i32; 3]; stride * (height + 1)];
        for y in 0..height {
            let mut row = [0; 3];
            for x in 0..width {
                let (one, other) = (
                    before.pixels[y * before.width + x],
                    after.pixels[y * after.width + x],
                );
                for channel in 0..3 {
                    row[channel] += i32::from(one[channel]) - i32::from(other[channel]);
                    sums[(y + 1) * stride + x + 1][channel] =
                        sums[y * stride + x + 1][channel] + row[channel];
                }
            }
        }
        let (across, down) = (
            (width + 1).saturating_sub(AREA),
            (height + 1).saturating_sub(AREA),
        );
        let off = |x: usize, y: usize| {
            let corner = |x: usize, y: usize, channel: usize| sums[y * stride + x][channel];
            let sum = |channel| {
                corner(x + AREA, y + AREA, channel) + corner(x, y, channel)
                    - corner(x + AREA, y, channel)
                    - corner(x, y + AREA, channel)
            };
            let worst = (0..3).map(|channel| i32::abs(sum(channel)).unsigned_abs()).max();
            worst.unwrap_or_default() / (AREA * AREA) as u32
        };
        Self {
            before: (before.width, before.height),
            after: (after.width, after.height),
            areas: (0..down)
                .flat_map(|y| (0..across).map(move |x| (x, y)))
                .map(|(x, y)| off(x, y))
                .collect(),
            across,
        }
    }

    /// Whether the pictures show the same.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.before.0 == self.after.0
            && self.before.1.abs_diff(self.after.1) <= ROWS
            && self.count(TOLERANCE) == 0
            && self.count(FAINT) * 100 <= self.areas.len() * MANY
    }

    /// How many areas are off by more than this.
    fn count(&self, tolerance: u32) -> usize {
        self.areas.iter().filter(|off| **off > tolerance).count()
    }

    /// The picture as it is now, pale, with red where it differs.
    #[must_use]
    pub fn picture(&self, after: &Reduced) -> Reduced {
        let mut picture = after.clone();
        for pixel in &mut picture.pixels {
            *pixel = pixel.map(|level| 128 + level / 2);
        }
        for (index, _) in self.areas.iter().enumerate().filter(|(_, off)| **off > FAINT) {
            let (x, y) = (index % self.across, index / self.across);
            picture.pixels[(y + AREA / 2) * picture.width + x + AREA / 2] = [220, 0, 0];
        }
        picture
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.before != self.after {
            let ((width, height), (now, tall)) = (self.before, self.after);
            let [width, height, now, tall] = [width, height, now, tall].map(|side| side * SCALE);
            write!(f, "was {width} × {height} and is {now} × {tall}; ")?;
        }
        let Some((index, worst)) = self.areas.iter().enumerate().max_by_key(|(_, off)| **off) else {
            return write!(f, "nothing to compare");
        };
        let (grave, faint) = (self.count(TOLERANCE), self.count(FAINT) * 100 / self.areas.len());
        let (x, y) = (index % self.across * SCALE, index / self.across * SCALE);
        write!(
            f,
            "{grave} areas are off and {faint} % slightly, most of all by {worst} of 255 at {x}, {y}"
        )
    }
}
