//! `http.*`, `url.*` and `user_agent.original`.

use std::net::IpAddr;

use super::{EventKind, Read};
use crate::conventions::value::Value;

#[derive(Debug, Default)]
pub(in crate::conventions) struct Http<'a> {
    pub(in crate::conventions) seen: bool,
    pub(in crate::conventions) method: Option<&'a str>,
    pub(in crate::conventions) status: Option<i64>,
    pub(in crate::conventions) version: Option<&'a str>,
    pub(in crate::conventions) agent: Option<&'a str>,
    pub(in crate::conventions) client_ip: Option<IpAddr>,
    /// The last of those that may hold the address of a request: whole, or from its path on.
    pub(in crate::conventions) original: Option<&'a str>,
    /// The last of those that hold a whole address.
    pub(in crate::conventions) full: Option<&'a str>,
    /// The last of those that begin with the path.
    pub(in crate::conventions) target: Option<&'a str>,
    pub(in crate::conventions) path: Option<&'a str>,
    pub(in crate::conventions) query: Option<&'a str>,
    pub(in crate::conventions) scheme: Option<&'a str>,
    pub(in crate::conventions) host: Option<&'a str>,
    pub(in crate::conventions) server_name: Option<&'a str>,
}

impl<'a> Http<'a> {
    pub(super) fn http(&mut self, rest: &str, value: &'a Value<'a>, of: EventKind) -> Read {
        let Some(text) = value.text() else {
            return match rest {
                "status_code" | "response.status_code" => self.status(value),
                _ => Read::Label,
            };
        };
        let is_server = of == EventKind::Transaction;
        let field = match rest {
            "method" | "request.method" => &mut self.method,
            "status_code" | "response.status_code" => return self.status(value),
            "url" => {
                self.original = Some(text);
                &mut self.full
            }
            "target" | "path" => {
                self.original = Some(text);
                &mut self.target
            }
            "scheme" => &mut self.scheme,
            "host" => &mut self.host,
            "server_name" if is_server => &mut self.server_name,
            "user_agent" if is_server => return self.agent(value),
            "flavor" if is_server => &mut self.version,
            "protocol" if is_server => {
                let Some(version) = text.strip_prefix("HTTP/") else {
                    return Read::Label;
                };
                self.version = Some(version);
                return Read::Understood;
            }
            "client_ip" if is_server => {
                let ip = text.parse().ok();
                self.client_ip = ip.or(self.client_ip);
                return if ip.is_some() {
                    Read::Understood
                } else {
                    Read::Label
                };
            }
            _ => return Read::Label,
        };
        *field = Some(text);
        self.seen = true;
        Read::Understood
    }

    pub(super) fn url(&mut self, rest: &str, value: &'a Value<'a>) -> Read {
        let Some(text) = value.text() else {
            return Read::Label;
        };
        let field = match rest {
            "full" => {
                self.original = Some(text);
                &mut self.full
            }
            "path" => &mut self.path,
            "query" => &mut self.query,
            "scheme" => &mut self.scheme,
            _ => return Read::Label,
        };
        *field = Some(text);
        self.seen = true;
        Read::Understood
    }

    pub(super) fn agent(&mut self, value: &'a Value<'a>) -> Read {
        match value.text() {
            Some(agent) => {
                self.agent = Some(agent);
                Read::Understood
            }
            None => Read::Label,
        }
    }

    fn status(&mut self, value: &Value<'_>) -> Read {
        match value.number() {
            Some(status) => {
                self.status = Some(status);
                self.seen = true;
                Read::Understood
            }
            None => Read::Label,
        }
    }
}
