//! The reader of a page: what the request of its browser's agent says.

use serde_json::Value;

use super::fields::Fields;
use super::user_agent;

/// The fields of a visitor. An event's own request says it better, and is read after this.
pub(super) fn visitor(out: &mut Fields, visitor: &Value) {
    out.set("user_agent.original", visitor["user_agent"].clone());
    for side in ["client", "source"] {
        out.set(&format!("{side}.ip"), visitor["ip"].clone());
    }
    out.set("source.port", visitor["port"].clone());
    out.set("source.nat.ip", visitor["proxy"].clone());
}

/// The browser by name, once it is known what it calls itself.
pub(super) fn browser(out: &mut Fields) {
    let header = out.text("user_agent.original").to_owned();
    let read = user_agent::parse(&header);
    out.set("user_agent.name", read.name);
    out.set("user_agent.version", read.version);
    out.set("user_agent.os.name", read.system);
    out.set("user_agent.os.version", read.system_version);
    out.set("user_agent.device.name", read.device);
}
