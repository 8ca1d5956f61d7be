//! Calls: databases, queues, procedures, models.

use super::{EventKind, Read};
use crate::conventions::database::short;
use crate::conventions::grpc;
use crate::conventions::value::Value;

/// `db.*` and `sql.query`.
#[derive(Debug, Default)]
pub(in crate::conventions) struct Database<'a> {
    pub(in crate::conventions) seen: bool,
    pub(in crate::conventions) system: Option<&'a str>,
    pub(in crate::conventions) instance: Option<&'a str>,
    pub(in crate::conventions) statement: Option<&'a str>,
    pub(in crate::conventions) user: Option<&'a str>,
}

impl<'a> Database<'a> {
    pub(super) fn read(&mut self, key: &str, value: &'a Value<'a>) -> Read {
        let Some(text) = value.text() else {
            return Read::Label;
        };
        match key {
            "db.system" | "db.system.name" | "db.type" => self.system = Some(short(text)),
            "db.name" | "db.namespace" | "db.instance" | "db.elasticsearch.cluster.name" => {
                self.instance = Some(text)
            }
            "db.statement" | "db.query.text" => self.statement = Some(text),
            "sql.query" => {
                self.statement = Some(text);
                // A system that is named wins over this guess, wherever it stands.
                self.system = self.system.or(Some("sql"));
            }
            "db.user" => self.user = Some(text),
            _ => return Read::Label,
        }
        self.seen = true;
        Read::Understood
    }
}

/// `messaging.*` and `message_bus.destination`.
#[derive(Debug, Default)]
pub(in crate::conventions) struct Messaging<'a> {
    pub(in crate::conventions) seen: bool,
    pub(in crate::conventions) system: Option<&'a str>,
    pub(in crate::conventions) operation: Option<&'a str>,
    pub(in crate::conventions) queue: Option<&'a str>,
    /// The queue has a temporary name, which a program made up.
    pub(in crate::conventions) is_temporary: bool,
}

impl<'a> Messaging<'a> {
    pub(super) fn read(&mut self, key: &str, value: &'a Value<'a>, of: EventKind) -> Read {
        if let ("messaging.temp_destination" | "messaging.destination.temporary", Some(flag)) =
            (key, value.bool())
        {
            self.seen = true;
            self.is_temporary = flag;
            return Read::Both;
        }
        let Some(text) = value.text() else {
            return Read::Label;
        };
        let of_transaction = if of == EventKind::Transaction {
            Read::Both
        } else {
            Read::Understood
        };
        let read = match key {
            "messaging.destination" | "messaging.destination.name" | "message_bus.destination" => {
                self.queue = Some(text);
                Read::Understood
            }
            "messaging.system" => {
                self.system = Some(text);
                of_transaction
            }
            "messaging.operation" | "messaging.operation.type" => {
                self.operation = Some(text);
                of_transaction
            }
            _ => return Read::Label,
        };
        self.seen = true;
        read
    }
}

/// `rpc.*`
#[derive(Debug, Default)]
pub(in crate::conventions) struct Rpc<'a> {
    pub(in crate::conventions) seen: bool,
    pub(in crate::conventions) system: Option<&'a str>,
    service: Option<&'a str>,
    method: Option<&'a str>,
    /// The status, in the spelling that results have.
    pub(in crate::conventions) status: Option<&'static str>,
}

impl<'a> Rpc<'a> {
    pub(super) fn read(&mut self, rest: &str, value: &'a Value<'a>) -> Read {
        match (rest, value) {
            ("system" | "system.name", Value::Text(text)) => self.system = Some(text),
            ("service", Value::Text(text)) => self.service = Some(text),
            ("method", Value::Text(text)) => self.method = Some(text),
            ("grpc.status_code", Value::Int(code)) => {
                self.status = grpc::name(*code).or(self.status)
            }
            // By this name, only the number says how it ended.
            ("grpc.status_code", Value::Text(_)) => {}
            // Other systems than gRPC have codes of their own here.
            ("status_code" | "response.status_code", Value::Text(text)) => {
                self.status = grpc::named(text).or(self.status)
            }
            _ => return Read::Label,
        }
        self.seen = true;
        Read::Understood
    }

    /// The callee: by the older names a service, by the current ones the beginning of its method.
    pub(in crate::conventions) fn service(&self) -> Option<&'a str> {
        let of_method = || self.method?.rsplit_once('/').map(|(service, _)| service);
        self.service.or_else(of_method)
    }
}

/// `gen_ai.*`
#[derive(Debug, Default)]
pub(in crate::conventions) struct GenAi<'a> {
    pub(in crate::conventions) system: Option<&'a str>,
}

impl<'a> GenAi<'a> {
    pub(super) fn read(&mut self, rest: &str, value: &'a Value<'a>) -> Read {
        match (rest, value.text()) {
            ("system" | "provider.name", Some(system)) => {
                self.system = Some(system);
                Read::Understood
            }
            _ => Read::Label,
        }
    }
}
