//! Names of the gauges that pages draw by themselves.

/// Share of all processors that the machine used, 0 to 1.
pub const SYSTEM_CPU: &str = "system.cpu.total.norm.pct";
/// Share of all processors that the process used, 0 to 1.
pub const PROCESS_CPU: &str = "system.process.cpu.total.norm.pct";
/// Memory of the process, bytes.
pub const PROCESS_MEMORY: &str = "system.process.memory.rss.bytes";
