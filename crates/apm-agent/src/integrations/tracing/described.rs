//! The work that a span turned out to be, by its meaning: an exit span, or one within the service.

use sql_lexer::{Dialect, signature};

use super::meaning::{Key, Meaning};
use crate::encode::json;
use crate::integrations::http_client;
use crate::recording::outcome::Outcome;
use crate::recording::recorder::Recorder;
use crate::recording::service_target::{Address, ExitSpan, Peer};
use crate::recording::span::Description;
use crate::recording::span_kind::SpanKind;
use crate::recording::statement;
use crate::sql;

/// The description of a span that leaves the service, and a name that is better than that of the span; `None` for other
/// spans.
pub(super) fn exit(meaning: &Meaning, agent: &Recorder) -> Option<(Description, Option<String>)> {
    let called = meaning.is_kind("client");
    let told = ["server", "consumer", "internal"];
    let other = told.iter().any(|kind| meaning.is_kind(kind));
    if meaning.has(Key::Database) {
        return Some(query(meaning, agent));
    }
    let sends = matches!(meaning.text(Key::Operation), Some("publish" | "send"));
    // A span that tells no kind sends a message if its operation says so.
    if meaning.has(Key::Messaging) && (meaning.is_kind("producer") || (sends && !other)) {
        return Some((message(meaning), None));
    }
    if meaning.has(Key::Rpc) && !other {
        return Some(rpc(meaning));
    }
    if !called {
        return None;
    }
    match (meaning.text(Key::Method), meaning.text(Key::Url)) {
        (Some(method), Some(url)) => Some(request(meaning, agent, method, url)),
        _ => Some((call(meaning), None)),
    }
}

/// The outcome of a span, where its fields tell. `worst` is the first HTTP status that is a failure.
pub(super) fn outcome(meaning: &Meaning, worst: u64) -> Option<Outcome> {
    if let Some(status) = meaning.text(Key::Status) {
        if status.eq_ignore_ascii_case("error") {
            return Some(Outcome::Failure);
        }
        if status.eq_ignore_ascii_case("ok") {
            return Some(Outcome::Success);
        }
    }
    if let Some(status) = meaning.number(Key::HttpStatus) {
        return Some(Outcome::failed(status >= worst));
    }
    if let Some(status) = meaning.number(Key::GrpcStatus) {
        return Some(Outcome::failed(status != 0));
    }
    meaning.has(Key::ErrorType).then_some(Outcome::Failure)
}

/// The name of a database system, as the intake knows it.
fn system(name: &str) -> &str {
    match name {
        "microsoft.sql_server" => "mssql",
        "oracle.db" => "oracle",
        "ibm.db2" => "db2",
        "aws.dynamodb" => "dynamodb",
        "azure.cosmosdb" => "cosmosdb",
        "aws.redshift" => "redshift",
        name => name,
    }
}

fn address(meaning: &Meaning) -> Option<Address> {
    let host = meaning.text(Key::Host)?;
    let port = meaning.number(Key::Port);
    Some(Address {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: port.and_then(|port| u16::try_from(port).ok()),
    })
}

/// `host:port`, or the host alone.
fn peer(meaning: &Meaning) -> Option<String> {
    let host = meaning.text(Key::Host)?;
    Some(match meaning.number(Key::Port) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

fn query(meaning: &Meaning, agent: &Recorder) -> (Description, Option<String>) {
    let subtype = system(meaning.text(Key::Database).unwrap_or("unknown"));
    let instance = meaning.text(Key::Instance);
    let span = ExitSpan {
        span_type: "db",
        subtype: Some(subtype),
        peer: Peer::Database(instance),
        ..ExitSpan::default()
    };
    let kind = SpanKind {
        target: span.target().map(|target| target.at(address(meaning))),
        span_type: "db".into(),
        subtype: Some(subtype.to_owned().into()),
        exit: true,
    };
    let mut context = Vec::new();
    let mut name = None;
    let sanitize = agent.config.load().sanitize_sql;
    match meaning.text(Key::Statement) {
        Some(text) if sql::is_sql(subtype) => {
            let dialect = Dialect::of_subtype(subtype);
            statement::write(&mut context, instance, text, dialect, sanitize);
            name = Some(signature(text));
        }
        text => statement::write_command(&mut context, subtype, instance, text, sanitize),
    }
    let action = name.as_deref().map_or("query", statement::action);
    let description = Description {
        kind,
        action: Some(action.to_owned()),
        context,
    };
    (description, name)
}

fn message(meaning: &Meaning) -> Description {
    let subtype = meaning.text(Key::Messaging).unwrap_or("unknown");
    let queue = meaning.text(Key::Queue);
    let span = ExitSpan {
        span_type: "messaging",
        subtype: Some(subtype),
        peer: Peer::Queue(queue),
        ..ExitSpan::default()
    };
    let kind = SpanKind {
        target: span.target().map(|target| target.at(address(meaning))),
        span_type: "messaging".into(),
        subtype: Some(subtype.to_owned().into()),
        exit: true,
    };
    let mut context = Vec::new();
    if let Some(queue) = queue {
        context.extend_from_slice(b"\"message\":{\"queue\":{\"name\":");
        json::keyword(&mut context, queue);
        context.extend_from_slice(b"}},");
    }
    Description {
        kind,
        action: Some(meaning.text(Key::Operation).unwrap_or("send").to_owned()),
        context,
    }
}

fn rpc(meaning: &Meaning) -> (Description, Option<String>) {
    // The intake knows these; others, such as those of aws-sdk, are requests by HTTP.
    let system = match meaning.text(Key::Rpc) {
        Some("grpc") => "grpc",
        Some("apache_dubbo" | "dubbo") => "dubbo",
        _ => "http",
    };
    let service = meaning.text(Key::RpcService);
    let name = match (service, meaning.text(Key::RpcMethod)) {
        (Some(service), Some(method)) => Some(format!("{service}/{method}")),
        (_, method) => method.map(str::to_owned),
    };
    let target = peer(meaning).or_else(|| service.map(str::to_owned));
    let span = ExitSpan {
        span_type: "external",
        subtype: Some(system),
        user_name: target.as_deref(),
        ..ExitSpan::default()
    };
    (described(&span, meaning), name)
}

/// A call of which the way is not known.
fn call(meaning: &Meaning) -> Description {
    let target = peer(meaning);
    let span = ExitSpan {
        span_type: "custom",
        user_type: Some("external"),
        user_name: meaning.text(Key::Peer).or(target.as_deref()),
        ..ExitSpan::default()
    };
    described(&span, meaning)
}

/// A description that says no more than who is called.
fn described(span: &ExitSpan<'_>, meaning: &Meaning) -> Description {
    Description {
        kind: SpanKind {
            span_type: span.span_type.to_owned().into(),
            subtype: span.subtype.map(|subtype| subtype.to_owned().into()),
            exit: true,
            target: span.target().map(|target| target.at(address(meaning))),
        },
        action: None,
        context: Vec::new(),
    }
}

fn request(
    meaning: &Meaning,
    agent: &Recorder,
    method: &str,
    url: &str,
) -> (Description, Option<String>) {
    let status = meaning.number(Key::HttpStatus);
    let status = status.and_then(|status| u16::try_from(status).ok());
    let shown = http_client::show(agent, method, url, status);
    let description = Description {
        kind: shown.kind,
        action: Some(shown.action),
        context: shown.context,
    };
    (description, Some(shown.name))
}
