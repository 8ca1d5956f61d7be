//! The instance of a service that sends events, as its metadata describes it.

use super::{Fields, origin, sender};

/// A process, container or machine that runs a service. Texts that were not sent are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// `service.node.name`, else what tells machines apart.
    pub node: String,
    /// `service.version`
    pub version: String,
    /// `host.hostname`, else `host.name`.
    pub host: String,
    /// `kubernetes.pod.name`
    pub pod: String,
    /// Name and version of its runtime.
    pub runtime: String,
}

/// The instance that a stored resource describes.
#[must_use]
pub fn instance(resource: &str) -> Instance {
    let mut fields: Fields<'_> = sender(resource);
    origin::names(&mut fields);
    let text = |field: &str| fields.text(field).to_owned();
    let host = match text("host.hostname") {
        host if host.is_empty() => text("host.name"),
        host => host,
    };
    let runtime = [
        text("service.runtime.name"),
        text("service.runtime.version"),
    ]
    .join(" ");
    Instance {
        node: text("service.node.name"),
        version: text("service.version"),
        pod: text("kubernetes.pod.name"),
        runtime: runtime.trim().to_owned(),
        host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_named_by_its_node_else_by_its_container_or_machine() {
        let of = |metadata: &str| instance(&format!(r#"{{"metadata":{metadata}}}"#));
        let named = of(
            r#"{"service":{"name":"s","version":"2","node":{"configured_name":"n"},
            "runtime":{"name":"node","version":"20"}},"system":{"configured_hostname":"h",
            "container":{"id":"c"},"kubernetes":{"pod":{"name":"p"},"node":{"name":"k"}}}}"#,
        );
        let wanted = Instance {
            node: "n".to_owned(),
            version: "2".to_owned(),
            host: "k".to_owned(),
            pod: "p".to_owned(),
            runtime: "node 20".to_owned(),
        };
        assert_eq!(named, wanted);
        let system = r#"{"system":{"configured_hostname":"h","container":{"id":"c"}}}"#;
        assert_eq!(of(system).node, "c");
        assert_eq!(of(r#"{"system":{"configured_hostname":"h"}}"#).node, "h");
        for nothing in ["", "{}", "[1]", r#"{"metadata":7}"#] {
            assert_eq!(instance(nothing), Instance::default(), "{nothing}");
        }
    }
}
