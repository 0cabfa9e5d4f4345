//! Undoes content codings (RFC 9110, section 8.4) for eyes. The stored bytes stay as they came.

use std::io::{self, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// The most that a body may unfold to, in bytes: what unfolds further is shown as received.
pub const UNDONE_BYTES: u64 = 64 << 20;
/// How many codings are undone at most; senders use one.
const MOST_CODINGS: usize = 4;

/// The bytes under all the codings that a `Content-Encoding` names, the last of them first. Why not, in one line, where one
/// is not known, the bytes are not in it, or they unfold to more than `limit`.
pub(super) fn undone(bytes: &[u8], codings: &str, limit: u64) -> Result<Vec<u8>, String> {
    let named: Vec<&str> = codings.split(',').map(str::trim).filter(|coding| !coding.is_empty()).collect();
    if named.len() > MOST_CODINGS {
        return Err(format!("{} codings on top of each other", named.len()));
    }
    named.iter().rev().try_fold(bytes.to_vec(), |bytes, coding| one(&bytes, coding, limit))
}

fn one(bytes: &[u8], coding: &str, limit: u64) -> Result<Vec<u8>, String> {
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
        "identity" => return Ok(bytes.to_vec()),
        _ => return Err("it is none that creel can undo".to_owned()),
    };
    read(reader, limit).map_err(|why| format!("it is no whole {coding}: {why}"))
}

/// Whether bytes begin as zlib's do (RFC 1950, section 2.2).
fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [first, second, ..] if first & 15 == 8 && (u16::from(*first) << 8 | u16::from(*second)).is_multiple_of(31))
}

fn read(reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    reader.take(limit + 1).read_to_end(&mut out)?;
    if out.len() as u64 > limit {
        return Err(io::Error::other(format!("it unfolds to more than {} MiB", limit >> 20)));
    }
    Ok(out)
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
            assert_eq!(undone(&coded, coding, UNDONE_BYTES).as_deref(), Ok(TEXT), "{coding}");
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
            ("gzip,gzip,gzip,gzip,gzip", TEXT.to_vec(), "5 codings"),
        ] {
            let why = undone(&coded, coding, UNDONE_BYTES).unwrap_err();
            assert!(why.contains(words), "{coding}: {why}");
        }
        let bomb = gzip(&vec![0; 3 << 20]);
        assert!(undone(&bomb, "gzip", 2 << 20).unwrap_err().contains("more than 2 MiB"));
    }
}
