//! Counter-based randomness: every number is a pure function of a key and a counter, so a resumed run draws what an
//! undisturbed one would have drawn. There is no generator whose state would have to be saved.
//!
//! The mixing function is the finaliser of `SplitMix64` (Steele, Lea and Flood, 2014). Not for secrets.

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

#[inline(always)]
const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// What a stream of random numbers is for: streams of different purposes never share numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// First values of weights.
    Initialisation = 1,
    /// Order of the examples in an epoch.
    Order = 2,
    /// Dropout masks.
    Dropout = 3,
    /// Whatever a caller of the library draws.
    Caller = 4,
    /// Which token comes next in an answer.
    Sampling = 5,
}

/// A stream of random numbers that can be read at any place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    key: u64,
}

impl Stream {
    /// The stream of this seed, purpose and path (for example step, layer, projection).
    #[must_use]
    pub fn new(seed: u64, purpose: Purpose, path: &[u64]) -> Self {
        let start = mix(seed.wrapping_add(GOLDEN)) ^ mix(purpose as u64);
        let key = path.iter().fold(start, |key, part| {
            mix(key.wrapping_add(GOLDEN) ^ mix(part.wrapping_add(GOLDEN)))
        });
        Self { key }
    }

    /// The number at this place, all 64 bits random.
    #[inline(always)]
    #[must_use]
    pub const fn bits(self, counter: u64) -> u64 {
        mix(self
            .key
            .wrapping_add(counter.wrapping_add(1).wrapping_mul(GOLDEN)))
    }

    /// Uniform in [0, 1) at this place, 53 bits.
    #[inline]
    #[must_use]
    pub fn uniform(self, counter: u64) -> f64 {
        (self.bits(counter) >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// What [`Stream::is_below`] compares with for this probability.
    #[must_use]
    pub fn threshold(probability: f64) -> u64 {
        (probability * (1_u64 << 53) as f64).ceil() as u64
    }

    /// Whether [`Stream::uniform`] at this place is below a probability, told by its [`Stream::threshold`]: whole numbers
    /// only, so that many places are looked at together.
    #[inline(always)]
    #[must_use]
    pub const fn is_below(self, counter: u64, threshold: u64) -> bool {
        self.bits(counter) >> 11 < threshold
    }

    /// Standard normal at this place (Box and Muller); uses the counters `2 × counter` and the next.
    #[must_use]
    pub fn normal(self, counter: u64) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform(2 * counter)).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform(2 * counter + 1)).cos()
    }

    /// A number below `bound` (which must not be 0) at this place. The bias is below `bound` ÷ 2⁶⁴.
    #[must_use]
    pub fn below(self, counter: u64, bound: u64) -> u64 {
        ((u128::from(self.bits(counter)) * u128::from(bound)) >> 64) as u64
    }

    /// The numbers 0 to `count` in random order (Fisher and Yates).
    #[must_use]
    pub fn permutation(self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last, self.below(last as u64, last as u64 + 1) as usize);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_says_what_the_uniform_number_says() {
        let stream = Stream::new(3, Purpose::Dropout, &[1]);
        for probability in [0.0, 1e-17, 0.05, 0.1, 0.5, 1.0 - f64::EPSILON] {
            let threshold = Stream::threshold(probability);
            for place in 0..1000 {
                let expected = stream.uniform(place) < probability;
                assert_eq!(stream.is_below(place, threshold), expected, "{probability}");
            }
        }
    }

    #[test]
    fn the_same_place_gives_the_same_number_and_another_path_another() {
        let stream = Stream::new(7, Purpose::Dropout, &[1, 2]);
        assert_eq!(stream.bits(5), Stream::new(7, Purpose::Dropout, &[1, 2]).bits(5));
        assert_ne!(stream.bits(5), stream.bits(6));
        assert_ne!(stream.bits(5), Stream::new(7, Purpose::Dropout, &[2, 1]).bits(5));
        assert_ne!(stream.bits(5), Stream::new(7, Purpose::Order, &[1, 2]).bits(5));
    }

    #[test]
    fn uniform_and_normal_have_the_moments_they_should() {
        let stream = Stream::new(1, Purpose::Caller, &[]);
        let count = 100_000;
        let uniform: f64 = (0..count).map(|place| stream.uniform(place)).sum::<f64>() / count as f64;
        let normal: Vec<f64> = (0..count).map(|place| stream.normal(place)).collect();
        let mean = normal.iter().sum::<f64>() / count as f64;
        let variance = normal.iter().map(|value| value * value).sum::<f64>() / count as f64;
        assert!((uniform - 0.5).abs() < 0.005, "{uniform}");
        assert!(
            mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02,
            "{mean} {variance}"
        );
    }

    #[test]
    fn a_permutation_holds_every_number_once() {
        let mut order = Stream::new(3, Purpose::Order, &[9]).permutation(100);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
}
