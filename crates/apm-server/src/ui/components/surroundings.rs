//! Facts for the parts of a page around its content.

/// Facts about the store for the header and the navigation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surroundings {
    pub(crate) services: Vec<String>,
    pub(crate) environments: Vec<String>,
    /// Error groups in the range.
    pub(crate) errors: Option<u64>,
    /// Alerts that fire.
    pub(crate) firing: Option<u64>,
    /// When this server started, µs since the epoch.
    pub(crate) started: Option<i64>,
    /// The newest marker: µs since the epoch, and its name.
    pub(crate) marker: Option<(i64, String)>,
    /// The servers whose counts are here, in words.
    pub(crate) covers: Option<String>,
    /// Bytes stored, and the limit (0: none).
    pub(crate) stored: Option<(u64, u64)>,
}
