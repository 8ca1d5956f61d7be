//! The reader of a page, as the request of its browser's agent describes them.

use super::fields::Fields;
use super::user_agent;
use crate::json::Json;

/// The fields of a visitor. An event's own request says it better, and is read after this.
pub(super) fn visitor<'a>(out: &mut Fields<'a>, visitor: &'a Json<'a>) {
    out.set("user_agent.original", visitor["user_agent"].share());
    for field in ["client.ip", "source.ip"] {
        out.set(field, visitor["ip"].share());
    }
    out.set("source.port", visitor["port"].share());
    out.set("source.nat.ip", visitor["proxy"].share());
}

/// The browser by name, once it is known what it calls itself.
pub(super) fn browser(out: &mut Fields<'_>) {
    let header = out.text("user_agent.original").to_owned();
    let read = user_agent::parse(&header);
    let texts = [
        ("user_agent.name", read.name.unwrap_or_default().to_owned()),
        ("user_agent.version", read.version.to_owned()),
        (
            "user_agent.os.name",
            read.system.unwrap_or_default().to_owned(),
        ),
        ("user_agent.os.version", read.system_version),
        (
            "user_agent.device.name",
            read.device.unwrap_or_default().to_owned(),
        ),
    ];
    for (field, text) in texts {
        out.set(field, text);
    }
}
