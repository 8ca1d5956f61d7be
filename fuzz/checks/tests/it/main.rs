//! The checks over published examples and changes of them, without a fuzzer.

use std::io::Read as _;

use flate2::Compression;
use flate2::read::GzEncoder;
use fuzz_checks::corpus;

/// Larger bodies take long where each byte is a piece.
const LARGEST_BODY: usize = 32 * 1024;

/// Changes of each example.
const CHANGES: usize = 3;

/// Runs `check` over the texts of the published documents and over changes of them, always the same ones.
fn over_texts(check: fn(&str)) {
    let Some(fixtures) = corpus::fixtures() else {
        return;
    };
    let texts: Vec<String> = corpus::texts(&fixtures).into_iter().collect();
    assert!(texts.len() > 1000, "{} texts", texts.len());
    let mut random = fastrand::Rng::with_seed(29);
    for text in &texts {
        check(text);
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..CHANGES {
            let other = &texts[random.usize(..texts.len())];
            bytes = corpus::changed(&bytes, other.as_bytes(), &mut random);
            check(&String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn any_text_can_be_read_as_a_statement() {
    over_texts(fuzz_checks::statement);
}

#[test]
fn any_text_can_be_read_as_a_query() {
    over_texts(fuzz_checks::query);
}

#[test]
fn any_text_can_be_read_as_a_traceparent() {
    over_texts(fuzz_checks::traceparent);
    let known = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let mut random = fastrand::Rng::with_seed(29);
    let mut understood = 0;
    for _ in 0..20_000 {
        let changed = corpus::changed(known.as_bytes(), known.as_bytes(), &mut random);
        let text = String::from_utf8_lossy(&changed);
        understood += usize::from(apm_agent::TraceContext::from_traceparent(&text).is_some());
        fuzz_checks::traceparent(&text);
    }
    assert!((100..20_000).contains(&understood), "{understood}");
}

#[test]
fn any_body_can_be_read_as_events_in_any_pieces() {
    let Some(fixtures) = corpus::fixtures() else {
        return;
    };
    let is_body = |path: &std::path::Path| path.to_string_lossy().contains(".ndjson");
    let mut bodies = corpus::files(&fixtures, &is_body);
    bodies.retain(|body| body.len() <= LARGEST_BODY);
    assert!(bodies.len() > 20, "{} bodies", bodies.len());
    let mut random = fastrand::Rng::with_seed(29);
    for at in 0..bodies.len() {
        fuzz_checks::intake(&bodies[at]);
        let other = random.usize(..bodies.len());
        let changed = corpus::changed(&bodies[at], &bodies[other], &mut random);
        fuzz_checks::intake(&changed);
        let mut packed = GzEncoder::new(&changed[..], Compression::fast());
        let mut bytes = Vec::new();
        packed.read_to_end(&mut bytes).expect("memory");
        fuzz_checks::intake(&bytes);
        fuzz_checks::intake(&corpus::changed(&bytes, &bytes, &mut random));
    }
}

#[test]
fn any_body_can_be_read_as_telemetry() {
    let Some(fixtures) = corpus::fixtures() else {
        return;
    };
    let is_body = |path: &std::path::Path| {
        let name = path
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        path.parent().is_some_and(|folder| folder.ends_with("otlp"))
            && (name.contains("sdk") || name.contains("proto"))
    };
    let bodies = corpus::files(&fixtures, &is_body);
    assert!(bodies.len() >= 9, "{} bodies", bodies.len());
    let mut random = fastrand::Rng::with_seed(29);
    for at in 0..bodies.len() {
        fuzz_checks::otlp(&bodies[at]);
        let mut changed = bodies[at].clone();
        for _ in 0..50 {
            let other = random.usize(..bodies.len());
            changed = corpus::changed(&changed, &bodies[other], &mut random);
            fuzz_checks::otlp(&changed);
        }
    }
}
