//! The constant part of a span: its type, the target of an exit span, and the end of its JSON.
//!
//! A statement that runs a thousand times differs only in ids, times and outcome; everything else is encoded once, in a
//! [`Tail`], and shared.

use std::borrow::Cow;
use std::sync::Arc;

use crate::encode::json;
use crate::recording::cost::Cost;
use crate::recording::repeated::Repeated;
use crate::recording::service_target::Target;
use crate::trace::ids::hex_word;

/// Type, subtype, and for an exit span its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpanKind {
    pub(crate) span_type: Cow<'static, str>,
    pub(crate) subtype: Option<Cow<'static, str>>,
    /// Leaves the service: a database, another service.
    pub(crate) exit: bool,
    pub(crate) target: Option<Target>,
}

impl SpanKind {
    /// A query of a database.
    pub(crate) fn is_query(&self) -> bool {
        self.exit && self.span_type == "db"
    }
}

/// The part of a span's JSON that comes last and does not change: `"name":…,"type":…,"context":{…}}}` and a newline.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) kind: Arc<SpanKind>,
    pub(crate) name: Box<str>,
    /// Looked at for each span, so that they are found out once.
    changes_rows: bool,
    is_query: bool,
    json: Box<[u8]>,
    after_name: usize,
    /// The place at which members of `context.db` may be added; `None` without it.
    in_db: Option<usize>,
    /// The place at which the members of `context` begin; `None` without a context.
    in_context: Option<usize>,
    /// Of the spans that share it: the end that was written last.
    pub(crate) repeated: Repeated,
}

impl Tail {
    /// Encodes a tail. `context` writes the members of `context` that are the span's own, each followed by a comma.
    pub(crate) fn new(
        kind: Arc<SpanKind>,
        name: &str,
        action: Option<&str>,
        context: impl FnOnce(&mut Vec<u8>),
    ) -> Self {
        let mut out = Vec::with_capacity(256);
        write_name(&mut out, name);
        let after_name = out.len();
        out.extend_from_slice(b",\"type\":");
        json::keyword(&mut out, &kind.span_type);
        if let Some(subtype) = &kind.subtype {
            out.extend_from_slice(b",\"subtype\":");
            json::keyword(&mut out, subtype);
        }
        if let Some(action) = action {
            out.extend_from_slice(b",\"action\":");
            json::keyword(&mut out, action);
        }
        out.extend_from_slice(b",\"context\":{");
        let empty = out.len();
        context(&mut out);
        const DB: &[u8] = b"\"db\":{";
        let in_db = out[empty..].starts_with(DB).then(|| empty + DB.len());
        if let Some(target) = &kind.target {
            write_target(&mut out, target);
        }
        let in_context = (out.len() > empty).then_some(empty);
        if in_context.is_none() {
            out.truncate(empty - ",\"context\":{".len());
        } else {
            out.pop(); // the last comma
            out.push(b'}');
        }
        out.extend_from_slice(b"}}\n");
        Self {
            is_query: kind.is_query(),
            kind,
            changes_rows: is_change(name),
            name: name.into(),
            json: out.into_boxed_slice(),
            after_name,
            in_db,
            in_context,
            repeated: Repeated::default(),
        }
    }

    /// The JSON of it.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn json(&self) -> &[u8] {
        &self.json
    }

    /// Bytes of the JSON.
    pub(crate) fn json_len(&self) -> usize {
        self.json.len()
    }

    /// Whether another tail says the same: name, type, statement, target.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.json == other.json
    }

    /// Whether it is a query of a database.
    #[inline]
    pub(crate) fn is_query(&self) -> bool {
        self.is_query
    }

    /// It is a statement that changes rows, which its name does not tell.
    pub(crate) fn set_changes_rows(&mut self) {
        self.changes_rows = true;
    }

    /// Whether it is a statement that changes rows, and none whose number of changed rows would be an earlier one's.
    #[inline]
    pub(crate) fn changes_rows(&self) -> bool {
        self.changes_rows
    }

    /// Appends the tail with what is the span's own.
    pub(crate) fn write(&self, out: &mut Vec<u8>, own: &Own<'_>) {
        let mut rest = 0;
        if let Some(name) = own.renamed {
            write_name(out, name);
            rest = self.after_name;
        }
        // The places follow one another in the text: first that of labels, then that within `db`.
        if let Some(at) = self.in_context
            && (own.bind_hash.is_some() || own.cost.is_some())
        {
            out.extend_from_slice(&self.json[rest..at]);
            own.write_tags(out);
            rest = at;
        }
        if let (Some(rows), Some(at)) = (own.rows, self.in_db) {
            out.extend_from_slice(&self.json[rest..at]);
            out.extend_from_slice(b"\"rows_affected\":");
            json::uint(out, rows);
            out.push(b',');
            rest = at;
        }
        out.extend_from_slice(&self.json[rest..]);
    }
}

/// The members of one span beyond the tail that it shares with others.
#[derive(Debug, Default)]
pub(crate) struct Own<'a> {
    /// Replaces the name.
    pub(crate) renamed: Option<&'a str>,
    /// The number of rows that a statement changed.
    pub(crate) rows: Option<u64>,
    /// Of a query's bind values; becomes a label.
    pub(crate) bind_hash: Option<u64>,
    /// The cost of a query; becomes labels.
    pub(crate) cost: Option<&'a Cost>,
}

impl Own<'_> {
    fn write_tags(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\"tags\":{");
        if let Some(hash) = self.bind_hash {
            out.extend_from_slice(b"\"bind_hash\":\"");
            out.extend_from_slice(&hex_word((hash >> 32) as u32));
            out.extend_from_slice(&hex_word(hash as u32));
            out.extend_from_slice(b"\",");
        }
        if let Some(cost) = self.cost {
            cost.write(out);
        }
        out.pop(); // the last comma
        out.extend_from_slice(b"},");
    }
}

fn is_change(name: &str) -> bool {
    const CHANGES: [&str; 4] = ["INSERT ", "UPDATE ", "DELETE ", "REPLACE "];
    CHANGES.iter().any(|verb| name.starts_with(verb))
}

fn write_name(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b"\"name\":");
    json::keyword(out, if name.is_empty() { "unnamed" } else { name });
}

fn write_target(out: &mut Vec<u8>, target: &Target) {
    if target.kind.is_some() || target.name.is_some() {
        out.extend_from_slice(b"\"service\":{\"target\":{");
        if let Some(kind) = &target.kind {
            out.extend_from_slice(b"\"type\":");
            json::keyword(out, kind);
        }
        if let Some(name) = &target.name {
            if target.kind.is_some() {
                out.push(b',');
            }
            out.extend_from_slice(b"\"name\":");
            json::keyword(out, name);
        }
        out.extend_from_slice(b"}},");
    }
    // `name` and `type` are deprecated, but servers before 7.14 want them beside a resource.
    out.extend_from_slice(b"\"destination\":{");
    if let Some(address) = &target.address {
        out.extend_from_slice(b"\"address\":");
        json::keyword(out, &address.host);
        if let Some(port) = address.port {
            out.extend_from_slice(b",\"port\":");
            json::uint(out, port.into());
        }
        out.push(b',');
    }
    out.extend_from_slice(b"\"service\":{\"name\":\"\",\"type\":\"\",\"resource\":");
    json::keyword(out, &target.resource);
    out.extend_from_slice(b"}},");
}
