use super::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SHORT: &str = "00f067aa0ba902b7";

#[test]
fn each_way_to_paste_an_id_leads_to_the_stored_one() {
    for text in [
        TRACE,
        "4BF92F3577B34DA6A3CE929D0E0E4736",
        " 4bf92f3577b34da6a3ce929d0e0e4736\n",
        "\"4bf92f3577b34da6a3ce929d0e0e4736\",",
        "4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
        "4bf92f35 77b34da6 a3ce929d 0e0e4736",
        "0x4BF92F3577B34DA6A3CE929D0E0E4736",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "traceparent: 00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-00",
        "TRACEPARENT=\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"",
    ] {
        assert!(
            readings(text, Part::Trace).contains(&TRACE.to_owned()),
            "{text}"
        );
        assert_eq!(readings(text, Part::Trace)[0], text);
        assert_eq!(core(text).as_deref(), Some(TRACE), "{text}");
    }
    for text in [
        SHORT,
        "f067aa0ba902b7",
        "0000000000000000 00F067AA0BA902B7",
        "000000000000000000f067aa0ba902b7",
    ] {
        let readings = readings(text, Part::Span);
        assert!(readings.contains(&SHORT.to_owned()), "{text}: {readings:?}");
        assert!(
            readings.contains(&format!("{SHORT:0>32}")),
            "{text}: {readings:?}"
        );
        assert_eq!(core(text).as_deref(), Some("f067aa0ba902b7"), "{text}");
    }
    let both = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assert!(readings(both, Part::Span).contains(&SHORT.to_owned()));
    assert!(!readings(both, Part::Span).contains(&TRACE.to_owned()));
}

#[test]
fn a_hash_is_read_with_and_without_its_zeros() {
    for text in [
        "00000000000000ff",
        "FF",
        " ff\n",
        "0xff",
        "00000000000000000000000000ff",
    ] {
        assert_eq!(hash(text), Some(255), "{text}");
    }
    for text in ["", "x", "10000000000000000", "ff g"] {
        assert_eq!(hash(text), None, "{text}");
    }
}

#[test]
fn other_texts_mean_themselves_only() {
    for text in [
        "",
        "order-17",
        "žluťoučký",
        "4bf92f3577b34da6a3ce929d0e0e47361",
        "00-xyz-01",
    ] {
        assert_eq!(readings(text, Part::Trace), [text]);
    }
    for text in [
        "",
        "facade",
        "deadbeef",
        "1234567",
        "accede-decade-facade",
        "a word",
    ] {
        assert_eq!(core(text), None, "{text}");
    }
}
