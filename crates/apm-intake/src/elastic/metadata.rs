//! `metadata`: who sends.

use std::net::IpAddr;

use apm_store::event::Resource;

use super::fields::Fields;
use super::rest::value_of;
use super::schema::Slot;
use crate::refused::Refused;

/// The resource that a metadata line describes.
pub(super) fn build(
    fields: &mut Fields<'_>,
    line: &str,
    client: Option<IpAddr>,
) -> Result<Resource, Refused> {
    let own = |slot| fields.word(slot).map(str::to_owned);
    // The first quotation mark of the line is that of `"metadata"`.
    let metadata = value_of(line, line.find('"').unwrap_or_default(), None);
    let client_json = client.map_or(String::new(), |client| format!(",\"client\":\"{client}\""));
    Ok(Resource {
        service_name: own(Slot::ServiceName).unwrap_or_default(),
        environment: own(Slot::ServiceEnvironment),
        service_version: own(Slot::ServiceVersion),
        agent_name: own(Slot::AgentName).unwrap_or_default(),
        agent_version: own(Slot::AgentVersion).unwrap_or_default(),
        language: own(Slot::Language),
        client,
        document: format!("{{\"metadata\":{metadata}{client_json}}}"),
    })
}
