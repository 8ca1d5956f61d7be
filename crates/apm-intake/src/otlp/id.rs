//! Ids: 16 bytes of a trace, 8 of a span. Of another length, or of zeros alone, they count as absent.

/// The id of a trace.
pub(super) fn trace(bytes: &[u8]) -> Option<[u8; 16]> {
    let id: [u8; 16] = bytes.try_into().ok()?;
    (id != [0; 16]).then_some(id)
}

/// The id of a span.
pub(super) fn span(bytes: &[u8]) -> Option<u64> {
    let id = u64::from_be_bytes(bytes.try_into().ok()?);
    (id != 0).then_some(id)
}
