//! Records of the crate `log`: as errors, as logs, and as lines with ids.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use ::log::{Level, LevelFilter, Log, Metadata, Record};
use apm_agent::log::Logger;
use apm_agent::testing::Recorded;
use serde_json::{Value, json};

use crate::support::Checked;

/// Formats records as the agent does, and keeps the lines. Accepts nothing of the target `quiet`.
#[derive(Clone, Debug, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Log for Memory {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() != "quiet"
    }

    fn log(&self, record: &Record<'_>) {
        let mut line = Vec::new();
        apm_agent::log::format(&mut line, record).unwrap();
        self.0.lock().unwrap().write_all(&line).unwrap();
    }

    fn flush(&self) {}
}

fn log(logger: &impl Log, level: Level, target: &str, message: &str) {
    let mut record = Record::builder();
    record
        .level(level)
        .target(target)
        .file(Some("src/shop.rs"))
        .line(Some(7));
    logger.log(&record.args(format_args!("{message}")).build());
}

/// The records and the output of a transaction in which `work` logged.
fn logged(recorder: &Checked, work: impl FnOnce(&Logger<Memory>)) -> (Recorded, String) {
    let memory = Memory::default();
    let logger = Logger::new(memory.clone());
    recorder.run(|agent| agent.transaction("GET /", "request").run(|| work(&logger)));
    let lines = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
    (recorder.take(), lines)
}

#[test]
fn an_error_line_is_printed_with_its_ids_and_becomes_an_error_event() {
    let (recorded, lines) = logged(&Checked::default(), |logger| {
        log(logger, Level::Error, "shop::cart", "cannot ship");
        log(logger, Level::Warn, "shop::cart", "slow");
    });
    let transaction = &recorded.transactions[0];
    let ids = format!(
        "trace.id={} transaction.id={}",
        transaction["trace_id"].as_str().unwrap(),
        transaction["id"].as_str().unwrap()
    );
    let lines: Vec<_> = lines.lines().collect();
    assert!(
        lines[0].ends_with(&format!("Z ERROR shop::cart cannot ship {ids}")),
        "{lines:?}"
    );
    assert!(
        lines[1].ends_with(&format!("Z WARN  shop::cart slow {ids}")),
        "{lines:?}"
    );

    let [error] = &recorded.errors[..] else {
        panic!("{:?}", recorded.errors)
    };
    assert_eq!(error["log"]["message"], "cannot ship");
    assert_eq!(
        (&error["log"]["level"], &error["log"]["logger_name"]),
        (&json!("error"), &json!("shop::cart"))
    );
    assert_eq!(
        (&error["transaction_id"], &error["parent_id"]),
        (&transaction["id"], &transaction["id"])
    );
    assert_eq!(error["log"]["stacktrace"][0]["lineno"], 7);
}

#[test]
fn ecs_lines_are_json_and_refer_to_the_error_event() {
    let recorder =
        Checked::with_options([("log_ecs_reformatting", "override"), ("environment", "dev")]);
    let (recorded, lines) = logged(&recorder, |logger| {
        log(logger, Level::Error, "shop::cart", "cannot\nship");
        log(logger, Level::Info, "shop::cart", "went on");
    });
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (&lines[0]["message"], &lines[0]["log.level"]),
        (&json!("cannot\nship"), &json!("error"))
    );
    assert_eq!(lines[0]["error.id"], recorded.errors[0]["id"]);
    assert_eq!(lines[0]["trace.id"], recorded.transactions[0]["trace_id"]);
    assert_eq!(lines[0]["service.environment"], "dev");
    assert_eq!(lines[1].get("error.id"), None);
}

#[test]
fn logs_are_sent_when_asked_for_and_only_what_the_service_prints() {
    let (recorded, _) = logged(
        &Checked::with_options([("log_sending", "true")]),
        |logger| {
            log(logger, Level::Error, "shop::cart", "cannot ship");
            log(logger, Level::Debug, "shop::cart", "details");
            log(logger, Level::Error, "quiet", "nobody wants this");
        },
    );
    let messages: Vec<_> = recorded
        .logs
        .iter()
        .map(|log| log["message"].as_str().unwrap())
        .collect();
    assert_eq!(messages, ["cannot ship", "details"]);
    assert_eq!(recorded.logs[0]["error.id"], recorded.errors[0]["id"]);
    assert_eq!(recorded.logs[0]["log.origin.file.name"], "src/shop.rs");
    assert_eq!(recorded.errors.len(), 1);
}

#[test]
fn switched_off_and_for_the_agents_own_lines_nothing_is_recorded() {
    let (recorded, lines) = logged(
        &Checked::with_options([("capture_log_errors", "false")]),
        |logger| {
            log(logger, Level::Error, "shop::cart", "cannot ship");
        },
    );
    assert!(recorded.errors.is_empty() && lines.contains("cannot ship"));

    let (recorded, lines) = logged(
        &Checked::with_options([("log_sending", "true")]),
        |logger| {
            log(logger, Level::Error, "apm_agent", "cannot send");
        },
    );
    assert!(
        recorded.errors.is_empty() && recorded.logs.is_empty() && lines.contains("cannot send")
    );
}

#[test]
fn what_ignored_modules_log_is_only_printed() {
    let recorder = Checked::with_options([("log_sending", "true")]);
    let memory = Memory::default();
    let logger = Logger::new(memory.clone()).ignore("depot");
    recorder.run(|_| {
        for target in ["depot", "depot::shelf", "depots", "shop::depot"] {
            log(&logger, Level::Error, target, target);
        }
    });
    let recorded = recorder.take();
    let named = |events: &[Value], name: fn(&Value) -> &Value| -> Vec<String> {
        let names = events.iter().map(|event| name(event).as_str().unwrap());
        names.map(str::to_owned).collect()
    };
    assert_eq!(
        named(&recorded.errors, |error| &error["log"]["logger_name"]),
        ["depots", "shop::depot"]
    );
    assert_eq!(
        named(&recorded.logs, |log| &log["message"]),
        ["depots", "shop::depot"]
    );
    let lines = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
    assert_eq!(lines.lines().count(), 4, "{lines}");
}

#[test]
fn outside_of_a_transaction_errors_are_captured_without_ids() {
    let recorder = Checked::default();
    let memory = Memory::default();
    recorder.run(|_| {
        log(
            &Logger::new(memory.clone()),
            Level::Error,
            "shop",
            "cannot start",
        )
    });
    let recorded = recorder.take();
    assert_eq!(recorded.errors[0].get("trace_id"), None);
    let lines = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
    assert!(
        lines.trim_end().ends_with("ERROR shop cannot start"),
        "{lines}"
    );
}

#[test]
fn env_logger_takes_the_format_and_keeps_its_filter() {
    let inner = env_logger::Builder::new()
        .filter_level(LevelFilter::Warn)
        .format(apm_agent::log::format)
        .build();
    let logger = Logger::new(inner);
    assert!(logger.enabled(&Metadata::builder().level(Level::Warn).build()));
    assert!(!logger.enabled(&Metadata::builder().level(Level::Info).build()));
}
