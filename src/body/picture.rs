//! The view of pictures: format and size from the first bytes, and where they are small enough the picture itself, two
//! pixels a character.

use std::io::Cursor;

use image::{ImageFormat, ImageReader, Limits};

use super::{Content, Document, Line, Role, Span, amount, stack, stack::Stack};

/// The most pixels of a picture that is drawn: what claims more is named and not decoded.
const MOST_PIXELS: u64 = 24_000_000;
/// The most memory that a decoder may take, in bytes.
const MOST_BYTES: u64 = 128 << 20;
/// How many rows of characters a picture takes at most.
const MOST_ROWS: u32 = 60;

/// What the first bytes of a picture say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Claim {
    format: &'static str,
    decoder: Option<ImageFormat>,
    /// Width and height; none where they are not among the bytes.
    pixels: Option<(u32, u32)>,
}

/// Any bytes that begin as a picture does.
pub(super) fn fits(content: &Content) -> bool {
    content.coding().is_none() && claim(&content.bytes).is_some()
}

/// Reads the first bytes, and decodes what is small enough.
pub(super) fn open(content: &Content) -> Result<Box<dyn Document>, String> {
    content.refuse_coding()?;
    let claim =
        claim(&content.bytes).ok_or("this begins as no picture that creel knows: PNG, JPEG, GIF, WebP, BMP, ICO")?;
    let pixels = claim.pixels.map_or("size unknown".to_owned(), |(width, height)| format!("{width} x {height} pixels"));
    let words = format!("{} picture, {pixels}, {}", claim.format, amount(content.bytes.len() as u64));
    let mut stack = Stack::default();
    stack.add(vec![vec![stack::span(Role::Markup, &words)]]);
    match drawn(content, &claim) {
        Ok(lines) => stack.add(lines),
        Err(why) => stack.add(vec![vec![stack::span(Role::Dim, &format!("not drawn: {why}"))]]),
    }
    Ok(stack.noted(&[words]))
}

fn drawn(content: &Content, claim: &Claim) -> Result<Vec<Line>, String> {
    if content.is_cut {
        return Err("the rest is still to be read".to_owned());
    }
    let decoder = claim.decoder.ok_or("there is no decoder for it")?;
    let (width, height) = claim.pixels.ok_or("its size is not to be seen")?;
    let count = u64::from(width) * u64::from(height);
    if count == 0 {
        return Err("it has no pixels".to_owned());
    }
    if count > MOST_PIXELS {
        return Err(format!(
            "it has {} million pixels, and {} are the most",
            count / 1_000_000,
            MOST_PIXELS / 1_000_000
        ));
    }
    let mut reader = ImageReader::with_format(Cursor::new(&content.bytes), decoder);
    let mut limits = Limits::default();
    limits.max_image_width = Some(width);
    limits.max_image_height = Some(height);
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let picture = reader.decode().map_err(|why| super::fit(&why.to_string(), 160))?;
    let columns = (content.picture_columns() as u32).min(width);
    let rows = (u64::from(columns) * u64::from(height) / u64::from(width)).clamp(1, u64::from(2 * MOST_ROWS)) as u32;
    let columns = (u64::from(rows) * u64::from(width) / u64::from(height)).clamp(1, u64::from(columns)) as u32;
    let small = picture.thumbnail_exact(columns, rows).to_rgba8();
    // What is clear is shown as on grey paper.
    let pixel = |x: u32, y: u32| -> [u8; 3] {
        let Some(pixel) = small.get_pixel_checked(x, y) else { return [PAPER; 3] };
        let [red, green, blue, alpha] = pixel.0.map(u16::from);
        [red, green, blue].map(|part| ((part * alpha + u16::from(PAPER) * (255 - alpha)) / 255) as u8)
    };
    let row = |y: u32| -> Line {
        let mut line: Line = Vec::new();
        for x in 0..columns {
            let role = Role::Pixels(pixel(x, 2 * y), pixel(x, 2 * y + 1));
            match line.last_mut().filter(|span| span.role == role) {
                Some(span) => span.text.push('▀'),
                None => line.push(Span { role, text: "▀".to_owned() }),
            }
        }
        line
    };
    Ok((0..rows.div_ceil(2)).map(row).collect())
}

/// The grey behind what is clear.
const PAPER: u8 = 0x40;

/// The character that stands for two pixels where there are no colours: the lighter, the fuller.
pub fn shade(top: [u8; 3], bottom: [u8; 3]) -> char {
    let light = |[red, green, blue]: [u8; 3]| (u32::from(red) * 2 + u32::from(green) * 5 + u32::from(blue)) / 8;
    match light(top).midpoint(light(bottom)) {
        0..=42 => ' ',
        43..=90 => '░',
        91..=150 => '▒',
        151..=210 => '▓',
        _ => '█',
    }
}

/// What the first bytes say.
fn claim(bytes: &[u8]) -> Option<Claim> {
    let (format, decoder, pixels) = match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => {
            ("PNG", Some(ImageFormat::Png), pair(bytes, 16, 4, u32::from_be_bytes))
        }
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => {
            ("GIF", Some(ImageFormat::Gif), pair(bytes, 6, 2, u32::from_le_bytes))
        }
        [0xFF, 0xD8, 0xFF, ..] => ("JPEG", Some(ImageFormat::Jpeg), jpeg(bytes)),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => {
            ("WebP", Some(ImageFormat::WebP), webp(bytes))
        }
        // The size of the header that follows tells a bitmap from a text that begins with BM.
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => ("BMP", Some(ImageFormat::Bmp), bmp(bytes)),
        [0, 0, 1, 0, _, 0, width, height, ..] => {
            let side = |side: &u8| if *side == 0 { 256 } else { u32::from(*side) };
            ("ICO", None, Some((side(width), side(height))))
        }
        _ => return None,
    };
    Some(Claim { format, decoder, pixels })
}

/// Two numbers of so many bytes from a place on.
fn pair(bytes: &[u8], at: usize, size: usize, read: fn([u8; 4]) -> u32) -> Option<(u32, u32)> {
    let number = |at: usize| -> Option<u32> {
        let given = bytes.get(at..at + size)?;
        let mut four = [0; 4];
        let start = if read([0, 0, 0, 1]) == 1 { 4 - size } else { 0 };
        four[start..start + size].copy_from_slice(given);
        Some(read(four))
    };
    Some((number(at)?, number(at + size)?))
}

/// The size in the first frame header (ITU T.81, annex B.2.2).
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let [0xFF, marker, rest @ ..] = bytes.get(at..)? else { return None };
        match marker {
            0xFF => at += 1,
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                return pair(rest, 3, 2, u32::from_be_bytes).map(|(height, width)| (width, height));
            }
            0x01 | 0xD0..=0xD8 => at += 2,
            _ => {
                let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
                at += 2 + length.max(2);
            }
        }
    }
}

/// The size in the first chunk: lossy, lossless or extended.
fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        b"VP8 " => pair(bytes, 26, 2, u32::from_le_bytes).map(|(width, height)| (width & 0x3FFF, height & 0x3FFF)),
        b"VP8L" => {
            let bits = u32::from_le_bytes(*bytes.get(21..)?.first_chunk()?);
            Some(((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1))
        }
        b"VP8X" => pair(bytes, 24, 3, u32::from_le_bytes).map(|(width, height)| (width + 1, height + 1)),
        _ => None,
    }
}

/// Rows from the top down have a negative height.
fn bmp(bytes: &[u8]) -> Option<(u32, u32)> {
    let (width, height) = pair(bytes, 18, 4, u32::from_le_bytes)?;
    Some((width, (height as i32).unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
        let colour = |x: u32, y: u32| image::Rgb([(x * 7) as u8, (y * 11) as u8, 200]);
        let mut bytes = Vec::new();
        let picture = image::RgbImage::from_fn(width, height, colour);
        image::DynamicImage::from(picture).write_to(&mut Cursor::new(&mut bytes), format).unwrap();
        bytes
    }

    fn opened(bytes: Vec<u8>) -> Box<dyn Document> {
        open(&Content { bytes: bytes.into(), columns: 20, ..Content::default() }).unwrap()
    }

    #[test]
    fn each_format_says_its_size_in_its_first_bytes_and_is_drawn() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Bmp] {
            let bytes = picture(format, 40, 20);
            assert_eq!(claim(&bytes).unwrap().pixels, Some((40, 20)), "{format:?}");
            let document = opened(bytes);
            let lines = document.lines(0..document.line_count());
            assert_eq!(lines.len(), 1 + 5, "{format:?}");
            let columns: usize = lines[1].iter().map(|span| span.text.chars().count()).sum();
            assert!(columns == 20 && lines[1].iter().all(|span| matches!(span.role, Role::Pixels(..))), "{format:?}");
            assert!(document.note().unwrap().contains("40 x 20 pixels"));
        }
    }

    #[test]
    fn what_claims_to_be_huge_or_breaks_off_is_named_and_not_drawn() {
        let mut png = picture(ImageFormat::Png, 4, 4);
        png[16..24].copy_from_slice(&[0, 1, 0x86, 0xA0, 0, 1, 0x86, 0xA0]);
        let mut gif = picture(ImageFormat::Gif, 4, 4);
        gif[6..10].copy_from_slice(&[255; 4]);
        let jpeg = picture(ImageFormat::Jpeg, 64, 64);
        for (bytes, words) in [
            (png, "10000 million pixels"),
            (gif, "4294 million pixels"),
            (jpeg[..20].to_vec(), "not to be seen"),
            (picture(ImageFormat::Png, 64, 64)[..60].to_vec(), "not drawn: "),
            (b"\x89PNG\r\n\x1a\n".to_vec(), "not to be seen"),
            (b"BM\0\0\0\0\0\0\0\0".to_vec(), "not to be seen"),
        ] {
            let document = opened(bytes);
            let text: String = document.lines(1..2).concat().iter().map(|span| &span.text[..]).collect();
            assert!(text.contains(words), "{text}");
        }
        assert!(open(&Content::default()).is_err());
    }

    #[test]
    fn a_tall_picture_keeps_its_shape() {
        let document = opened(picture(ImageFormat::Png, 2, 400));
        assert_eq!(document.line_count(), 1 + MOST_ROWS as usize);
    }
}
