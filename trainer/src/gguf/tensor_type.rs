//! The types of tensors in GGUF files and how their blocks become f32.
//!
//! A quantised row is a sequence of blocks; each has its scale (and minimum) and small whole numbers. Source: the block
//! layouts of ggml, as the public Python package `gguf` reads them, whose results these are bit for bit.

use super::k_quants;
use crate::Error;
use half::{bf16, f16};

/// How a tensor's numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TensorType {
    F32,
    F16,
    Bf16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2K,
    Q3K,
    Q4K,
    Q5K,
    Q6K,
}

/// Types that aren't read, by their numbers, for the refusal.
const UNREAD: [(u32, &str); 17] = [
    (9, "Q8_1"),
    (15, "Q8_K"),
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (20, "IQ4_NL"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (23, "IQ4_XS"),
    (24, "I8"),
    (26, "I32"),
    (28, "F64"),
    (29, "IQ1_M"),
    (34, "TQ1_0"),
    (35, "TQ2_0"),
    (39, "MXFP4"),
];

impl TensorType {
    pub(super) const ALL: [Self; 13] = [
        Self::F32,
        Self::F16,
        Self::Bf16,
        Self::Q4_0,
        Self::Q4_1,
        Self::Q5_0,
        Self::Q5_1,
        Self::Q8_0,
        Self::Q2K,
        Self::Q3K,
        Self::Q4K,
        Self::Q5K,
        Self::Q6K,
    ];

    /// The type with this number, of the tensor of this name.
    pub(super) fn from_id(id: u32, tensor: &str) -> Result<Self, Error> {
        if let Some(found) = Self::ALL.into_iter().find(|kind| kind.id() == id) {
            return Ok(found);
        }
        let name = UNREAD
            .iter()
            .find(|(number, _)| *number == id)
            .map_or_else(|| format!("type {id}"), |(_, name)| (*name).to_owned());
        Err(Error::UnsupportedQuantisation(format!(
            "tensor `{tensor}` is stored as {name}, which can't be read; use a file with one of F32, F16, BF16, Q8_0, Q6_K, Q5_K, Q5_1, Q5_0, Q4_K, Q4_1, Q4_0, Q3_K and Q2_K"
        )))
    }

    /// Number in the file.
    pub(super) const fn id(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q4_0 => 2,
            Self::Q4_1 => 3,
            Self::Q5_0 => 6,
            Self::Q5_1 => 7,
            Self::Q8_0 => 8,
            Self::Q2K => 10,
            Self::Q3K => 11,
            Self::Q4K => 12,
            Self::Q5K => 13,
            Self::Q6K => 14,
            Self::Bf16 => 30,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::Q4_0 => "Q4_0",
            Self::Q4_1 => "Q4_1",
            Self::Q5_0 => "Q5_0",
            Self::Q5_1 => "Q5_1",
            Self::Q8_0 => "Q8_0",
            Self::Q2K => "Q2_K",
            Self::Q3K => "Q3_K",
            Self::Q4K => "Q4_K",
            Self::Q5K => "Q5_K",
            Self::Q6K => "Q6_K",
        }
    }

    /// Numbers in one block.
    pub(super) const fn block(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 => 1,
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 => 32,
            Self::Q2K | Self::Q3K | Self::Q4K | Self::Q5K | Self::Q6K => k_quants::BLOCK,
        }
    }

    /// Bytes of one block.
    pub(super) const fn block_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Q4_0 => 18,
            Self::Q4_1 => 20,
            Self::Q5_0 => 22,
            Self::Q5_1 => 24,
            Self::Q8_0 => 34,
            Self::Q2K => 84,
            Self::Q3K => 110,
            Self::Q4K => 144,
            Self::Q5K => 176,
            Self::Q6K => 210,
        }
    }

    /// Turns whole blocks into f32; `out` is as long as they ask for.
    pub(super) fn dequantise(self, bytes: &[u8], out: &mut [f32]) {
        let one = match self {
            Self::F32 => |block: &[u8], out: &mut [f32]| {
                out[0] = f32::from_le_bytes([block[0], block[1], block[2], block[3]]);
            },
            Self::F16 => |block: &[u8], out: &mut [f32]| out[0] = half_at(block, 0),
            Self::Bf16 => |block: &[u8], out: &mut [f32]| {
                out[0] = bf16::from_le_bytes([block[0], block[1]]).to_f32();
            },
            Self::Q4_0 => q4_0,
            Self::Q4_1 => q4_1,
            Self::Q5_0 => q5_0,
            Self::Q5_1 => q5_1,
            Self::Q8_0 => q8_0,
            Self::Q2K => k_quants::q2,
            Self::Q3K => k_quants::q3,
            Self::Q4K => k_quants::q4,
            Self::Q5K => k_quants::q5,
            Self::Q6K => k_quants::q6,
        };
        let blocks = bytes.chunks_exact(self.block_bytes());
        for (block, out) in blocks.zip(out.chunks_exact_mut(self.block())) {
            one(block, out);
        }
    }
}

/// The 16-bit float at this place.
pub(super) fn half_at(block: &[u8], place: usize) -> f32 {
    f16::from_le_bytes([block[place], block[place + 1]]).to_f32()
}

/// Four bits of each number: the low halves of 16 bytes are the first 16 numbers, the high ones the others.
fn nibble(bytes: &[u8], index: usize) -> u8 {
    bytes[index % 16] >> (index / 16 * 4) & 15
}

/// The fifth bit of each of 32 numbers.
fn fifth(bits: &[u8], index: usize) -> u8 {
    (bits[index / 8] >> (index % 8) & 1) << 4
}

fn q4_0(block: &[u8], out: &mut [f32]) {
    let scale = half_at(block, 0);
    for (index, out) in out.iter_mut().enumerate() {
        *out = scale * (f32::from(nibble(&block[2..], index)) - 8.0);
    }
}

fn q4_1(block: &[u8], out: &mut [f32]) {
    let (scale, least) = (half_at(block, 0), half_at(block, 2));
    for (index, out) in out.iter_mut().enumerate() {
        *out = scale * f32::from(nibble(&block[4..], index)) + least;
    }
}

fn q5_0(block: &[u8], out: &mut [f32]) {
    let scale = half_at(block, 0);
    for (index, out) in out.iter_mut().enumerate() {
        let number = nibble(&block[6..], index) | fifth(&block[2..], index);
        *out = scale * (f32::from(number) - 16.0);
    }
}

fn q5_1(block: &[u8], out: &mut [f32]) {
    let (scale, least) = (half_at(block, 0), half_at(block, 2));
    for (index, out) in out.iter_mut().enumerate() {
        let number = nibble(&block[8..], index) | fifth(&block[4..], index);
        *out = scale * f32::from(number) + least;
    }
}

fn q8_0(block: &[u8], out: &mut [f32]) {
    let scale = half_at(block, 0);
    for (byte, out) in block[2..].iter().zip(out) {
        *out = f32::from(byte.cast_signed()) * scale;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::hex;
    use sha2::{Digest, Sha256};

    /// What `reference/dequantise.py` prints, with the places of the 16-bit floats in a block.
    const DIGESTS: [(TensorType, &[usize], &str); 10] = [
        (
            TensorType::Q4_0,
            &[0],
            "3ef0d3296ae54113061ecd2cae8ad3ddd595e579f4f277ed6a4660aa59abc01c",
        ),
        (
            TensorType::Q4_1,
            &[0, 2],
            "f34a5564c784eef48bb41aa68e5ba682b96bb2f73661a9884b12517feb5ec6d2",
        ),
        (
            TensorType::Q5_0,
            &[0],
            "585c5362b83eb1ef9dea26a9b9be47ccbf7fb8ebe75f1b7017806dd8feeebce0",
        ),
        (
            TensorType::Q5_1,
            &[0, 2],
            "8dba97118adf451be27f9af552af90d7343c11e7a489c186c3f065878c21d671",
        ),
        (
            TensorType::Q8_0,
            &[0],
            "bc0f260c3cbd7e4ee81c277dae87137f2bb37e5ce85d8e3cd740a49f542675c0",
        ),
        (
            TensorType::Q2K,
            &[80, 82],
            "1134c9fc72a3e7679b2b9367a71cf65bd0936c2f92142c05fa69341c31fd3aa2",
        ),
        (
            TensorType::Q3K,
            &[108],
            "a86b71614a8603c6b5af2f190c047b5ccbbb10bbd31116971111911744ba61e3",
        ),
        (
            TensorType::Q4K,
            &[0, 2],
            "b8c8e2dffaacfaf94f038fa46dc113faab1b0aabfa40e4636fd131721434ceff",
        ),
        (
            TensorType::Q5K,
            &[0, 2],
            "bce88929e67abac5225dd19a317948a6bcf3dc62af121c9abfae74ee6b618b9d",
        ),
        (
            TensorType::Q6K,
            &[208],
            "1ff818bdce2c14125b7b1dbc9e26fcfb926ab86a9b341cc20c6d68d6489f3a68",
        ),
    ];

    #[test]
    fn every_block_format_gives_what_the_python_package_gives() {
        for (kind, floats, expected) in DIGESTS {
            let size = kind.block_bytes();
            let mut state = 1_u64;
            let bytes: Vec<u8> = (0..64 * size)
                .map(|place| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    let byte = (state >> 56) as u8;
                    let is_exponent = floats.iter().any(|start| start + 1 == place % size);
                    if is_exponent { byte & 0xBF } else { byte }
                })
                .collect();
            let mut values = vec![0.0_f32; 64 * kind.block()];
            kind.dequantise(&bytes, &mut values);
            let mut hash = Sha256::new();
            values.iter().for_each(|value| hash.update(value.to_le_bytes()));
            assert_eq!(hex(&hash.finalize()), expected, "{}", kind.name());
        }
    }
}
