use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::*;

fn inflate(encoding: Option<&str>, body: &[u8], size: usize) -> Result<Vec<u8>, InflateError> {
    let mut inflate = Inflate::new(encoding);
    let mut text = Vec::new();
    for mut chunk in body.chunks(size.max(1)) {
        while let Some(piece) = inflate.next(&mut chunk)? {
            text.extend_from_slice(piece);
        }
    }
    text.extend_from_slice(inflate.finish()?);
    Ok(text)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn sample() -> Vec<u8> {
    (0..9_000u32)
        .flat_map(|n| format!("{{\"n\":{}}}\n", n.wrapping_mul(2_654_435_761)).into_bytes())
        .collect()
}

#[test]
fn a_body_comes_out_the_same_however_it_is_cut_and_whoever_names_its_encoding() {
    let text = sample();
    for size in [1, 2, 3, 511, 513, 1 << 20] {
        assert!(inflate(None, &text, size).unwrap() == text);
        for encoding in [None, Some("gzip"), Some("identity")] {
            assert!(
                inflate(encoding, &gzip(&text), size).unwrap() == text,
                "gzip {encoding:?} {size}"
            );
        }
        for encoding in [None, Some("deflate")] {
            assert!(
                inflate(encoding, &zlib(&text), size).unwrap() == text,
                "zlib {encoding:?} {size}"
            );
        }
    }
}

#[test]
fn gzip_members_follow_each_other_and_bytes_after_a_zlib_stream_are_ignored() {
    let two = [gzip(b"one "), gzip(b"two")].concat();
    assert_eq!(inflate(None, &two, 3).unwrap(), b"one two");
    let trailed = [zlib(b"text"), b"trailing bytes".to_vec()].concat();
    for size in [1, 5, 100] {
        assert_eq!(inflate(None, &trailed, size).unwrap(), b"text");
    }
}

#[test]
fn a_body_that_is_not_what_it_says_is_refused() {
    assert_eq!(
        inflate(Some("gzip"), b"{\"metadata\"", 4),
        Err(InflateError::Header("gzip"))
    );
    assert_eq!(
        inflate(Some("deflate"), b"{\"metadata\"", 4),
        Err(InflateError::Header("zlib"))
    );
    assert_eq!(
        inflate(Some("gzip"), b"{", 4),
        Err(InflateError::Header("gzip"))
    );
    assert_eq!(inflate(Some("gzip"), b"", 4), Ok(Vec::new()));
    let mut damaged = gzip(&sample());
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    damaged[middle + 1] ^= 0xff;
    assert_eq!(
        inflate(None, &damaged, 100),
        Err(InflateError::Corrupt("gzip"))
    );
    let cut = gzip(&sample());
    assert_eq!(
        inflate(None, &cut[..cut.len() / 2], 100),
        Err(InflateError::Corrupt("gzip"))
    );
}

#[test]
fn a_broken_or_cut_header_is_told_from_a_damaged_body() {
    let whole = gzip(&sample());
    let broken = [b"\x1f\x8b\x07", &whole[3..]].concat();
    for size in [1, 4, 1 << 20] {
        for encoding in [None, Some("gzip")] {
            for body in (2..10).map(|end| &whole[..end]).chain([&*broken]) {
                let error = Err(InflateError::Header("gzip"));
                assert_eq!(inflate(encoding, body, size), error, "{}", body.len());
            }
            let cut = inflate(encoding, &whole[..10], size);
            assert_eq!(cut, Err(InflateError::Corrupt("gzip")));
        }
        for head in [b"{\"", b"\x78\x00", b"\x88\x1c", b"\x78\xbb"] {
            let error = Err(InflateError::Header("zlib"));
            assert_eq!(inflate(Some("deflate"), head, size), error, "{head:?}");
        }
        let cut = inflate(Some("deflate"), &zlib(&sample())[..2], size);
        assert_eq!(cut, Err(InflateError::Corrupt("zlib")));
    }
}

#[test]
fn a_bomb_is_stopped_and_no_step_is_large() {
    let bomb = gzip(&vec![b' '; 64 << 20]);
    let mut inflate = Inflate::new(Some("gzip"));
    let mut chunk = bomb.as_slice();
    let mut total = 0;
    let error = loop {
        match inflate.next(&mut chunk) {
            Ok(piece) => {
                let piece = piece.expect("the bomb is stopped before it ends");
                assert!(piece.len() < 700_000, "{}", piece.len());
                total += piece.len();
            }
            Err(error) => break error,
        }
    };
    assert_eq!(error, InflateError::Bomb("gzip"));
    assert!(total < 17 << 20, "{total}");
}
