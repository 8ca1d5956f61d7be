//! The reader of a page: what the request of its browser's agent says.

use super::fields::Fields;
use super::user_agent;
use crate::json::Json;

/// The fields of a visitor. An event's own request says it better, and is read after this.
pub(super) fn visitor<'a>(out: &mut Fields<'a>, visitor: &'a Json<'a>) {
    out.set("user_agent.original", visitor["user_agent"].share());
    out.set("client.ip", visitor["ip"].share());
    out.set("source.ip", visitor["ip"].share());
    out.set("source.port", visitor["port"].share());
    out.set("source.nat.ip", visitor["proxy"].share());
}

/// The browser by name, once it is known what it calls itself.
pub(super) fn browser(out: &mut Fields<'_>) {
    let header = out.text("user_agent.original").to_owned();
    let read = user_agent::parse(&header);
    out.set("user_agent.name", read.name);
    out.set("user_agent.version", read.version.to_owned());
    out.set("user_agent.os.name", read.system);
    out.set("user_agent.os.version", read.system_version);
    out.set("user_agent.device.name", read.device);
}
