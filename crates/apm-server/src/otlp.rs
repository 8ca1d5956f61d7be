//! Answers to senders of OTLP, over HTTP and gRPC alike: the messages of the protocol, in both encodings.
//!
//! They are a few fields each, so they are written here by hand (ADR 210).

use std::time::Duration;

use apm_intake::otlp::{Encoding, Signal};
use apm_intake::{ExportError, Exported};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};

/// After which time a sender may try again.
pub(crate) const RETRY: Duration = Duration::from_secs(2);

/// Longest message that a sender is told, bytes.
const LONGEST: usize = 1024;

/// The paths of the signals over HTTP.
pub(crate) const PATHS: [(&str, Signal); 3] = [
    ("/v1/traces", Signal::Traces),
    ("/v1/metrics", Signal::Metrics),
    ("/v1/logs", Signal::Logs),
];

/// The methods that take the signals over gRPC.
const METHODS: [(&str, Signal); 3] = [
    (
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Traces,
    ),
    (
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Signal::Metrics,
    ),
    (
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        Signal::Logs,
    ),
];

/// Whether a path of HTTP takes OTLP.
pub(crate) fn is_path(path: &str) -> bool {
    PATHS.iter().any(|(known, _)| *known == path)
}

/// The signal that a method of gRPC takes.
pub(crate) fn of_method(path: &str) -> Option<Signal> {
    let found = METHODS.iter().find(|(known, _)| *known == path);
    found.map(|(_, signal)| *signal)
}

/// The encoding of a body by its media type, whatever parameters that has.
pub(crate) fn of_media_type(text: &str) -> Option<Encoding> {
    let kind = text.split(';').next().unwrap_or_default().trim();
    [
        ("application/x-protobuf", Encoding::Protobuf),
        ("application/json", Encoding::Json),
    ]
    .into_iter()
    .find_map(|(known, encoding)| known.eq_ignore_ascii_case(kind).then_some(encoding))
}

/// The media type of an encoding.
pub(crate) fn media_type(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json => "application/json",
    }
}

/// The codes of `google.rpc.Code` that are used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    Unauthenticated = 16,
}

/// Why a body was refused: `google.rpc.Status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) code: Code,
    pub(crate) message: String,
    /// After which time the same body may be sent again; `None`: never.
    pub(crate) retry: Option<Duration>,
}

impl Status {
    /// One after which the same body is not sent again.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        let mut message = message.into();
        message.truncate(message.floor_char_boundary(LONGEST));
        Self {
            code,
            message,
            retry: None,
        }
    }

    /// One after which the same body may be sent again.
    pub(crate) fn after(retry: Duration, message: impl Into<String>) -> Self {
        Self {
            retry: Some(retry),
            ..Self::new(Code::Unavailable, message)
        }
    }

    /// That of a refusal which is known by its status in HTTP.
    pub(crate) fn of_http(status: u16, message: &str) -> Self {
        match status {
            429 | 503 => Self::after(RETRY, message),
            400 | 415 => Self::new(Code::InvalidArgument, message),
            401 => Self::new(Code::Unauthenticated, message),
            403 => Self::new(Code::PermissionDenied, message),
            404 | 405 => Self::new(Code::Unimplemented, message),
            413 => Self::new(Code::ResourceExhausted, message),
            _ => Self::new(Code::Internal, message),
        }
    }

    /// The status in HTTP.
    pub(crate) fn http(&self) -> u16 {
        match self.code {
            Code::InvalidArgument => 400,
            Code::Unauthenticated => 401,
            Code::PermissionDenied => 403,
            Code::Unimplemented => 404,
            Code::ResourceExhausted => 413,
            Code::Internal => 500,
            Code::Unavailable => 503,
            Code::DeadlineExceeded => 504,
        }
    }

    /// The message in an encoding.
    pub(crate) fn encode(&self, encoding: Encoding) -> Vec<u8> {
        match encoding {
            Encoding::Json => json!({"code": self.code as i32, "message": self.message})
                .to_string()
                .into_bytes(),
            Encoding::Protobuf => self.protobuf(),
        }
    }

    /// The message as the trailer `grpc-status-details-bin` has it.
    pub(crate) fn details(&self) -> String {
        STANDARD_NO_PAD.encode(self.protobuf())
    }

    fn protobuf(&self) -> Vec<u8> {
        let mut status = Message::default();
        status.number(1, self.code as u64);
        status.bytes(2, self.message.as_bytes());
        if let Some(retry) = self.retry {
            let mut delay = Message::default();
            delay.number(1, retry.as_secs());
            let mut info = Message::default();
            info.bytes(1, &delay.0);
            let mut any = Message::default();
            any.bytes(1, b"type.googleapis.com/google.rpc.RetryInfo");
            any.bytes(2, &info.0);
            status.bytes(3, &any.0);
        }
        status.0
    }
}

impl From<&ExportError> for Status {
    fn from(error: &ExportError) -> Self {
        let message = error.to_string();
        match error {
            ExportError::Malformed(_) | ExportError::Cut => {
                Self::new(Code::InvalidArgument, message)
            }
            ExportError::TooLarge(_) => Self::new(Code::ResourceExhausted, message),
            // Never `Internal`: senders drop what was answered so, and this data may be stored a moment later.
            ExportError::Late(_)
            | ExportError::Busy(_)
            | ExportError::Stopping
            | ExportError::Failed(_) => Self::after(RETRY, message),
        }
    }
}

/// `Export…ServiceResponse`. Where all is well it has no field.
pub(crate) fn success(signal: Signal, encoding: Encoding, done: &Exported) -> Vec<u8> {
    let message = done.message.as_deref().unwrap_or_default();
    let message = &message[..message.floor_char_boundary(LONGEST)];
    let is_partial = done.rejected > 0 || !message.is_empty();
    match encoding {
        Encoding::Protobuf if !is_partial => Vec::new(),
        Encoding::Protobuf => {
            let mut partial = Message::default();
            partial.number(1, done.rejected);
            partial.bytes(2, message.as_bytes());
            let mut response = Message::default();
            response.bytes(1, &partial.0);
            response.0
        }
        Encoding::Json if !is_partial => b"{}".to_vec(),
        Encoding::Json => {
            let count = match signal {
                Signal::Traces => "rejectedSpans",
                Signal::Metrics => "rejectedDataPoints",
                Signal::Logs => "rejectedLogRecords",
            };
            let mut partial = serde_json::Map::new();
            // The JSON of protobuf has numbers of 64 bits as texts.
            if done.rejected > 0 {
                partial.insert(count.to_owned(), Value::String(done.rejected.to_string()));
            }
            partial.insert("errorMessage".to_owned(), Value::String(message.to_owned()));
            json!({"partialSuccess": partial}).to_string().into_bytes()
        }
    }
}

/// A message of protobuf. Fields with their default value are left out.
#[derive(Debug, Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn number(&mut self, field: u64, value: u64) {
        if value != 0 {
            self.varint(field << 3);
            self.varint(value);
        }
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        if !value.is_empty() {
            self.varint(field << 3 | 2);
            self.varint(value.len() as u64);
            self.0.extend_from_slice(value);
        }
    }
}

#[cfg(test)]
mod tests;
