//! The "K" block formats of ggml: 256 numbers, whose scale (and minimum) is a small whole number times the block's.

use super::tensor_type::half_at;

/// Numbers in one block.
pub(super) const BLOCK: usize = 256;

/// Two bits of number `index`: four numbers that are 32 apart share a byte.
fn pair(bytes: &[u8], index: usize) -> u8 {
    bytes[index / 128 * 32 + index % 32] >> (index % 128 / 32 * 2) & 3
}

/// Four bits of number `index`: two numbers that are `half` apart share a byte.
fn nibble(bytes: &[u8], index: usize, half: usize) -> u8 {
    bytes[index / (2 * half) * half + index % half] >> (index % (2 * half) / half * 4) & 15
}

/// One bit of number `index`: eight numbers that are 32 apart share a byte.
fn bit(bytes: &[u8], index: usize) -> u8 {
    bytes[index % 32] >> (index / 32) & 1
}

/// Scale and minimum, six bits each, of the eighth `part` of a block: the first four lie whole in their bytes, the
/// others have their low bits in the last four bytes and their high bits on top of the first eight.
fn scale_and_least(packed: &[u8], part: usize) -> (f32, f32) {
    let (scale, least) = if part < 4 {
        (packed[part] & 63, packed[part + 4] & 63)
    } else {
        (
            packed[part + 4] & 15 | packed[part - 4] >> 2 & 48,
            packed[part + 4] >> 4 | packed[part] >> 2 & 48,
        )
    };
    (scale.into(), least.into())
}

pub(super) fn q2(block: &[u8], out: &mut [f32]) {
    let (scales, bits) = (&block[..16], &block[16..80]);
    let (scale, least) = (half_at(block, 80), half_at(block, 82));
    for (index, out) in out.iter_mut().enumerate() {
        let packed = scales[index / 16];
        let (scale, least) = (scale * f32::from(packed & 15), least * f32::from(packed >> 4));
        *out = scale * f32::from(pair(bits, index)) - least;
    }
}

pub(super) fn q3(block: &[u8], out: &mut [f32]) {
    let (high, bits, packed) = (&block[..32], &block[32..96], &block[96..108]);
    let scale = half_at(block, 108);
    for (index, out) in out.iter_mut().enumerate() {
        let part = index / 16;
        let low = packed[part % 8] >> (part / 8 * 4) & 15;
        let top = packed[8 + part % 4] >> (part / 4 * 2) & 3;
        let scale = scale * (f32::from(low | top << 4) - 32.0);
        let number = pair(bits, index) | bit(high, index) << 2;
        *out = scale * (f32::from(number) - 4.0);
    }
}

pub(super) fn q4(block: &[u8], out: &mut [f32]) {
    let (scale, least) = (half_at(block, 0), half_at(block, 2));
    let (packed, bits) = (&block[4..16], &block[16..144]);
    for (part, out) in out.chunks_exact_mut(32).enumerate() {
        let (factor, offset) = scale_and_least(packed, part);
        let (scale, least) = (scale * factor, least * offset);
        for (place, out) in out.iter_mut().enumerate() {
            *out = scale * f32::from(nibble(bits, part * 32 + place, 32)) - least;
        }
    }
}

pub(super) fn q5(block: &[u8], out: &mut [f32]) {
    let (scale, least) = (half_at(block, 0), half_at(block, 2));
    let (packed, high, bits) = (&block[4..16], &block[16..48], &block[48..176]);
    for (part, out) in out.chunks_exact_mut(32).enumerate() {
        let (factor, offset) = scale_and_least(packed, part);
        let (scale, least) = (scale * factor, least * offset);
        for (place, out) in out.iter_mut().enumerate() {
            let index = part * 32 + place;
            let number = nibble(bits, index, 32) | bit(high, index) << 4;
            *out = scale * f32::from(number) - least;
        }
    }
}

pub(super) fn q6(block: &[u8], out: &mut [f32]) {
    let (bits, high, scales) = (&block[..128], &block[128..192], &block[192..208]);
    let scale = half_at(block, 208);
    for (index, out) in out.iter_mut().enumerate() {
        let scale = scale * f32::from(scales[index / 16].cast_signed());
        let number = nibble(bits, index, 64) | pair(high, index) << 4;
        *out = scale * (f32::from(number) - 32.0);
    }
}
