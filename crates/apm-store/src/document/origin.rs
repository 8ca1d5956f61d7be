//! The sender: the metadata of the request, and the fields that follow from it.

use std::sync::OnceLock;

use super::fields::{Fields, as_text};
use crate::json::Json;

/// The fields of the metadata.
pub(super) fn sender<'a>(out: &mut Fields<'a>, resource: &'a Json<'a>) {
    out.set("observer.type", "apm-server");
    out.set("observer.version", env!("CARGO_PKG_VERSION"));
    out.set("observer.hostname", hostname());
    if !resource["client"].is_null() {
        out.set("host.ip", vec![resource["client"].share()]);
    }
    let metadata = &resource["metadata"];
    service(out, &metadata["service"]);
    out.set(
        "agent.activation_method",
        metadata["service"]["agent"]["activation_method"].share(),
    );
    let system = &metadata["system"];
    out.copy(
        system,
        &[
            ("architecture", "host.architecture"),
            ("host_id", "host.id"),
            ("platform", "host.os.platform"),
            ("detected_hostname", "host.hostname"),
            ("configured_hostname", "host.name"),
            ("container/id", "container.id"),
            ("kubernetes/namespace", "kubernetes.namespace"),
            ("kubernetes/node/name", "kubernetes.node.name"),
            ("kubernetes/pod/name", "kubernetes.pod.name"),
            ("kubernetes/pod/uid", "kubernetes.pod.uid"),
        ],
    );
    // The older field counts only where neither of the newer ones was sent.
    if system["detected_hostname"].is_null() && system["configured_hostname"].is_null() {
        out.set("host.hostname", system["hostname"].share());
    }
    out.copy(
        &metadata["process"],
        &[
            ("pid", "process.pid"),
            ("ppid", "process.parent.pid"),
            ("title", "process.title"),
        ],
    );
    match &metadata["process"]["argv"] {
        Json::List(args) if !args.is_empty() => {
            out.set("process.args", metadata["process"]["argv"].share())
        }
        _ => {}
    }
    out.copy(
        &metadata["cloud"],
        &[
            ("account/id", "cloud.account.id"),
            ("account/name", "cloud.account.name"),
            ("availability_zone", "cloud.availability_zone"),
            ("instance/id", "cloud.instance.id"),
            ("instance/name", "cloud.instance.name"),
            ("machine/type", "cloud.machine.type"),
            ("project/id", "cloud.project.id"),
            ("project/name", "cloud.project.name"),
            ("provider", "cloud.provider"),
            ("region", "cloud.region"),
            ("service/name", "cloud.service.name"),
        ],
    );
    out.set(
        "network.connection.type",
        metadata["network"]["connection"]["type"].share(),
    );
    user(out, &metadata["user"]);
    out.labels(&metadata["labels"]);
}

/// Fields of a service and its agent, from metadata or from an event's own context.
pub(super) fn service<'a>(out: &mut Fields<'a>, service: &'a Json<'a>) {
    // A name of the event's own makes the metadata's version that of another service.
    if service["name"].is_string() {
        out.remove("service.version");
    }
    let is_named = service["name"].is_string();
    out.copy(
        service,
        &[
            ("name", "service.name"),
            ("environment", "service.environment"),
            ("node/configured_name", "service.node.name"),
            ("language/name", "service.language.name"),
            ("language/version", "service.language.version"),
            ("runtime/name", "service.runtime.name"),
            ("runtime/version", "service.runtime.version"),
            ("framework/name", "service.framework.name"),
            ("framework/version", "service.framework.version"),
            ("agent/name", "agent.name"),
            ("agent/version", "agent.version"),
            ("agent/ephemeral_id", "agent.ephemeral_id"),
        ],
    );
    if is_named {
        out.set("service.version", service["version"].share());
    }
}

/// A user replaces another as a whole.
pub(super) fn user<'a>(out: &mut Fields<'a>, user: &'a Json<'a>) {
    let names = ["id", "username", "email", "domain"];
    if names.iter().all(|name| user[name].is_null()) {
        return;
    }
    out.remove("user");
    out.set("user.id", as_text(&user["id"]));
    out.copy(
        user,
        &[
            ("username", "user.name"),
            ("email", "user.email"),
            ("domain", "user.domain"),
        ],
    );
}

/// Names that default to others, once all are known.
pub(super) fn names(out: &mut Fields<'_>) {
    let node = out.text("kubernetes.node.name").to_owned();
    // In Kubernetes the name that an agent detects is that of its pod, not that of a machine.
    if !node.is_empty() {
        out.set("host.hostname", node);
    } else if out.get("kubernetes").is_some() {
        out.remove("host.hostname");
    }
    if out.text("host.name").is_empty() {
        out.set("host.name", out.text("host.hostname").to_owned());
    }
    if out.text("service.node.name").is_empty() {
        let container = out.text("container.id");
        let node = if container.is_empty() {
            out.text("host.name")
        } else {
            container
        };
        out.set("service.node.name", node.to_owned());
    }
}

/// This machine's name.
pub(super) fn hostname() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let named = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        named.map_or_else(|| "localhost".to_owned(), |name| name.trim().to_owned())
    })
}
