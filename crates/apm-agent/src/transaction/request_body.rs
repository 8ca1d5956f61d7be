//! The beginning of a request's body, as far as the service read it.
//!
//! Nothing is read on the agent's behalf: what passes by is copied, up to a limit. Without `capture_body` there is none of this.

use std::sync::Mutex;

use crate::config::Settings;
use crate::encode::json;
use crate::sanitize;
use crate::transport::buffers::lock;

#[derive(Debug)]
pub(crate) struct RequestBody {
    bytes: Mutex<Vec<u8>>,
    /// Characters that are reported; four times as many bytes are kept.
    most: usize,
    form: bool,
}

impl RequestBody {
    /// For a body of this type; `None` for what is no text.
    pub(crate) fn new(content_type: &str, settings: &Settings) -> Option<Self> {
        let kind = content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let form = kind == "application/x-www-form-urlencoded";
        let text = kind.starts_with("text/") || kind.ends_with("json") || kind.ends_with("xml");
        (form || text).then(|| Self {
            bytes: Mutex::default(),
            most: settings.long_field_max_length as usize,
            form,
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
        if self.form {
            let text = json::cut(&text, self.most).unwrap_or(&text);
            let fields = sanitize::form(text, &settings.sanitize_field_names);
            // A map of texts in a vector: there is nothing that could fail.
            let _ = serde_json::to_writer(out, &fields);
        } else {
            json::limited(out, &text, self.most);
        }
    }
}
