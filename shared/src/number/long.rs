//! Whole numbers of any length, with the few operations that decimal numbers need.

use std::cmp::Ordering;

/// A whole number that isn't negative: 32 bits at a time, the lowest first, none of the highest zero.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Long(Vec<u32>);

impl Long {
    pub(super) fn from(number: u64) -> Self {
        let mut long = Self(vec![number as u32, (number >> 32) as u32]);
        long.trim();
        long
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// The number, where a floating-point number holds it exactly.
    pub(super) fn small(&self) -> Option<f64> {
        let number = self
            .0
            .iter()
            .rev()
            .fold(0, |number, limb| number << 32 | u64::from(*limb));
        (self.bits() <= 53).then_some(number as f64)
    }

    /// How many bits it has.
    pub(super) fn bits(&self) -> i32 {
        let highest = self.0.last().map_or(0, |limb| limb.leading_zeros() as i32);
        32 * self.0.len() as i32 - highest
    }

    /// Times `factor`, plus `summand`.
    pub(super) fn multiply(&mut self, factor: u32, summand: u32) {
        let mut carry = u64::from(summand);
        for limb in &mut self.0 {
            carry += u64::from(*limb) * u64::from(factor);
            *limb = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    /// Times two to `bits`.
    pub(super) fn shift_left(&mut self, bits: u32) {
        if self.is_zero() {
            return;
        }
        self.multiply(1 << (bits % 32), 0);
        if bits >= 32 {
            let zeros = std::iter::repeat_n(0, bits as usize / 32);
            self.0.splice(..0, zeros);
        }
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let mut sum = Vec::new();
        let mut carry = 0;
        for place in 0..self.0.len().max(other.0.len()) {
            let limb = |long: &Self| u64::from(long.0.get(place).copied().unwrap_or(0));
            carry += limb(self) + limb(other);
            sum.push(carry as u32);
            carry >>= 32;
        }
        if carry > 0 {
            sum.push(carry as u32);
        }
        Self(sum)
    }

    /// Less `other`, which must not be larger.
    pub(super) fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        for (place, limb) in self.0.iter_mut().enumerate() {
            let taken = other.0.get(place).copied().unwrap_or(0);
            let (once, first) = limb.overflowing_sub(taken);
            let (twice, second) = once.overflowing_sub(u32::from(borrow));
            *limb = twice;
            borrow = first || second;
        }
        self.trim();
    }
}

impl Ord for Long {
    fn cmp(&self, other: &Self) -> Ordering {
        let longer = self.0.len().cmp(&other.0.len());
        longer.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for Long {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
