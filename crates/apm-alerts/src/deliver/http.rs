//! Posts to webhooks.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use apm_store::cause::innermost;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt as _;
use serde_json::Value;

use super::Failure;
use super::address::{Allowed, refused};
use crate::options::Options;

/// The clients, made when they are first needed.
#[derive(Debug)]
pub(super) struct Web {
    allowed: Allowed,
    /// For receivers of the configuration file.
    open: OnceLock<Client>,
    /// For those of the page.
    guarded: OnceLock<Client>,
}

impl Web {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            allowed: Allowed::new(&options.networks),
            open: OnceLock::new(),
            guarded: OnceLock::new(),
        }
    }

    /// Posts JSON. The answer's body is not read, so nobody learns from it what is there.
    pub(super) async fn post(
        &self,
        url: &str,
        authorization: Option<&str>,
        body: &Value,
        trusted: bool,
    ) -> Result<(), Failure> {
        let url = Url::parse(url).map_err(|_| Failure::for_good("its address is none"))?;
        let client = match trusted {
            true => cached(&self.open, || client(None)),
            false => {
                self.check(&url)?;
                let allowed = self.allowed.clone();
                cached(&self.guarded, || client(Some(allowed)))
            }
        };
        let client = client.map_err(Failure::again)?;
        let mut request = client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
        if let Some(value) = authorization {
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| Failure::for_good("`authorization` cannot be sent"))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let answer = request.send().await.map_err(|error| failure(&error))?;
        judge(answer.status())
    }

    /// An address that is written as a number is not resolved.
    fn check(&self, url: &Url) -> Result<(), Failure> {
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        match host.parse::<IpAddr>() {
            Ok(address) if !self.allowed.allows(address) => {
                Err(Failure::for_good(refused().to_string()))
            }
            _ => Ok(()),
        }
    }
}

/// The client of a place, made where there is none. A failure is not kept: the next delivery tries again.
fn cached(
    place: &OnceLock<Client>,
    make: impl FnOnce() -> Result<Client, String>,
) -> Result<&Client, String> {
    match place.get() {
        Some(client) => Ok(client),
        None => make().map(|client| place.get_or_init(|| client)),
    }
}

fn judge(status: StatusCode) -> Result<(), Failure> {
    let why = format!("it answered {}", status.as_u16());
    match status {
        status if status.is_success() => Ok(()),
        status if status.is_redirection() => Err(Failure::for_good(format!(
            "{why}: redirects are not followed"
        ))),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Err(Failure::again(why)),
        status if status.is_server_error() => Err(Failure::again(why)),
        _ => Err(Failure::for_good(why)),
    }
}

/// The innermost cause. The address, which may be a secret, is not in it.
fn failure(error: &reqwest::Error) -> Failure {
    let cause = innermost(error);
    let remedy = match cause.downcast_ref::<rustls::Error>() {
        Some(rustls::Error::InvalidCertificate(_)) => {
            "; add the authority that vouches for it to those of this system"
        }
        _ => "",
    };
    let why = match std::ptr::addr_eq(cause, error) {
        true => "it cannot be reached".to_owned(),
        false => format!("it cannot be reached: {cause}{remedy}"),
    };
    match error.is_builder() || why.contains(&refused().to_string()) {
        true => Failure::for_good(why),
        false => Failure::again(why),
    }
}

fn client(allowed: Option<Allowed>) -> Result<Client, String> {
    let provider = Arc::new(ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_platform_verifier())
        .map_err(|error| format!("the certificates of this system cannot be used: {error}"))?;
    // A redirect, a proxy or a connection that was kept would lead past the check of the address.
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls.with_no_client_auth())
        .redirect(Policy::none())
        .pool_max_idle_per_host(0)
        .user_agent(concat!("pocket-apm/", env!("CARGO_PKG_VERSION")))
        .no_proxy();
    if let Some(allowed) = allowed {
        builder = builder.dns_resolver(Arc::new(allowed));
    }
    builder.build().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_cannot_be_made_is_made_when_it_can_be_and_then_kept() {
        let place = OnceLock::new();
        let failed = || Err("no certificates".to_owned());
        assert!(cached(&place, failed).is_err());
        assert!(cached(&place, || client(None)).is_ok());
        assert!(cached(&place, failed).is_ok());
    }
}
