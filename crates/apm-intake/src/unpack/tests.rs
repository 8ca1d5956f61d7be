use std::io::Write as _;

use flate2::write::{GzEncoder, ZlibEncoder};

use super::*;

fn packed(compression: Compression, text: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::default();
    match compression {
        Compression::None => text.to_vec(),
        Compression::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), level);
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Deflate => {
            let mut encoder = ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Zstd => zstd::encode_all(text, 3).unwrap(),
    }
}

fn unpacked(compression: Compression, body: &[u8]) -> Result<Vec<u8>, Corrupt> {
    let mut unpack = Unpack::new(compression, body)?;
    let mut text = Vec::new();
    while unpack.next(&mut text)? > 0 {}
    Ok(text)
}

const ALL: [Compression; 4] = [
    Compression::None,
    Compression::Gzip,
    Compression::Deflate,
    Compression::Zstd,
];

#[test]
fn each_encoding_is_undone_in_pieces_that_are_not_large() {
    let text: Vec<u8> = (0..900_000_u32).map(|n| (n % 251) as u8).collect();
    for compression in ALL {
        let body = packed(compression, &text);
        assert!(unpacked(compression, &body).unwrap() == text);
        let mut unpack = Unpack::new(compression, &body).unwrap();
        let mut piece = Vec::new();
        assert_eq!(unpack.next(&mut piece).unwrap(), PIECE);
        assert_eq!(
            unpacked(compression, &packed(compression, b"")).unwrap(),
            b""
        );
    }
    let two = [
        packed(Compression::Gzip, b"one "),
        packed(Compression::Gzip, b"two"),
    ];
    assert_eq!(
        unpacked(Compression::Gzip, &two.concat()).unwrap(),
        b"one two"
    );
}

#[test]
fn a_body_that_is_not_what_it_says_or_is_cut_names_its_encoding() {
    for compression in &ALL[1..] {
        let whole = packed(*compression, &[7; 5000]);
        for body in [
            &b"{\"resourceSpans\":[]}"[..],
            &whole[..whole.len() - 1],
            b"\x1f",
        ] {
            let error = unpacked(*compression, body)
                .expect_err("refused")
                .to_string();
            assert!(error.contains(compression.name()), "{error}");
        }
    }
}

#[test]
fn a_window_of_zstd_beyond_the_limit_is_refused() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(24).unwrap();
    encoder.include_contentsize(false).unwrap();
    encoder.write_all(&vec![7; 32 << 20]).unwrap();
    let body = encoder.finish().unwrap();
    assert!(unpacked(Compression::Zstd, &body).is_err());
}

#[test]
fn encodings_are_known_by_their_names() {
    assert_eq!(Compression::named(" GZIP "), Some(Compression::Gzip));
    assert_eq!(Compression::named("identity"), Some(Compression::None));
    for unknown in ["br", "snappy", "gzip, zstd"] {
        assert_eq!(Compression::named(unknown), None, "{unknown}");
    }
}
