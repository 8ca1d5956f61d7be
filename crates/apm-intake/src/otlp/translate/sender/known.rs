//! The attributes of a resource that have a place of their own.

use super::texts;
use crate::conventions::{Json, Value, cut};

/// Attributes that are fields of another name, for which intake v2 has no place.
const FIELDS: [(&str, &str); 21] = [
    ("host.type", "host.type"),
    ("os.description", "host.os.full"),
    ("os.name", "host.os.name"),
    ("os.version", "host.os.version"),
    ("process.command_line", "process.command_line"),
    ("process.executable.path", "process.executable"),
    ("container.name", "container.name"),
    ("container.image.name", "container.image.name"),
    ("container.image.tag", "container.image.tag"),
    ("container.runtime", "container.runtime"),
    ("device.id", "device.id"),
    ("device.model.identifier", "device.model.identifier"),
    ("device.model.name", "device.model.name"),
    ("device.manufacturer", "device.manufacturer"),
    ("session.id", "session.id"),
    ("network.connection.type", "network.connection.type"),
    ("network.connection.subtype", "network.connection.subtype"),
    ("network.carrier.name", "network.carrier.name"),
    ("network.carrier.mcc", "network.carrier.mcc"),
    ("network.carrier.mnc", "network.carrier.mnc"),
    ("network.carrier.icc", "network.carrier.icc"),
];

/// Attributes that are members of the metadata: its object, and the path of the member within it.
const MEMBERS: [(&str, &str, &str); 13] = [
    ("service.instance.id", "service", "node/configured_name"),
    ("process.runtime.name", "service", "runtime/name"),
    ("process.runtime.version", "service", "runtime/version"),
    ("host.id", "system", "host_id"),
    ("host.arch", "system", "architecture"),
    ("container.id", "system", "container/id"),
    ("k8s.namespace.name", "system", "kubernetes/namespace"),
    ("k8s.node.name", "system", "kubernetes/node/name"),
    ("k8s.pod.name", "system", "kubernetes/pod/name"),
    ("k8s.pod.uid", "system", "kubernetes/pod/uid"),
    ("cloud.provider", "cloud", "provider"),
    ("cloud.region", "cloud", "region"),
    ("cloud.availability_zone", "cloud", "availability_zone"),
];

/// Those with a name of two levels in an object of the metadata.
const CLOUD: [(&str, &str, &str); 2] = [
    ("cloud.account.id", "account", "id"),
    ("cloud.platform", "service", "name"),
];

#[derive(Debug, Default)]
pub(super) struct Known<'a> {
    service: Option<&'a str>,
    pub(super) service_version: Option<&'a str>,
    pub(super) environment: Option<&'a str>,
    pub(super) language: Option<&'a str>,
    sdk: Option<&'a str>,
    sdk_version: Option<&'a str>,
    distro: Option<&'a str>,
    distro_version: Option<&'a str>,
    pub(super) host_name: Option<&'a str>,
    host_ip: Vec<String>,
    os_type: Option<&'a str>,
    os_name: Option<&'a str>,
    pid: Option<i64>,
    owner: Option<&'a str>,
    pub(super) dataset: Option<&'a str>,
    pub(super) namespace: Option<&'a str>,
    /// When the body was sent, by the clock that its times are of, ns since the epoch.
    pub(super) export_time: Option<i64>,
    texts: Vec<(&'static str, &'a str)>,
}

impl<'a> Known<'a> {
    /// Takes an attribute; tells whether it has a place of its own.
    pub(super) fn read(&mut self, key: &str, value: &'a Value<'a>) -> bool {
        match (key, value) {
            ("process.pid", Value::Int(pid)) => self.pid = Some(*pid),
            ("telemetry.sdk.elastic_export_timestamp", Value::Int(sent)) => {
                self.export_time = Some(*sent)
            }
            ("host.ip", Value::Array(_)) => {
                let ips = texts(value).filter_map(|ip| ip.parse::<std::net::IpAddr>().ok());
                self.host_ip = ips.map(|ip| ip.to_string()).collect();
            }
            (key, Value::Text(text)) => return self.text(key, text),
            _ => return false,
        }
        true
    }

    fn text(&mut self, key: &str, text: &'a str) -> bool {
        let field = match key {
            "service.name" => &mut self.service,
            "service.version" => &mut self.service_version,
            "deployment.environment" | "deployment.environment.name" => &mut self.environment,
            "telemetry.sdk.language" => &mut self.language,
            "telemetry.sdk.name" => &mut self.sdk,
            "telemetry.sdk.version" => &mut self.sdk_version,
            "telemetry.distro.name" => &mut self.distro,
            "telemetry.distro.version" => &mut self.distro_version,
            "host.name" => &mut self.host_name,
            "os.type" => &mut self.os_type,
            "process.owner" => &mut self.owner,
            "data_stream.dataset" => &mut self.dataset,
            "data_stream.namespace" => &mut self.namespace,
            key => {
                if key == "os.name" {
                    self.os_name = Some(text);
                }
                let names = FIELDS.iter().map(|field| field.0);
                let names = names.chain(MEMBERS.iter().map(|member| member.0));
                let mut names = names.chain(CLOUD.iter().map(|member| member.0));
                let Some(name) = names.find(|name| *name == key) else {
                    return false;
                };
                self.texts.retain(|(known, _)| *known != name);
                self.texts.push((name, text));
                return true;
            }
        };
        *field = Some(text).filter(|text| !text.is_empty());
        true
    }

    /// The service, with no character that a name may not have.
    pub(super) fn service_name(&self) -> String {
        let legal = |c: char| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '_' | '-' => c,
            _ => '_',
        };
        cut(self.service.unwrap_or("unknown"))
            .chars()
            .map(legal)
            .collect()
    }

    /// Name and version of the agent: SDK, language and distribution.
    pub(super) fn agent(&self) -> (String, String) {
        let sdk = self.sdk.unwrap_or("otlp");
        let (name, version) = match (self.distro, self.language) {
            (Some(distro), language) => (
                format!("{sdk}/{}/{distro}", language.unwrap_or("unknown")),
                self.distro_version,
            ),
            (None, Some(language)) => (format!("{sdk}/{language}"), self.sdk_version),
            (None, None) => (sdk.to_owned(), self.sdk_version),
        };
        (
            cut(&name).to_owned(),
            cut(version.unwrap_or("unknown")).to_owned(),
        )
    }

    fn get(&self, name: &str) -> &'a str {
        let found = self.texts.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, text)| cut(text))
    }

    /// The metadata, as documents read it. `labels`: an object.
    pub(super) fn document(&self, labels: &str) -> String {
        let mut out = String::new();
        let mut json = Json::new(&mut out);
        json.open('{');
        json.object("metadata", |json| {
            json.object("service", |json| self.write_service(json));
            if let Some(pid) = self.pid {
                json.object("process", |json| json.int("pid", pid));
            }
            json.object("system", |json| {
                json.text("hostname", cut(self.host_name.unwrap_or_default()));
                json.text(
                    "platform",
                    &cut(self.os_type.unwrap_or_default()).to_ascii_lowercase(),
                );
                self.write_members(json, "system");
            });
            json.object("cloud", |json| {
                self.write_members(json, "cloud");
                for (name, object, member) in CLOUD {
                    json.object(object, |json| json.text(member, self.get(name)));
                }
            });
            json.object("user", |json| {
                json.text("username", cut(self.owner.unwrap_or_default()))
            });
            if labels != "{}" {
                json.key("labels").raw(labels);
            }
        });
        json.object("ecs", |json| self.write_fields(json));
        json.close('}');
        out
    }

    fn write_service(&self, json: &mut Json<'_>) {
        let (name, version) = self.agent();
        json.text("name", &self.service_name());
        json.text("version", cut(self.service_version.unwrap_or_default()));
        json.text("environment", cut(self.environment.unwrap_or_default()));
        json.object("agent", |json| {
            json.text("name", &name);
            json.text("version", &version);
        });
        json.object("language", |json| {
            json.text("name", cut(self.language.unwrap_or("unknown")));
        });
        self.write_members(json, "service");
    }

    fn write_members(&self, json: &mut Json<'_>, object: &str) {
        // Members of one object follow each other in the table.
        let members: Vec<_> = MEMBERS
            .iter()
            .filter(|member| member.1 == object)
            .map(|member| (member.2, self.get(member.0)))
            .filter(|(_, text)| !text.is_empty())
            .collect();
        write_paths(json, &members);
    }

    fn write_fields(&self, json: &mut Json<'_>) {
        for (name, field) in FIELDS {
            json.text(field, self.get(name));
        }
        let kind = match (
            self.os_name,
            self.os_type.map(str::to_ascii_lowercase).as_deref(),
        ) {
            (Some("Android"), _) => "android",
            (Some("iOS"), _) => "ios",
            (_, Some("linux")) => "linux",
            (_, Some("windows")) => "windows",
            (_, Some("darwin")) => "macos",
            (_, Some("aix" | "hpux" | "solaris")) => "unix",
            _ => "",
        };
        json.text("host.os.type", kind);
        if !self.host_ip.is_empty() {
            json.key("host.ip").open('[');
            self.host_ip.iter().for_each(|ip| json.element(ip));
            json.close(']');
        }
    }
}

/// Writes members by their paths, of which those with the same beginning follow each other.
fn write_paths(json: &mut Json<'_>, members: &[(&str, &str)]) {
    let Some((first, text)) = members.first() else {
        return;
    };
    let Some((object, _)) = first.split_once('/') else {
        json.text(first, text);
        write_paths(json, &members[1..]);
        return;
    };
    let own: Vec<_> = members
        .iter()
        .map_while(|(path, text)| {
            let (own, rest) = path.split_once('/')?;
            (own == object).then_some((rest, *text))
        })
        .collect();
    json.object(object, |json| write_paths(json, &own));
    write_paths(json, &members[own.len()..]);
}
