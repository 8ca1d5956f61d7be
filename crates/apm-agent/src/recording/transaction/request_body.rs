//! The beginning of a request's body, as far as the service read it.
//!
//! Nothing is read on the agent's behalf: what passes by is copied, up to a limit. Without `capture_body` there is none
//! of this.

use crate::config::Settings;
use crate::encode::json;
use crate::sanitize::{self, multipart};
use crate::util::{Mutex, lock};

#[derive(Debug)]
pub(crate) struct RequestBody {
    bytes: Mutex<Vec<u8>>,
    /// Characters that are reported; four times as many bytes are kept.
    most: usize,
    kind: Kind,
}

/// The way in which it is reported.
#[derive(Debug)]
enum Kind {
    /// As it is.
    Text,
    /// By field.
    Form,
    /// By field, and of files only their names.
    Multipart { boundary: String },
}

impl Kind {
    /// For a body of this type; `None` for what is no text.
    fn from_content_type(content_type: &str) -> Option<Self> {
        let kind = content_type.split(';').next().unwrap_or_default();
        let kind = kind.trim().to_ascii_lowercase();
        match kind.as_str() {
            "application/x-www-form-urlencoded" => Some(Self::Form),
            "multipart/form-data" => Some(Self::Multipart {
                boundary: multipart::boundary(content_type)?.to_owned(),
            }),
            _ => {
                let ends = ["json", "xml"];
                let text = kind.starts_with("text/") || ends.iter().any(|end| kind.ends_with(end));
                text.then_some(Self::Text)
            }
        }
    }
}

impl RequestBody {
    /// For a body of this type; `None` for what is no text.
    pub(crate) fn new(content_type: &str, settings: &Settings) -> Option<Self> {
        Some(Self {
            bytes: Mutex::default(),
            most: settings.long_field_max_length as usize,
            kind: Kind::from_content_type(content_type)?,
        })
    }

    /// A part of the body passes by.
    pub(crate) fn saw(&self, part: &[u8]) {
        let mut bytes = lock(&self.bytes);
        let room = self.most.saturating_mul(4).saturating_sub(bytes.len());
        bytes.extend_from_slice(&part[..part.len().min(room)]);
    }

    /// Appends `,"body":…`: the fields of a form, without secrets, or else the text. Nothing if nothing was read.
    pub(crate) fn write(&self, out: &mut Vec<u8>, settings: &Settings) {
        let bytes = lock(&self.bytes);
        if bytes.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(&bytes);
        out.extend_from_slice(b",\"body\":");
        let secrets = &settings.sanitize_field_names;
        let fields = match &self.kind {
            Kind::Text => return json::limited(out, &text, self.most),
            Kind::Form => sanitize::form(json::cut(&text, self.most).unwrap_or(&text), secrets),
            Kind::Multipart { boundary } => multipart::fields(&text, boundary, self.most, secrets),
        };
        // A map of texts in a vector: there is nothing that could fail.
        let _ = serde_json::to_writer(out, &fields);
    }
}
