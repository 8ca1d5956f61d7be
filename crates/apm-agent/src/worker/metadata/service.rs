//! The service, and the agent in it.

use serde::Serialize;

use super::{Framework, keyword};
use crate::config::Settings;
use crate::trace::ids::TraceId;

#[derive(Clone, Debug, Serialize)]
pub(super) struct Service {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    agent: Agent,
    language: Language,
    #[serde(skip_serializing_if = "Option::is_none")]
    framework: Option<FrameworkFields>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<Node>,
}

#[derive(Clone, Debug, Serialize)]
struct Agent {
    name: &'static str,
    version: &'static str,
    /// Tells two runs of one service apart.
    ephemeral_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation_method: Option<&'static str>,
}

#[derive(Clone, Debug, Serialize)]
struct Language {
    name: &'static str,
    version: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct FrameworkFields {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct Node {
    configured_name: String,
}

impl Service {
    pub(super) fn new(settings: &Settings, integration: Option<Framework>) -> Self {
        let text = |option: &Option<String>| option.as_deref().map(keyword);
        let framework = match (&settings.framework_name, integration) {
            (Some(name), _) => Some((keyword(name), text(&settings.framework_version))),
            (None, Some(framework)) => Some((
                framework.name.to_owned(),
                Some(framework.version.to_owned()),
            )),
            (None, None) => None,
        };
        Self {
            name: settings.service_name.clone(),
            version: text(&settings.service_version),
            environment: text(&settings.environment),
            agent: Agent {
                name: "rust",
                version: env!("CARGO_PKG_VERSION"),
                ephemeral_id: TraceId::random().to_string(),
                // The service links the agent and starts it in code.
                activation_method: Some("library"),
            },
            language: Language {
                name: "rust",
                version: env!("APM_AGENT_RUSTC_VERSION"),
            },
            framework: framework.map(|(name, version)| FrameworkFields { name, version }),
            node: text(&settings.service_node_name).map(|configured_name| Node { configured_name }),
        }
    }

    pub(super) fn hide_activation_method(&mut self) {
        self.agent.activation_method = None;
    }
}
