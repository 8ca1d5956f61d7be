//! Blocks as they are packed, read back and damaged.

use super::*;

fn built() -> Builder {
    let mut builder = Builder::default();
    let document = |kind, stack, json| Document { kind, stack, json };
    builder.transaction(30);
    builder.push(1, 20, document(Kind::Transaction, 0, "{}"), 7);
    builder.push(2, 10, document(Kind::Error, 300, r#"{"a":"ž"}"#), 8);
    builder
}

#[test]
fn a_block_knows_what_time_it_spans() {
    let facts = Facts {
        events: 2,
        received: 2,
        ts_min: 10,
        ts_max: 20,
        tx_longest: Some(30),
        span_longest: None,
    };
    assert_eq!(built().facts(), facts);
}

#[test]
fn documents_come_back_as_they_went_in() {
    let packed = Packer::new().expect("zstd").pack(built().raw.text());
    let raw = unpack(&packed).expect("sound");
    let documents = documents(&raw).expect("sound");
    assert_eq!(documents.len(), 2);
    assert_eq!(
        documents[1],
        Some(Document {
            kind: Kind::Error,
            stack: 300,
            json: r#"{"a":"ž"}"#
        })
    );
}

#[test]
fn documents_that_stay_keep_their_places() {
    let raw = built().raw;
    let raw = raw.text();
    let all = documents(raw).expect("sound");
    let second = thinned(&all, |slot| slot == 1);
    assert_eq!(documents(&second).expect("sound"), [None, all[1]]);
    let first = thinned(&all, |slot| slot == 0);
    assert_eq!(documents(&first).expect("sound"), [all[0]]);
    assert!(thinned(&all, |_| false).is_empty());
}

#[test]
fn a_flipped_bit_is_an_error_or_changes_nothing() {
    let raw = built().raw.text().repeat(20);
    let packed = Packer::new().expect("zstd").pack(&raw);
    for at in 0..packed.len() {
        for bit in 0..8 {
            let mut damaged = packed.clone();
            damaged[at] ^= 1 << bit;
            if let Ok(read) = unpack(&damaged) {
                assert!(read == raw, "bit {bit} of byte {at}");
            }
        }
    }
}

fn packed(builder: &Builder) -> Packed {
    let mut packer = Packer::new().expect("zstd");
    let (data, sums) = builder.pack(&mut packer);
    Packed {
        id: 1,
        data,
        events: i32::try_from(builder.facts().events).expect("few"),
        sums: Some(sums),
    }
}

#[test]
fn a_flipped_bit_of_a_block_or_of_its_number_of_events_is_an_error() {
    let builder = built();
    let sound = packed(&builder);
    assert_eq!(sound.unpack().expect("sound"), builder.raw.text());
    for at in 0..sound.data.len() * 8 {
        let mut damaged = packed(&builder);
        damaged.data[at / 8] ^= 1 << (at % 8);
        assert!(damaged.unpack().is_err(), "bit {at} of the documents");
    }
    let rows = sound.events as usize * SUM;
    for at in 8 * rows..8 * (rows + SUM) {
        let mut damaged = packed(&builder);
        let sums = damaged.sums.as_mut().expect("checksums");
        sums[at / 8] ^= 1 << (at % 8);
        assert!(damaged.unpack().is_err(), "bit {at} of the checksums");
    }
    for bit in 0..31 {
        let mut damaged = packed(&builder);
        damaged.events ^= 1 << bit;
        assert!(
            damaged.unpack().is_err(),
            "bit {bit} of the number of events"
        );
    }
}

#[test]
fn a_block_of_earlier_versions_is_read() {
    let builder = built();
    for (sums, with_checksum) in [
        (None, false),
        (None, true),
        (Some(builder.sums.clone()), true),
    ] {
        let mut packer = Packer::new().expect("zstd");
        let block = Packed {
            id: 1,
            data: match with_checksum {
                true => packer.pack(builder.raw.text()),
                false => packer.pack_growing(&builder.raw),
            },
            events: 2,
            sums,
        };
        assert_eq!(block.unpack().expect("sound"), builder.raw.text());
    }
}

#[test]
fn damage_is_an_error_and_never_a_panic() {
    let packed = Packer::new().expect("zstd").pack(built().raw.text());
    for len in 0..packed.len() {
        assert!(unpack(&packed[..len]).is_err(), "{len}");
    }
    let raw = built().raw.text().to_vec();
    for at in 0..raw.len() {
        let mut damaged = raw.clone();
        damaged[at] = 0xff;
        let _ = documents(&damaged);
        let _ = documents(&raw[at..]);
    }
}
