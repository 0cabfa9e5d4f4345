//! Undoes content codings (RFC 9110, section 8.4) for eyes. The stored bytes stay as they came.

use std::io::{self, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// The most that a body unfolds to, in bytes: of what unfolds further only so much is shown.
pub const UNDONE_BYTES: u64 = 32 << 20;
/// How many codings are undone at most; senders use one.
const MOST_CODINGS: usize = 3;
/// How many bytes are undone at a time.
const STEP_BYTES: usize = 64 << 10;

/// What was under a coding.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unfolded {
    pub(super) bytes: Vec<u8>,
    /// Whether there is more.
    pub(super) stopped: bool,
}

/// The bytes under all the codings that a `Content-Encoding` names, the last of them first; no more than `limit` of each.
/// Why not, in one line, where one is not known or the bytes are not in it. Of a body that `is_cut` as much as there is.
pub(super) fn undone(bytes: &[u8], codings: &str, limit: u64, is_cut: bool) -> Result<Unfolded, String> {
    let named: Vec<&str> = codings.split(',').map(str::trim).filter(|coding| !coding.is_empty()).collect();
    if named.len() > MOST_CODINGS {
        return Err(format!("{} codings lie on top of each other", named.len()));
    }
    let mut unfolded = Unfolded { bytes: Vec::new(), stopped: is_cut };
    for (nth, coding) in named.iter().rev().enumerate() {
        let input = if nth == 0 { bytes } else { &unfolded.bytes };
        unfolded = one(input, coding, limit, unfolded.stopped)?;
    }
    Ok(Unfolded { stopped: unfolded.stopped && !is_cut, ..unfolded })
}

fn one(bytes: &[u8], coding: &str, limit: u64, is_cut: bool) -> Result<Unfolded, String> {
    let reader: Box<dyn Read + '_> = match &coding.to_ascii_lowercase()[..] {
        "gzip" | "x-gzip" => Box::new(MultiGzDecoder::new(bytes)),
        // The name means zlib (RFC 9110, section 8.4.1.2), and some send bare deflate under it.
        "deflate" if is_zlib(bytes) => Box::new(ZlibDecoder::new(bytes)),
        "deflate" => Box::new(DeflateDecoder::new(bytes)),
        "br" => Box::new(brotli_decompressor::Decompressor::new(bytes, 4096)),
        "zstd" => {
            let decoder =
                ruzstd::decoding::StreamingDecoder::new(bytes).map_err(|why| format!("it is no zstd: {why}"))?;
            Box::new(decoder)
        }
        "identity" => return Ok(Unfolded { bytes: bytes.to_vec(), stopped: is_cut }),
        _ => return Err("it is none that creel can undo".to_owned()),
    };
    read(reader, limit, is_cut).map_err(|why| format!("it is no whole {coding}: {why}"))
}

/// Whether bytes begin as zlib's do (RFC 1950, section 2.2).
fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [first, second, ..] if first & 15 == 8 && (u16::from(*first) << 8 | u16::from(*second)).is_multiple_of(31))
}

fn read(mut reader: impl Read, limit: u64, is_cut: bool) -> io::Result<Unfolded> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    loop {
        let start = bytes.len();
        bytes.resize(start + STEP_BYTES, 0);
        let read = reader.read(&mut bytes[start..]);
        bytes.truncate(start + read.as_ref().copied().unwrap_or(0));
        match read {
            Ok(0) => return Ok(Unfolded { bytes, stopped: is_cut }),
            Ok(_) if bytes.len() > limit => {
                bytes.truncate(limit);
                return Ok(Unfolded { bytes, stopped: true });
            }
            Ok(_) => {}
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(_) if is_cut && !bytes.is_empty() => return Ok(Unfolded { bytes, stopped: true }),
            Err(why) => return Err(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };

    use super::*;

    const TEXT: &[u8] = b"{\"fish\":\"trout\"}";
    /// `TEXT` by the reference encoders of both formats.
    const BROTLI: &str = "8b07807b2266697368223a2274726f7574227d03";
    const ZSTD: &str = "28b52ffd20108100007b2266697368223a2274726f7574227d";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::best());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn every_coding_is_undone() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(TEXT).unwrap();
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::default());
        bare.write_all(TEXT).unwrap();
        let zlib = zlib.finish().unwrap();
        let bytes = |text: &str| -> Vec<u8> {
            text.as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect()
        };
        for (coding, coded) in [
            ("gzip", gzip(TEXT)),
            ("X-GZIP", [gzip(&TEXT[..4]), gzip(&TEXT[4..])].concat()),
            ("deflate", zlib.clone()),
            ("deflate", bare.finish().unwrap()),
            ("br", bytes(BROTLI)),
            ("zstd", bytes(ZSTD)),
            ("deflate, gzip", gzip(&zlib)),
            ("identity", TEXT.to_vec()),
        ] {
            let unfolded = undone(&coded, coding, UNDONE_BYTES, false).unwrap();
            assert_eq!((&unfolded.bytes[..], unfolded.stopped), (TEXT, false), "{coding}");
        }
    }

    #[test]
    fn what_cannot_be_undone_says_why() {
        for (coding, coded, words) in [
            ("gzip", TEXT.to_vec(), "it is no whole gzip"),
            ("gzip", gzip(TEXT)[..20].to_vec(), "it is no whole gzip"),
            ("br", b"\xff\xff\xff".to_vec(), "it is no whole br"),
            ("zstd", TEXT.to_vec(), "it is no zstd"),
            ("aes128gcm", TEXT.to_vec(), "none that creel can undo"),
            ("gzip,gzip,gzip,gzip", TEXT.to_vec(), "4 codings"),
        ] {
            let why = undone(&coded, coding, UNDONE_BYTES, false).unwrap_err();
            assert!(why.contains(words), "{coding}: {why}");
        }
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit_however_deep_it_lies() {
        let bomb = gzip(&vec![0; 3 << 20]);
        let stopped = undone(&bomb, "gzip", 1 << 20, false).unwrap();
        assert_eq!((stopped.bytes.len(), stopped.stopped), (1 << 20, true));
        let nested = gzip(&gzip(&bomb));
        let stopped = undone(&nested, "gzip, gzip, gzip", 1 << 20, false).unwrap();
        assert_eq!((stopped.bytes.len(), stopped.stopped), (1 << 20, true));
    }

    #[test]
    fn of_a_body_that_is_still_read_as_much_is_undone_as_there_is() {
        let text: Vec<u8> =
            (0..200_000_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 7).to_string().into_bytes()).collect();
        let zipped = gzip(&text);
        let begun = undone(&zipped[..zipped.len() / 2], "gzip", UNDONE_BYTES, true).unwrap();
        assert!(begun.bytes.len() > text.len() / 4 && text.starts_with(&begun.bytes));
        assert!(undone(&zipped[..zipped.len() / 2], "gzip", UNDONE_BYTES, false).is_err());
    }
}
