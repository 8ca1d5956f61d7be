//! The cloud's metadata service, and its answer about the machine.
//!
//! Runs on the agent's thread, beside everything else, and never longer than [`TIMEOUT`] per request. Most machines are
//! in no cloud, or in another one: no answer is the usual answer, and is not worth a line in the log.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::keyword;
use crate::config::CloudProvider;

/// The longest time of one request.
const TIMEOUT: Duration = Duration::from_secs(1);
/// The longest time of the first one: metadata services are on the same link, and answer at once.
const FIRST_TIMEOUT: Duration = Duration::from_millis(500);
/// The largest answer that is read.
const MAX_BODY: usize = 256 * 1024;

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Cloud {
    provider: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    availability_zone: Option<String>,
    #[serde(skip_serializing_if = "Named::is_empty")]
    account: Named,
    #[serde(skip_serializing_if = "Named::is_empty")]
    instance: Named,
    #[serde(skip_serializing_if = "Named::is_empty")]
    project: Named,
    #[serde(skip_serializing_if = "Option::is_none")]
    machine: Option<Machine>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Named {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

impl Named {
    fn is_empty(&self) -> bool {
        self.id.is_none() && self.name.is_none()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Machine {
    #[serde(rename = "type")]
    kind: String,
}

/// The addresses of the metadata services; tests replace them by their own.
#[derive(Clone, Debug)]
pub(crate) struct Services {
    /// AWS and Azure share the link-local address.
    link_local: String,
    gcp: String,
}

impl Default for Services {
    fn default() -> Self {
        Self {
            link_local: "http://169.254.169.254".to_owned(),
            gcp: "http://metadata.google.internal".to_owned(),
        }
    }
}

/// Asks the provider, or all of them at once. `http` should use no proxy: metadata services are on the machine's own
/// link.
pub(crate) async fn look_up(
    provider: CloudProvider,
    http: &reqwest::Client,
    services: &Services,
) -> Option<Cloud> {
    match provider {
        CloudProvider::None => None,
        CloudProvider::Aws => aws(http, services).await,
        CloudProvider::Gcp => gcp(http, services).await,
        CloudProvider::Azure => azure(http, services).await,
        CloudProvider::Auto => {
            let (aws, gcp, azure) = tokio::join!(
                aws(http, services),
                gcp(http, services),
                azure(http, services)
            );
            aws.or(gcp).or(azure)
        }
    }
}

async fn aws(http: &reqwest::Client, services: &Services) -> Option<Cloud> {
    let base = &services.link_local;
    // Version 2 of the service wants a token first.
    let request = http
        .put(format!("{base}/latest/api/token"))
        .header("X-aws-ec2-metadata-token-ttl-seconds", "300")
        .timeout(FIRST_TIMEOUT);
    let token = body(request).await?;
    let request = http
        .get(format!("{base}/latest/dynamic/instance-identity/document"))
        .header("X-aws-ec2-metadata-token", token.trim_ascii())
        .timeout(TIMEOUT);
    from_aws(&serde_json::from_slice(&body(request).await?).ok()?)
}

async fn gcp(http: &reqwest::Client, services: &Services) -> Option<Cloud> {
    let url = format!("{}/computeMetadata/v1/?recursive=true", services.gcp);
    let request = http
        .get(url)
        .header("Metadata-Flavor", "Google")
        .timeout(FIRST_TIMEOUT);
    from_gcp(&serde_json::from_slice(&body(request).await?).ok()?)
}

async fn azure(http: &reqwest::Client, services: &Services) -> Option<Cloud> {
    if let Some(app_service) = from_app_service(|name| std::env::var(name).ok()) {
        return Some(app_service);
    }
    let url = format!(
        "{}/metadata/instance/compute?api-version=2019-08-15",
        services.link_local
    );
    let request = http
        .get(url)
        .header("Metadata", "true")
        .timeout(FIRST_TIMEOUT);
    from_azure(&serde_json::from_slice(&body(request).await?).ok()?)
}

/// The body of a successful answer, if it is not too long.
async fn body(request: reqwest::RequestBuilder) -> Option<Vec<u8>> {
    let mut response = request.send().await.ok()?.error_for_status().ok()?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > MAX_BODY {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}

/// A text or number at a JSON pointer, as text: GCP's ids exceed what JavaScript's numbers can hold.
fn at(json: &Value, pointer: &str) -> Option<String> {
    match json.pointer(pointer)? {
        Value::String(text) if !text.is_empty() => Some(keyword(text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn last_segment(path: Option<String>) -> Option<String> {
    path.and_then(|path| path.rsplit('/').next().map(str::to_owned))
}

fn from_aws(document: &Value) -> Option<Cloud> {
    let instance = at(document, "/instanceId")?;
    Some(Cloud {
        provider: "aws",
        region: at(document, "/region"),
        availability_zone: at(document, "/availabilityZone"),
        account: Named {
            id: at(document, "/accountId"),
            name: None,
        },
        instance: Named {
            id: Some(instance),
            name: None,
        },
        project: Named::default(),
        machine: at(document, "/instanceType").map(|kind| Machine { kind }),
    })
}

fn from_gcp(document: &Value) -> Option<Cloud> {
    let instance = at(document, "/instance/id")?;
    let zone = last_segment(at(document, "/instance/zone"));
    Some(Cloud {
        provider: "gcp",
        region: zone
            .as_deref()
            .and_then(|zone| zone.rsplit_once('-'))
            .map(|(region, _)| region.to_owned()),
        availability_zone: zone,
        account: Named::default(),
        instance: Named {
            id: Some(instance),
            name: at(document, "/instance/name"),
        },
        project: Named {
            id: at(document, "/project/projectId"),
            name: None,
        },
        machine: last_segment(at(document, "/instance/machineType")).map(|kind| Machine { kind }),
    })
}

fn from_azure(document: &Value) -> Option<Cloud> {
    let instance = at(document, "/vmId")?;
    Some(Cloud {
        provider: "azure",
        region: at(document, "/location"),
        availability_zone: at(document, "/zone"),
        account: Named {
            id: at(document, "/subscriptionId"),
            name: None,
        },
        instance: Named {
            id: Some(instance),
            name: at(document, "/name"),
        },
        project: Named {
            id: None,
            name: at(document, "/resourceGroupName"),
        },
        machine: at(document, "/vmSize").map(|kind| Machine { kind }),
    })
}

/// Azure App Service has no metadata service; its variables say it, if all four are there.
/// The owner's name is `{subscription}+{plan's resource group}-{region}webspace{anything}`.
fn from_app_service(variable: impl Fn(&str) -> Option<String>) -> Option<Cloud> {
    let variable = |name: &str| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(|value| keyword(&value))
    };
    let owner = variable("WEBSITE_OWNER_NAME")?;
    let (subscription, rest) = owner.split_once('+')?;
    let (plan, _) = rest.rsplit_once("webspace")?;
    let (_, region) = plan.rsplit_once('-')?;
    Some(Cloud {
        provider: "azure",
        region: Some(region.to_owned()),
        availability_zone: None,
        account: Named {
            id: Some(subscription.to_owned()),
            name: None,
        },
        instance: Named {
            id: Some(variable("WEBSITE_INSTANCE_ID")?),
            name: Some(variable("WEBSITE_SITE_NAME")?),
        },
        project: Named {
            id: None,
            name: Some(variable("WEBSITE_RESOURCE_GROUP")?),
        },
        machine: None,
    })
}

#[cfg(test)]
mod tests;
