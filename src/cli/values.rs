//! The values of options, as text.

use std::net::ToSocketAddrs as _;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use actix_web::http::Uri;
use actix_web::http::header::HeaderName;
use bytesize::ByteSize;

pub(super) fn host_and_port(text: &str) -> Result<String, String> {
    match text.to_socket_addrs() {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!(
            "{error}: write a host and a port, as 127.0.0.1:8080 or localhost:0"
        )),
    }
}

pub(super) fn host_name(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*:[]".contains(&byte);
    match !text.is_empty() && text.bytes().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err(
            "write a name as it stands in the address bar, without http://, such as \
            apm.example.com"
                .to_owned(),
        ),
    }
}

/// The address at which telemetry is taken, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver(Option<String>);

impl Receiver {
    /// Host and port.
    pub fn address(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl FromStr for Receiver {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self(None)),
            text => host_and_port(text)
                .map(|text| Self(Some(text)))
                .map_err(|error| format!("{error}, or `off`")),
        }
    }
}

/// The origin of a page, as browsers send it.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let is_origin = |rest: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
        !rest.is_empty() && rest.bytes().all(is_plain)
    };
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    match rest.is_some_and(is_origin) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(
            "write scheme, host and, unless it is the default one, port, as https://shop.example or \
            http://localhost:3000"
                .to_owned(),
        ),
    }
}

/// An origin in which `*` stands for any characters.
pub(super) fn origin_pattern(text: &str) -> Result<String, String> {
    let is_pattern = |rest: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]*".contains(&byte);
        !rest.is_empty() && rest.bytes().all(is_plain)
    };
    let rest = text
        .split_once("://")
        .filter(|(scheme, _)| is_pattern(scheme));
    match text == "*" || rest.is_some_and(|(_, rest)| is_pattern(rest)) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(
            "write scheme and host, as https://shop.example or https://*.shop.example, or * for all pages".to_owned(),
        ),
    }
}

/// The name of a header.
pub(super) fn header_name(text: &str) -> Result<String, String> {
    match text.parse::<HeaderName>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("not the name of a header: write letters, digits and -".to_owned()),
    }
}

/// The address of the upstream: the service's client speaks no TLS.
pub(super) fn http_url(text: &str) -> Result<String, String> {
    match text.parse::<Uri>() {
        Ok(uri) if uri.scheme_str() == Some("http") && uri.host().is_some() => Ok(text.to_owned()),
        Ok(_) => Err("not an absolute http:// URL".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The address of an APM server.
pub(super) fn server_url(text: &str) -> Result<String, String> {
    let is_known = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https"));
    match text.parse::<Uri>() {
        Ok(uri) if is_known(&uri) && uri.host().is_some() && uri.query().is_none() => {
            Ok(text.to_owned())
        }
        Ok(_) => Err(
            "not the address of a server: write http:// or https://, a host and a port, such as http://127.0.0.1:8200"
                .to_owned(),
        ),
        Err(error) => Err(error.to_string()),
    }
}

/// Every connection to a database in memory has its own, so that what one writes no other would read.
fn in_memory(text: &str) -> Result<(), String> {
    let path = text.strip_prefix("sqlite://").unwrap_or(text);
    let path = path.strip_prefix("file:").unwrap_or(path);
    if path.is_empty() || path.starts_with(":memory:") || path.contains("mode=memory") {
        return Err(
            "not a file: a database in memory cannot be shared between connections; give a path, such as one in \
             /dev/shm or a temporary directory"
                .to_owned(),
        );
    }
    Ok(())
}

pub(super) fn database(text: &str) -> Result<String, String> {
    in_memory(text).map(|()| text.to_owned())
}

pub(super) fn apm_database(text: &str) -> Result<PathBuf, String> {
    in_memory(text).map(|()| text.into())
}

pub(super) fn service_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((service, file)) if !service.is_empty() && !file.is_empty() => {
            Ok((service.to_owned(), file.into()))
        }
        _ => Err("write SERVICE=FILE, as my-app-01=database.db".to_owned()),
    }
}

/// The least that holds the tables, the log beside them, and more than the last minutes of events.
const MIN_SIZE: u64 = 16 * 1024 * 1024;

pub(super) fn size(text: &str) -> Result<u64, String> {
    let ByteSize(bytes) = text
        .parse()
        .map_err(|_| "not a size: write a number and a unit, as 512MiB or 2GiB".to_owned())?;
    if bytes < MIN_SIZE {
        return Err("too small: at least 16MiB".to_owned());
    }
    Ok(bytes)
}

/// More than this takes as much memory several times over.
const MAX_EXPORT: u64 = 256 * 1024 * 1024;

pub(super) fn export_size(text: &str) -> Result<usize, String> {
    let ByteSize(bytes) = text
        .parse()
        .map_err(|_| "not a size: write a number and a unit, as 16MiB".to_owned())?;
    if !(1024..=MAX_EXPORT).contains(&bytes) {
        return Err("between 1KiB and 256MiB".to_owned());
    }
    usize::try_from(bytes).map_err(|error| error.to_string())
}

/// `examples` are shown where it is refused.
fn duration(text: &str, examples: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("{error}: write a number and a unit, as {examples}"))
}

pub(super) fn search_time(text: &str) -> Result<Duration, String> {
    let time = duration(text, "500ms or 5s")?;
    if !(Duration::from_millis(100)..=Duration::from_secs(60)).contains(&time) {
        return Err("between 100ms and 60s".to_owned());
    }
    Ok(time)
}

pub(super) fn age(text: &str) -> Result<Duration, String> {
    let age = duration(text, "12h or 7d")?;
    if age < Duration::from_secs(60) {
        return Err("too short: at least 1m".to_owned());
    }
    Ok(age)
}

pub(super) fn percent(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("write a number from 0 to 100, as 10 or 0.5".to_owned()),
    }
}
