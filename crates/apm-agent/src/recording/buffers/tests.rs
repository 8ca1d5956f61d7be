use std::sync::atomic::AtomicBool;

use super::*;

const METADATA: &[u8] = b"{\"metadata\":{}}\n";

fn buffers_of(bytes: usize) -> Buffers {
    Buffers::new(METADATA.to_vec(), bytes)
}

fn buffers() -> Buffers {
    buffers_of(8 << 20)
}

fn record(buffers: &Buffers, line: &[u8]) {
    buffers.append(1, |out| out.extend_from_slice(line));
}

fn record_error(buffers: &Buffers, line: &[u8]) {
    buffers.counters.recorded(1);
    buffers.append_error(|out| out.extend_from_slice(line));
}

fn pop(buffers: &Buffers) -> Body {
    buffers.pop().expect("a body waits").1
}

/// Everything that waits, with the metadata lines left out, and the memory that it took.
fn drain(buffers: &Buffers) -> (String, u64, usize) {
    let (mut text, mut events, mut memory) = (String::new(), 0, 0);
    buffers.ripen();
    while let Some((_, body)) = buffers.pop() {
        let body_text = std::str::from_utf8(&body.bytes).unwrap();
        text.push_str(body_text.strip_prefix("{\"metadata\":{}}\n").unwrap());
        events += body.events;
        memory += body.bytes.capacity();
    }
    (text, events, memory)
}

#[test]
fn a_full_buffer_is_a_request_body() {
    let buffers = buffers();
    buffers.set_limit(40);
    record(&buffers, b"{\"span\":{\"name\":\"a long one\"}}\n");
    let body = pop(&buffers);
    assert!(body.bytes.starts_with(b"{\"metadata\":{}}\n{\"span\""));
    assert_eq!(body.events, 1);
}

#[test]
fn what_ripens_is_merged_behind_one_metadata_line() {
    let buffers = Arc::new(buffers());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| buffers.append(2, |out| out.extend_from_slice(b"{}\n{}\n")));
        }
    });
    buffers.ripen();
    let body = pop(&buffers);
    assert_eq!(body.events, 6);
    assert_eq!(body.bytes, b"{\"metadata\":{}}\n{}\n{}\n{}\n{}\n{}\n{}\n");
    assert!(buffers.pop().is_none());
}

#[test]
fn metadata_that_changed_replaces_the_line_already_written() {
    let buffers = buffers();
    record(&buffers, b"{}\n");
    buffers.set_metadata(b"{\"metadata\":{\"cloud\":1}}\n".to_vec());
    buffers.ripen();
    assert_eq!(pop(&buffers).bytes, b"{\"metadata\":{\"cloud\":1}}\n{}\n");
}

#[test]
fn an_hour_without_a_server_at_a_transaction_every_five_seconds_drops_nothing() {
    let buffers = buffers();
    let line = [&[b'x'; 1500][..], b"\n"].concat();
    // Two transactions and an error between two sendings, each of which fails.
    for _ in 0..360 {
        record(&buffers, &line);
        record(&buffers, &line);
        record_error(&buffers, &line);
        buffers.ripen();
        let (content, body) = buffers.pop().unwrap();
        buffers.push_front(content, body);
    }
    assert!(buffers.fill() < 0.4, "{}", buffers.fill());
    let (_, events, _) = drain(&buffers);
    assert_eq!(events, 3 * 360);
    assert_eq!(buffers.counters.snapshot().dropped_total(), 0);
}

#[test]
fn a_sender_that_never_comes_costs_bounded_memory_and_every_loss_is_counted() {
    for bytes in [0, 64 << 10, 1 << 20, 8 << 20] {
        let buffers = buffers_of(bytes);
        for number in 0..20_000 {
            record(&buffers, format!("{number:01000}\n").as_bytes());
        }
        buffers.ripen();
        assert!(buffers.fill() > 0.7, "{}", buffers.fill());
        let (text, held, memory) = drain(&buffers);
        let room = bytes.max(MIN_BODIES * capacity(MIN_BUFFER_BYTES));
        assert!(memory <= room, "{memory} for {bytes}");
        assert!(memory >= room / 2, "{memory} for {bytes}");
        assert_eq!(buffers.fill(), 0.0);
        let stats = buffers.counters.snapshot();
        assert_eq!(stats.recorded, 20_000);
        assert_eq!(stats.recorded, held + stats.dropped(DropReason::QueueFull));
        // The newest are left, in order and without a gap.
        let numbers: Vec<u64> = text.lines().map(|line| line.parse().unwrap()).collect();
        let newest: Vec<u64> = (20_000 - held..20_000).collect();
        assert_eq!(numbers, newest, "{bytes}");
    }
}

#[test]
fn errors_survive_a_flood_of_other_events() {
    let buffers = buffers_of(1 << 20);
    let line = vec![b'x'; 1000];
    for number in 0..100 {
        record_error(&buffers, format!("error {number}\n").as_bytes());
        for _ in 0..200 {
            record(&buffers, &line);
        }
        buffers.ripen();
    }
    let stats = buffers.counters.snapshot();
    assert!(stats.dropped(DropReason::QueueFull) > 15_000, "{stats:?}");
    buffers.ripen();
    let (content, first) = buffers.pop().unwrap();
    assert_eq!((content, first.events), (Content::Errors, 100));
    let text = String::from_utf8(first.bytes).unwrap();
    let numbers: Vec<usize> = text
        .lines()
        .filter_map(|line| line.strip_prefix("error ")?.parse().ok())
        .collect();
    assert_eq!(numbers, (0..100).collect::<Vec<_>>());
}

#[test]
fn a_flood_of_errors_leaves_half_of_the_room_to_other_events() {
    let buffers = buffers_of(1 << 20);
    let line = [&[b'x'; 999][..], b"\n"].concat();
    let error = [&[b'e'; 999][..], b"\n"].concat();
    for _ in 0..20_000 {
        record_error(&buffers, &error);
        record(&buffers, &line);
    }
    let (text, held, _) = drain(&buffers);
    let errors = text.lines().filter(|line| line.starts_with('e')).count();
    let others = text.lines().filter(|line| line.starts_with('x')).count();
    assert!(errors > 200 && others > 200, "{errors} and {others}");
    let stats = buffers.counters.snapshot();
    assert_eq!(stats.recorded, held + stats.dropped(DropReason::QueueFull));
}

#[test]
fn a_body_that_comes_back_is_the_next_unless_its_place_is_taken() {
    let buffers = buffers_of(1 << 20);
    record(&buffers, b"old\n");
    buffers.ripen();
    let (content, body) = buffers.pop().unwrap();
    record(&buffers, &[b'n'; BUFFER_BYTES]);
    buffers.push_front(content, body);
    let (content, body) = buffers.pop().unwrap();
    assert!(body.bytes.ends_with(b"old\n"));
    while buffers.fill() < 0.9 {
        record(&buffers, &[b'n'; 1000]);
    }
    let dropped = buffers.counters.snapshot().dropped_total();
    buffers.push_front(content, body);
    assert!(pop(&buffers).bytes.ends_with(b"n"));
    assert_eq!(buffers.counters.snapshot().dropped_total(), dropped + 1);
}

#[test]
fn an_event_beyond_the_limit_of_the_server_is_shortened() {
    let buffers = buffers();
    let long = format!(
        "{{\"log\":{{\"message\":\"{}\"}}}}\n",
        "m".repeat(fit::MAX_LINE)
    );
    record(&buffers, b"{\"log\":{}}\n");
    record(&buffers, long.as_bytes());
    let (text, events, _) = drain(&buffers);
    assert_eq!((text.lines().count(), events), (2, 2));
    assert!(text.len() < 10_000);
}

#[test]
fn threads_that_record_while_the_server_is_away_lose_nothing_from_the_accounts() {
    let buffers = buffers_of(256 << 10);
    let over = AtomicBool::new(false);
    let line = vec![b'x'; 700];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                buffers.ripen();
                if let Some((content, body)) = buffers.pop() {
                    buffers.push_front(content, body);
                }
            }
        });
        let producers: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| (0..10_000).for_each(|_| record(&buffers, &line))))
            .collect();
        for producer in producers {
            producer.join().unwrap();
        }
        over.store(true, Ordering::Relaxed);
    });
    let mut held = 0;
    buffers.ripen();
    while let Some((_, body)) = buffers.pop() {
        held += body.events;
    }
    let stats = buffers.counters.snapshot();
    assert_eq!(stats.recorded, 30_000);
    assert_eq!(stats.recorded, held + stats.dropped(DropReason::QueueFull));
}
