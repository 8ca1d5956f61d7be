//! Takes the return addresses of the current thread's stack.

/// However deep the stack is, no more are taken: a runaway recursion has thousands, and they say nothing new.
const MAX_ADDRESSES: usize = 512;

/// Frames of the agent and of the panic machinery, which are cut off later.
const MARGIN: usize = 40;

/// The addresses from the innermost call outwards: `limit` of them and a few that are cut off when they are resolved.
/// `None` is unlimited, up to a sane depth; a limit of 0 takes nothing.
pub(crate) fn capture(limit: Option<usize>) -> Vec<usize> {
    let wanted = match limit {
        Some(0) => return Vec::new(),
        Some(limit) => limit.saturating_add(MARGIN).min(MAX_ADDRESSES),
        None => MAX_ADDRESSES,
    };
    let mut addresses = Vec::with_capacity(wanted.min(64));
    backtrace::trace(|frame| {
        addresses.push(frame.ip().addr());
        addresses.len() < wanted
    });
    addresses
}
