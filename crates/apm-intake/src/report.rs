//! The report that a request gets about its events.

use serde::Serialize;

/// Most errors that are spelled out.
const SHOWN: usize = 5;
/// Longest piece of a line that is sent back, bytes: agents log the answer, and some have sent their own log.
const ECHO: usize = 1024;

/// The outcome of a request: how many events are stored, and what was wrong with the others.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Events that are stored.
    pub accepted: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Reported>,
    /// The largest status of all errors.
    #[serde(skip)]
    status: u16,
    /// Whether the body was ended before its sender ended it.
    #[serde(skip)]
    pub early: bool,
}

#[derive(Debug, Serialize)]
struct Reported {
    message: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    document: String,
}

impl Report {
    /// 202, or the largest status of an error.
    pub fn status(&self) -> u16 {
        self.status.max(202)
    }

    /// Adds an error; the first few are spelled out, all count for the status.
    pub fn add(&mut self, status: u16, message: String, document: &[u8]) {
        self.status = self.status.max(status);
        if self.errors.len() < SHOWN {
            self.errors.push(Reported {
                message,
                document: echo(document),
            });
        }
    }
}

/// The head of a line, as text.
pub(crate) fn echo(line: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(&line[..line.len().min(ECHO)]).into_owned();
    // A byte that is no UTF-8 becomes three, so the text is cut again.
    text.truncate(text.floor_char_boundary(ECHO));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_errors_are_spelled_out_and_the_largest_status_wins() {
        let mut report = Report::default();
        assert_eq!(report.status(), 202);
        for status in [400, 503, 400, 400, 400, 400, 400] {
            report.add(status, "m".to_owned(), b"");
        }
        assert_eq!(report.status(), 503);
        let body = serde_json::to_value(&report).unwrap();
        assert_eq!(body["errors"].as_array().unwrap().len(), 5);
        assert_eq!(body["errors"][0], serde_json::json!({"message": "m"}));
    }

    #[test]
    fn what_is_sent_back_is_short_and_ends_on_a_character() {
        let line = "é".repeat(4000);
        assert!(echo(line.as_bytes()).len() <= ECHO);
        assert!(echo(b"\xff\xfe").len() <= ECHO);
    }
}
