//! Deterministic choices: the same seed and stream give the same text on every machine, for ever.

/// A stream of choices (`SplitMix64` after Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators").
pub(crate) struct Dice(u64);

impl Dice {
    /// The choices of one stream, independent of those of any other.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut dice = Self(seed ^ 0x5851_f42d_4c95_7f2d);
        let key = dice.next() ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self(key)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, but without, `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let wide = u128::from(self.next()) * end as u128;
        (wide >> 64) as usize
    }

    /// One of both ends and all between.
    pub(crate) fn between(&mut self, first: usize, last: usize) -> usize {
        first + self.below(last - first + 1)
    }

    /// True in `percent` of 100 cases.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of the choices.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// `count` different ones, in random order.
    pub(crate) fn pick_many<T: Copy>(&mut self, choices: &[T], count: usize) -> Vec<T> {
        let mut all = choices.to_vec();
        self.shuffle(&mut all);
        all.truncate(count);
        all
    }

    /// Puts the items into random order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }

    /// A decimal number of so many digits that leaves `residue` when divided by 3: pretraining, training and
    /// validation each have a residue of their own, so that no number occurs in two of them.
    pub(crate) fn number(&mut self, digits: u32, residue: usize) -> String {
        let smallest = 10_usize.pow(digits - 1);
        let drawn = self.between(smallest, smallest * 10 - 4);
        (drawn + (residue + 3 - drawn % 3) % 3).to_string()
    }
}
