//! The decision about a request: by its host, by the site whose page sends it, and by what its sender may do.

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use super::{Guard, Seen};
use crate::front::Front;
use crate::http::credentials::Holder;
use crate::http::hosts::HostCheck;
use crate::http::otlp::Port;
use crate::http::refusals::Refusal;
use crate::http::site::{self, Site};
use crate::http::{cors, login, respond};
use crate::route::{Access, Caller, Rules, Sites};

/// The refusal of a request without a secret.
pub(super) const MISSING: &str = "authentication failed: missing or improperly formatted Authorization header: \
                       expected 'Authorization: Bearer secret_token' or 'Authorization: ApiKey base64(API key ID:API \
                       key)'";

/// The decision about a request.
pub(super) enum Verdict {
    /// It is let through, and its caller has shown a secret.
    Trusted,
    /// It is let through, as no secret is needed.
    Open,
    Refused(HttpResponse),
}

/// Judges a request by the rules of its route.
pub(super) fn judge(request: &HttpRequest, rules: &Rules, guard: &Guard) -> Verdict {
    let forbidden = |why: Refusal, message: &str| {
        guard.refusals.count(why);
        Verdict::Refused(respond::error(request, 403, message))
    };
    let access = rules.access(request.method());
    let hosts = match request.app_data::<Port>() {
        Some(Port) => &guard.otlp_hosts,
        None => &guard.hosts,
    };
    match hosts.judge(request) {
        HostCheck::Allowed => {}
        // The check of an old balancer.
        HostCheck::Nameless if access == Access::Open && request.method().is_safe() => {}
        HostCheck::Nameless => {
            let message = "forbidden request: a Host header is required";
            return forbidden(Refusal::Host, message);
        }
        HostCheck::Foreign(host) => {
            let message = format!(
                "forbidden request: host: '{}' is not allowed: name it in --apm-allowed-hosts (APM_ALLOWED_HOSTS) if \
                 this server is reached by it",
                excerpt(host)
            );
            return forbidden(Refusal::Host, &message);
        }
    }
    let is_safe = request.method().is_safe();
    if is_safe && access != Access::Open && site::is_embedded(request) {
        let message = "forbidden request: another site's page cannot load this";
        return forbidden(Refusal::Site, message);
    }
    // An open route needs no secret, and a wrong one that is sent along is no attempt.
    let seen = (access != Access::Open).then(|| guard.see(request));
    if !is_safe {
        let front = Front::from_request(request);
        match site::judge(request, &front) {
            Site::Own => {}
            Site::Foreign(_) if listed(rules, request, guard).is_some() => {}
            Site::Foreign(site) => {
                let message = format!(
                    "forbidden request: origin: '{}' is not allowed: this server is asked as '{}'. If a proxy has \
                     changed the Host header, name the proxy in --apm-trusted-proxies (APM_TRUSTED_PROXIES)",
                    excerpt(&site),
                    excerpt(&front.host)
                );
                return forbidden(Refusal::Site, &message);
            }
            Site::Unsaid => {
                let in_header = matches!(
                    seen,
                    Some(Seen::Holder {
                        in_header: true,
                        ..
                    })
                );
                if rules.caller == Caller::Page && !in_header {
                    let message = "forbidden request: an Origin header is required";
                    return forbidden(Refusal::Site, message);
                }
            }
        }
    }
    match seen {
        None => Verdict::Open,
        Some(Seen::Holder { holder, .. }) if holder.may(access) => {
            match guard.credentials.are_needed() {
                true => Verdict::Trusted,
                false => Verdict::Open,
            }
        }
        Some(Seen::Holder { holder, .. }) => {
            let message = lacks(&holder, access);
            forbidden(Refusal::Privilege, &message)
        }
        Some(Seen::Waits(left)) => {
            guard.refusals.count(Refusal::Attempts);
            Verdict::Refused(respond::wait(request, left))
        }
        Some(Seen::Nobody) => {
            guard.refusals.count(Refusal::Credentials);
            Verdict::Refused(match is_safe && respond::wants_page(request) {
                true => login::redirect(request),
                false => unauthorized(request),
            })
        }
    }
}

fn unauthorized(request: &HttpRequest) -> HttpResponse {
    let scheme = text(request, header::AUTHORIZATION).and_then(|given| given.split_once(' '));
    // As in `Credentials::in_header`, whatever the case of its letters.
    let is_known = |scheme: &str| {
        scheme.eq_ignore_ascii_case("Bearer") || scheme.eq_ignore_ascii_case("ApiKey")
    };
    let message = match scheme {
        Some((scheme, _)) if is_known(scheme) => "authentication failed".to_owned(),
        Some((scheme, _)) => format!(
            "authentication failed: unknown Authentication header {}: expected 'Authorization: Bearer secret_token' \
             or 'Authorization: ApiKey base64(API key ID:API key)'",
            excerpt(scheme)
        ),
        None => MISSING.to_owned(),
    };
    let mut response = respond::error(request, 401, &message);
    let scheme = HeaderValue::from_static("Bearer");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, scheme);
    response
}

fn text(request: &HttpRequest, name: HeaderName) -> Option<&str> {
    request.headers().get(name)?.to_str().ok()
}

fn excerpt(text: &str) -> &str {
    &text[..text.floor_char_boundary(128)]
}

/// The origin of a page of another site that may send to this route.
pub(super) fn listed(rules: &Rules, request: &HttpRequest, guard: &Guard) -> Option<HeaderValue> {
    match rules.sites {
        Sites::None => None,
        Sites::Telemetry => cors::origin(request, &guard.origins),
        Sites::Browsers => guard.rum.as_ref()?.origin(request),
    }
}

/// The refusal of a key without a privilege.
pub(super) fn lacks(holder: &Holder, access: Access) -> String {
    let key = holder.key.as_deref().unwrap_or_default();
    format!("forbidden request: the API key '{key}' lacks the privilege '{access}'")
}
