//! A message as JSON, as Slack's JSON, and as text.

use std::fmt::Write as _;

use apm_time::{SECOND, rfc3339};
use serde_json::{Value, json};

use super::{Change, Message};

/// The longest text that Slack takes in a block, characters: it refuses a message with a longer one.
const LONGEST_BLOCK: usize = 3_000;

impl Message {
    /// The JSON for webhooks and commands. `url`: of the pages.
    pub(crate) fn json(&self, url: &str) -> Value {
        let alerts = self.alerts.iter().map(|alert| {
            json!({
                "subject": alert.subject,
                "service": alert.service,
                "environment": alert.environment,
                "text": alert.text,
                "url": format!("{url}{}", alert.link_from(self.at)),
            })
        });
        json!({
            "version": 1,
            "change": self.change.as_str(),
            "rule": {"id": self.rule, "name": self.name},
            "time": rfc3339(self.at.saturating_mul(SECOND)),
            "title": self.title,
            "alerts": alerts.collect::<Vec<_>>(),
            "more": self.more,
            "url": format!("{url}/alerts"),
        })
    }

    /// The JSON for Slack's incoming webhooks.
    pub(crate) fn slack(&self, url: &str) -> Value {
        let mark = match self.change {
            Change::Fired => ":red_circle:",
            Change::Resolved => ":large_green_circle:",
            Change::Test => ":white_circle:",
        };
        let mut text = format!("{mark} *{}*", escaped(&self.title));
        let others = |count| format!("\n… and {count} more: <{}/alerts|Alerts>", escaped(url));
        let letters = |text: &str| text.chars().count();
        let room = LONGEST_BLOCK.saturating_sub(letters(&others(usize::MAX)));
        let mut more = self.more + self.alerts.len();
        for alert in &self.alerts {
            let link = format!("{url}{}", alert.link_from(self.at));
            let line = format!("\n• {} <{}|Open>", escaped(&alert.text), escaped(&link));
            // The next one may be short, but a list with a hole would be taken for a whole one.
            if letters(&text) + letters(&line) > room {
                break;
            }
            text.push_str(&line);
            more -= 1;
        }
        if more > 0 {
            text.push_str(&others(more));
        }
        json!({
            // Notifications show this text in place of the blocks.
            "text": escaped(&self.title),
            "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}],
        })
    }

    /// The text of an email.
    pub(crate) fn text(&self, url: &str) -> String {
        let mut text = format!(
            "{}\n{}\n",
            self.title,
            rfc3339(self.at.saturating_mul(SECOND))
        );
        for alert in &self.alerts {
            let link = alert.link_from(self.at);
            let _ = write!(text, "\n- {}\n  {url}{link}\n", alert.text);
        }
        if self.more > 0 {
            let _ = write!(text, "\n… and {} more\n", self.more);
        }
        let _ = write!(
            text,
            "\nAll alerts, and a button that silences this rule:\n{url}/alerts\n"
        );
        text
    }
}

/// Text for Slack, which reads `<…>` as links and mentions such as `<!channel>`.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::{Alert, plain};
    use super::*;

    /// 2026-01-31T12:00:00Z
    const AT: i64 = 1_769_860_800;

    fn message(text: &str, count: usize) -> Message {
        let alert = |number: usize| Alert {
            subject: number.to_string(),
            service: "shop".to_owned(),
            environment: String::new(),
            text: plain(text),
            link: "/services/shop".to_owned(),
        };
        let alerts = (0..count).map(alert).collect();
        Message::new(("r1", "Many fail"), Change::Fired, AT, alerts)
    }

    #[test]
    fn a_message_lists_ten_alerts_and_counts_the_others() {
        let message = message("x", 25);
        assert_eq!(message.title, "Many fail: 25 alerts");
        assert_eq!((message.alerts.len(), message.more), (10, 15));
        let json = message.json("http://a.example");
        assert_eq!(
            json["alerts"][0]["url"],
            "http://a.example/services/shop?from=2026-01-31T11:45:00Z"
        );
        assert!(message.text("http://a.example").contains("and 15 more"));
        assert!(message.slack("").to_string().contains("and 15 more"));
    }

    #[test]
    fn links_lead_to_the_time_of_an_alert_where_a_page_has_a_time() {
        let mut alert = message("x", 1).alerts.remove(0);
        for (link, expected) in [
            ("/services/a", "/services/a?from=2026-01-31T11:45:00Z"),
            (
                "/queries/0f?env=b",
                "/queries/0f?env=b&from=2026-01-31T11:45:00Z",
            ),
            ("/slos", "/slos"),
            ("/settings", "/settings"),
        ] {
            link.clone_into(&mut alert.link);
            assert_eq!(alert.link_from(AT), expected);
        }
    }

    #[test]
    fn a_message_to_slack_has_no_longer_block_than_slack_takes() {
        // Each sign becomes five characters, and 10 alerts of the longest text would be 15 000.
        let message = message(&"&".repeat(300), 12);
        let slack = message.slack("http://a.example");
        let text = slack["blocks"][0]["text"]["text"].as_str().expect("text");
        assert!(text.chars().count() <= 3_000, "{}", text.chars().count());
        assert_eq!(text.matches("|Open>").count(), 1);
        assert!(text.ends_with("… and 11 more: <http://a.example/alerts|Alerts>"));
    }

    #[test]
    fn telemetry_mentions_nobody_and_breaks_no_line() {
        let message = message(
            "<!channel> a\r\nBcc: b@example.com \u{202e}\u{61c}\u{2028}\u{85}",
            1,
        );
        let slack = message.slack("http://a.example").to_string();
        assert!(slack.contains("&lt;!channel&gt;") && !slack.contains("<!channel>"));
        let text = message.text("http://a.example");
        assert!(!text.contains("\r\n") && !text.contains("\nBcc"), "{text}");
        assert!(!text.contains(['\u{202e}', '\u{61c}', '\u{2028}', '\u{85}']));
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let cut = plain(&"ä".repeat(1_000));
        assert_eq!(cut.chars().count(), 301);
        assert!(cut.ends_with('…'));
    }

    #[test]
    fn codes_of_terminals_are_left_out_whole() {
        for (text, expected) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("a\u{1b}[2Jb\u{1b}]0;title\u{7}c", "abc"),
            ("tab\tline\nbell\u{7} [31m", "tab line bell [31m"),
        ] {
            assert_eq!(plain(text), expected);
        }
    }
}
