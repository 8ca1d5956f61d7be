//! A stack frame on the wire.

use serde::Serialize;

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Frame {
    pub(crate) filename: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) abs_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) function: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lineno: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) colno: Option<u32>,
    pub(crate) library_frame: bool,
}
