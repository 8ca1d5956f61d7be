//! Real stacks of this very code, from address to source line.

use super::*;
use crate::config::{Config, LocalSources, Snapshot};
use crate::recording::stack::capture;
use std::panic::Location;
use std::sync::Arc;

fn settings(code: &[(&str, &str)]) -> Arc<Snapshot> {
    let code = code
        .iter()
        .map(|&(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    Config::resolve(LocalSources {
        code,
        ..LocalSources::default()
    })
    .0
    .snapshot()
}

/// The tests live among the agent's sources: only the capturing itself is to count as the agent's.
fn resolver(settings: &Snapshot) -> Resolver {
    let mut resolver = Resolver::new(settings);
    resolver.classifier.agent = concat!(env!("CARGO_MANIFEST_DIR"), "/src/recording/stack.rs");
    resolver
}

#[inline(never)]
fn take_addresses(limit: Option<usize>) -> (Vec<usize>, u32) {
    (capture(limit), line!()) // the line that is looked for
}

#[test]
fn a_stack_is_resolved_to_functions_lines_and_source() {
    let settings = settings(&[]);
    let (addresses, line) = take_addresses(settings.stack_trace_limit);
    let mut resolver = resolver(&settings);
    for _ in 0..2 {
        let frames = resolver.frames(None, &addresses, Purpose::Error, &settings);
        let inner = &frames[0];
        assert!(
            inner
                .function
                .as_deref()
                .unwrap()
                .ends_with("take_addresses"),
            "{frames:#?}"
        );
        assert_eq!(
            inner.module.as_deref(),
            Some("apm_agent::worker::stacktrace::tests")
        );
        assert_eq!(inner.lineno, Some(line));
        assert!(
            !inner.library_frame && inner.filename.ends_with("src/worker/stacktrace/tests.rs"),
            "{inner:#?}"
        );
        assert!(
            inner
                .abs_path
                .as_deref()
                .unwrap()
                .ends_with("crates/apm-agent/src/worker/stacktrace/tests.rs")
        );
        assert!(
            inner
                .context_line
                .as_deref()
                .unwrap()
                .contains("the line that is looked for")
        );
        assert_eq!((inner.pre_context.len(), inner.post_context.len()), (2, 2));
        assert!(
            frames[1]
                .function
                .as_deref()
                .unwrap()
                .contains("a_stack_is_resolved"),
            "{frames:#?}"
        );
        assert!(frames.iter().all(|frame| {
            !frame
                .function
                .as_deref()
                .unwrap_or_default()
                .contains("begin_short_backtrace")
        }));
    }
}

#[test]
fn addresses_resolve_on_another_thread() {
    let settings = settings(&[]);
    let (addresses, _) = take_addresses(None);
    let frames = std::thread::spawn(move || {
        let settings: &Snapshot = &settings;
        resolver(settings).frames(None, &addresses, Purpose::Span, settings)
    });
    let frames = frames.join().unwrap();
    assert!(
        frames[0]
            .function
            .as_deref()
            .unwrap()
            .ends_with("take_addresses")
    );
    assert_eq!(
        frames[0].context_line, None,
        "spans take no source unless asked to"
    );
}

#[test]
fn the_place_comes_first_and_is_not_told_twice() {
    let settings = settings(&[]);
    let (addresses, line) = take_addresses(None);
    let mut resolver = resolver(&settings);

    let same = Place {
        file: file!(),
        line,
        column: 1,
    };
    let frames = resolver.frames(Some(same), &addresses, Purpose::Error, &settings);
    assert_eq!(
        frames,
        resolver.frames(None, &addresses, Purpose::Error, &settings)
    );

    let other = Place {
        file: "src/elsewhere.rs",
        line: 7,
        column: 3,
    };
    let frames = resolver.frames(Some(other), &addresses, Purpose::Error, &settings);
    assert_eq!(
        (
            frames[0].filename.as_str(),
            frames[0].lineno,
            frames[0].colno
        ),
        ("src/elsewhere.rs", Some(7), Some(3))
    );
    assert!(!frames[0].library_frame);
    assert!(
        frames[1]
            .function
            .as_deref()
            .unwrap()
            .ends_with("take_addresses")
    );

    let caller = Location::caller();
    let here = Place {
        file: caller.file(),
        line: caller.line(),
        column: caller.column(),
    };
    assert_eq!(
        resolver
            .frames(Some(here), &[], Purpose::Error, &settings)
            .len(),
        1
    );
}

#[test]
fn the_limit_is_kept() {
    for (limit, expected) in [("0", 0), ("1", 1), ("2", 2)] {
        let settings = settings(&[("stack_trace_limit", limit)]);
        let (addresses, _) = take_addresses(settings.stack_trace_limit);
        assert_eq!(
            resolver(&settings)
                .frames(None, &addresses, Purpose::Error, &settings)
                .len(),
            expected
        );
    }
    assert!(capture(Some(0)).is_empty());
}

#[test]
fn a_runaway_recursion_gives_a_bounded_stack() {
    fn deep(left: u32) -> Vec<usize> {
        let addresses = if left == 0 {
            capture(None)
        } else {
            deep(left - 1)
        };
        std::hint::black_box(&addresses);
        addresses
    }
    assert_eq!(deep(2_000).len(), 512);
}

#[test]
fn frames_on_the_wire_leave_out_what_is_unknown() {
    let frame = Frame {
        filename: "src/main.rs".to_owned(),
        ..Frame::default()
    };
    assert_eq!(
        serde_json::to_string(&frame).unwrap(),
        r#"{"filename":"src/main.rs","library_frame":false}"#
    );
}

#[test]
fn debug_information_goes_when_it_was_not_needed_for_a_while_and_comes_back() {
    let settings = settings(&[]);
    let mut resolver = resolver(&settings);
    assert_eq!(resolver.unload_at(), None, "nothing was looked up yet");

    let (addresses, line) = take_addresses(settings.stack_trace_limit);
    resolver.frames(None, &addresses, Purpose::Error, &settings);
    let due = resolver.unload_at().expect("it is in memory");
    resolver.unload(due - std::time::Duration::from_secs(1));
    assert_eq!(resolver.unload_at(), Some(due), "it may still be needed");
    resolver.unload(due);
    assert_eq!(resolver.unload_at(), None);

    resolver.frames(None, &addresses, Purpose::Error, &settings);
    assert_eq!(
        resolver.unload_at(),
        None,
        "known addresses need no debug information"
    );
    let (others, _) = take_addresses(settings.stack_trace_limit);
    let frames = resolver.frames(None, &others, Purpose::Error, &settings);
    assert_eq!(frames[0].lineno, Some(line));
    assert!(resolver.unload_at().is_some());
}
