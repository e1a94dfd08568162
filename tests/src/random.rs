//! Random moments that can be had again: each test prints its seed, and `ATTUNE_TEST_SEED` sets it.

use std::time::{SystemTime, UNIX_EPOCH};

/// A small generator (`SplitMix64`), so that a seed means the same for ever.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// Seeded by `ATTUNE_TEST_SEED`, else by the clock; prints the seed.
    #[must_use]
    pub fn announced() -> Self {
        let told = std::env::var("ATTUNE_TEST_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = told.unwrap_or_else(|| {
            let since_1970 = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .expect("the clock is past 1970");
            u64::from(since_1970.subsec_nanos()) ^ since_1970.as_secs()
        });
        println!("ATTUNE_TEST_SEED={seed}");
        Self(seed)
    }

    /// Seeded by the caller.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below `bound`, which is at least 1.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}
