//! A picture at a quarter of its width and height.

use png::{BitDepth, ColorType, Compression, Decoder, Encoder, Filter, Transformations};
use std::io::Cursor;

/// Pixels of the browser's in a row of one of ours.
pub(super) const SCALE: usize = 4;

/// Red, green and blue, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reduced {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<[u8; 3]>,
}

impl Reduced {
    /// What the browser took, as PNG, reduced: each pixel is the mean of 4 × 4. What is over at the right and at the
    /// bottom is left out.
    #[must_use]
    pub fn of(taken: &[u8]) -> Self {
        let whole = Self::read(taken);
        let (width, height) = (whole.width / SCALE, whole.height / SCALE);
        let mut sums = vec![[0_u16; 3]; width];
        let mut pixels = Vec::with_capacity(width * height);
        for rows in whole.pixels.chunks_exact(whole.width * SCALE) {
            sums.fill([0; 3]);
            for row in rows.chunks_exact(whole.width) {
                for (sum, cells) in sums.iter_mut().zip(row.chunks_exact(SCALE)) {
                    for [red, green, blue] in cells {
                        sum[0] += u16::from(*red);
                        sum[1] += u16::from(*green);
                        sum[2] += u16::from(*blue);
                    }
                }
            }
            let mean = |sum: u16| u8::try_from(sum / (SCALE * SCALE) as u16).expect("a mean of bytes");
            pixels.extend(
                sums.iter()
                    .map(|[red, green, blue]| [mean(*red), mean(*green), mean(*blue)]),
            );
        }
        Self {
            width,
            height,
            pixels,
        }
    }

    /// Reads a PNG as it is.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let mut decoder = Decoder::new(Cursor::new(bytes));
        decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
        let mut reader = decoder.read_info().expect("a PNG");
        let mut buffer = vec![0; reader.output_buffer_size().expect("a picture of some size")];
        let frame = reader.next_frame(&mut buffer).expect("a whole PNG");
        let samples = frame.color_type.samples();
        assert!(samples >= 3, "a picture in colour");
        let pixels = buffer[..frame.buffer_size()]
            .chunks_exact(samples)
            .map(|pixel| [pixel[0], pixel[1], pixel[2]])
            .collect();
        Self {
            width: frame.width as usize,
            height: frame.height as usize,
            pixels,
        }
    }

    /// As PNG.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (width, height) = (self.width as u32, self.height as u32);
        let mut encoder = Encoder::new(&mut bytes, width, height);
        encoder.set_color(ColorType::Rgb);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(Compression::High);
        encoder.set_filter(Filter::Adaptive);
        let mut writer = encoder.write_header().expect("a header");
        writer
            .write_image_data(self.pixels.as_flattened())
            .expect("a picture");
        writer.finish().expect("a picture");
        bytes
    }
}
