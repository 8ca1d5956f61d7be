//! The types that fields of events have in an index, as far as a query depends on them.

use kql::is_full_text;

/// Bytes of a text that every index has. Of longer ones some have nothing (`ignore_above`).
pub(super) const LONGEST: usize = 1024;

/// Characters of a word of an index, at most. A longer one is cut into several.
const LONGEST_WORD: usize = 255;

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// A text that is compared as a whole.
    Keyword,
    /// The same, and senders give it any length.
    Long,
    /// A text of which the index has the words.
    Words,
    /// A text that is searched for its words, and may be indexed as a whole, up to a length.
    LongWords,
    Number,
    Address,
    Time,
    Flag,
    /// The sender chose its name, or no query depends on it: most are numbers.
    Unknown,
}

/// Texts that an index has as a whole: the intake cuts or refuses longer ones. All indices have them so: one shard that
/// refuses a question refuses it for all.
const KEYWORDS: [&str; 108] = [
    "agent.activation_method",
    "agent.ephemeral_id",
    "agent.name",
    "agent.version",
    "child.id",
    "cloud.account.id",
    "cloud.account.name",
    "cloud.availability_zone",
    "cloud.instance.id",
    "cloud.instance.name",
    "cloud.machine.type",
    "cloud.origin.account.id",
    "cloud.origin.provider",
    "cloud.origin.region",
    "cloud.origin.service.name",
    "cloud.project.id",
    "cloud.project.name",
    "cloud.provider",
    "cloud.region",
    "cloud.service.name",
    "container.id",
    "data_stream.dataset",
    "data_stream.namespace",
    "data_stream.type",
    "destination.address",
    "error.culprit",
    "error.exception.code",
    "error.exception.module",
    "error.exception.type",
    "error.grouping_key",
    "error.id",
    "error.log.level",
    "error.log.logger_name",
    "error.log.param_message",
    "event.dataset",
    "event.outcome",
    "faas.execution",
    "faas.id",
    "faas.name",
    "faas.trigger.request_id",
    "faas.trigger.type",
    "faas.version",
    "host.architecture",
    "host.hostname",
    "host.id",
    "host.name",
    "host.os.platform",
    "http.request.method",
    "http.version",
    "kubernetes.namespace",
    "kubernetes.node.name",
    "kubernetes.pod.name",
    "kubernetes.pod.uid",
    "log.level",
    "log.logger",
    "metricset.name",
    "network.connection.type",
    "observer.hostname",
    "observer.type",
    "observer.version",
    "parent.id",
    "process.thread.name",
    "process.title",
    "processor.event",
    "service.environment",
    "service.framework.name",
    "service.framework.version",
    "service.language.name",
    "service.language.version",
    "service.name",
    "service.node.name",
    "service.origin.id",
    "service.origin.name",
    "service.origin.version",
    "service.runtime.name",
    "service.runtime.version",
    "service.target.name",
    "service.target.type",
    "service.version",
    "session.id",
    "span.action",
    "span.composite.compression_strategy",
    "span.db.instance",
    "span.db.link",
    "span.db.type",
    "span.db.user.name",
    "span.destination.service.name",
    "span.destination.service.resource",
    "span.destination.service.type",
    "span.id",
    "span.kind",
    "span.name",
    "span.subtype",
    "span.type",
    "trace.id",
    "transaction.id",
    "transaction.name",
    "transaction.result",
    "transaction.type",
    "url.domain",
    "url.fragment",
    "url.full",
    "url.path",
    "url.query",
    "url.scheme",
    "user.email",
    "user.id",
    "user.name",
];

/// The same, which may be longer than an index takes.
const LONG: [&str; 15] = [
    "error.grouping_name",
    "error.type",
    "http.request.id",
    "http.request.referrer",
    "log.origin.file.name",
    "log.origin.function",
    "process.args",
    "span.message.body",
    "span.message.queue.name",
    "span.message.routing_key",
    "transaction.message.body",
    "transaction.message.queue.name",
    "transaction.message.routing_key",
    "url.original",
    "user_agent.original",
];

const FLAGS: [&str; 7] = [
    "error.exception.handled",
    "faas.coldstart",
    "http.response.finished",
    "http.response.headers_sent",
    "span.sync",
    "transaction.root",
    "transaction.sampled",
];

impl Type {
    pub(super) fn of(field: &str) -> Self {
        match field {
            "@timestamp" => Self::Time,
            "message" => Self::Words,
            field if is_full_text(field) => Self::LongWords,
            field if field.ends_with(".ip") => Self::Address,
            field if apm_output::is_number(field) => Self::Number,
            field if FLAGS.contains(&field) => Self::Flag,
            field if field.starts_with("labels.") || KEYWORDS.binary_search(&field).is_ok() => {
                Self::Keyword
            }
            field if LONG.contains(&field) => Self::Long,
            _ => Self::Unknown,
        }
    }

    /// Whether an index leaves out the long ones.
    pub(super) fn is_cut(self) -> bool {
        matches!(self, Self::Long | Self::LongWords)
    }
}

/// Whether a text of this field is in `message`, too, unless an error has two of them.
pub(super) fn is_also_message(field: &str) -> bool {
    matches!(field, "error.exception.message" | "error.log.message")
}

/// Whether a text is a part of one word wherever an index has words: it is made of signs between which no word ends.
/// Each sign of Chinese is a word of its own, and other scripts have rules of their own.
pub(super) fn is_word(text: &str) -> bool {
    let is_sign = |c: char| match c {
        // Latin and Cyrillic. Where two small letters stand for a capital one, engines have another one.
        '\u{c0}'..='\u{24f}' | '\u{400}'..='\u{52f}' => {
            c.is_alphabetic() && c.to_lowercase().count() == 1
        }
        c => c.is_ascii_alphanumeric(),
    };
    !text.is_empty() && text.len() <= LONGEST_WORD && text.chars().all(is_sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_have_one_type_each() {
        assert!(KEYWORDS.is_sorted() && LONG.is_sorted() && FLAGS.is_sorted());
        for (names, kind) in [
            (&KEYWORDS[..], Type::Keyword),
            (&LONG[..], Type::Long),
            (&FLAGS[..], Type::Flag),
        ] {
            for name in names {
                assert_eq!(Type::of(name), kind, "{name}");
                assert!(apm_output::is_indexed(name), "{name}");
            }
        }
    }

    #[test]
    fn a_word_has_no_end_within() {
        for (text, is_one) in [
            ("Time2", true),
            ("größe", true),
            ("ошибка", true),
            ("", false),
            ("two words", false),
            ("日本", false),
            ("คำ", false),
            ("x²", false),
            ("İ", false),
            ("u\u{308}", false),
            (&*"x".repeat(256), false),
        ] {
            assert_eq!(is_word(text), is_one, "{text}");
        }
    }
}
