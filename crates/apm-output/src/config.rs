//! The options of an output.

use std::path::PathBuf;
use std::time::Duration;

use apm_store::share::Take;
use reqwest::Url;

/// Characters that a namespace may not have: those that no name of an index may have, and the one that separates it.
const FORBIDDEN: &[char] = &[
    '\\', '/', '*', '?', '"', '<', '>', '|', ' ', ',', '#', ':', '-',
];

/// The options of an output.
///
/// ```
/// let config = apm_output::Config::new(["https://search.example.com:9200".to_owned()])?;
/// assert_eq!(config.namespace, "default");
/// # Ok::<_, apm_output::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The nodes of one cluster, or proxies before it.
    pub hosts: Vec<Url>,
    /// The credential that they are shown.
    pub auth: Auth,
    /// A PEM file with the authorities that vouch for their certificates. `None`: those of the system.
    pub ca: Option<PathBuf>,
    /// The last part of the names of data streams.
    pub namespace: String,
    /// The name under which other servers tell of this one.
    pub server_name: String,
    /// The kinds of documents that servers share: what people decided.
    pub kinds: &'static [&'static str],
    /// Puts such a document of another server where it belongs; none: they are not shared.
    pub take: Option<Take>,
    /// The time for which events may wait before the log and `/healthz` say so.
    pub lag_warning: Duration,
    /// The age at which the engine deletes documents; none: that is left to the engine.
    pub retention: Option<Duration>,
    /// Times and sizes.
    pub pace: Pace,
}

/// A credential. Files are read again when the engine refuses what they held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// None.
    #[default]
    None,
    /// An API key: `id:key`, or its form in base64.
    ApiKey(PathBuf),
    /// A name and a password.
    Basic {
        /// The name.
        user: String,
        /// The file of the password.
        password: PathBuf,
    },
}

/// Times and sizes of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The time between looks at the store, while little arrives.
    pub poll: Duration,
    /// The first pause after a failure; it doubles with each further one.
    pub pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// The longest time that a request may take.
    pub timeout: Duration,
    /// The longest time that the last documents may take when the output stops.
    pub grace: Duration,
    /// Documents of a request, at most.
    pub documents: usize,
    /// Bytes of documents of a load, which is sent in several requests at the same time.
    pub bytes: usize,
    /// The time between looks at what other servers share.
    pub follow: Duration,
    /// The time between deltas of counts; longer while there are many.
    pub pack: Duration,
    /// The time for which a delta that is missing among those of another server is waited for.
    pub hole: Duration,
    /// The time between looks at all that people decided on other servers; at what changed lately each look is.
    pub reread: Duration,
    /// The time after which a server of which nothing is heard is told to be silent.
    pub silent: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(30),
            timeout: Duration::from_secs(90),
            grace: Duration::from_secs(3),
            documents: 1024,
            bytes: 8 << 20,
            follow: Duration::from_secs(2),
            pack: Duration::from_secs(2),
            hole: Duration::from_secs(60),
            reread: Duration::from_secs(60),
            silent: Duration::from_secs(60),
        }
    }
}

/// Why options cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// An address is none.
    #[error(
        "{0} is not the address of Elasticsearch or OpenSearch: write http:// or https://, a host and a port, such as \
         https://search.example.com:9200, and name the user with --elasticsearch-user"
    )]
    Host(String),
    /// No address is given.
    #[error("no address of Elasticsearch or OpenSearch is given")]
    NoHost,
    /// A namespace is none.
    #[error(
        "“{0}” cannot be a part of the name of a data stream: use lower-case letters, digits, . and _, at most 100"
    )]
    Namespace(String),
}

impl Config {
    /// The defaults.
    ///
    /// # Errors
    /// If an address is none.
    pub fn new(hosts: impl IntoIterator<Item = String>) -> Result<Self, ConfigError> {
        let hosts = hosts.into_iter().map(|url| host(&url));
        let hosts = hosts.collect::<Result<Vec<_>, _>>()?;
        if hosts.is_empty() {
            return Err(ConfigError::NoHost);
        }
        Ok(Self {
            hosts,
            auth: Auth::None,
            ca: None,
            namespace: "default".to_owned(),
            server_name: apm_store::document::hostname(),
            kinds: &[],
            take: None,
            lag_warning: Duration::from_secs(300),
            retention: None,
            pace: Pace::default(),
        })
    }

    /// Sets the namespace.
    ///
    /// # Errors
    /// If no data stream can be called so.
    pub fn set_namespace(&mut self, namespace: &str) -> Result<(), ConfigError> {
        self.namespace = self::namespace(namespace)?;
        Ok(())
    }
}

/// A namespace, checked.
fn namespace(text: &str) -> Result<String, ConfigError> {
    let is_legal = !text.is_empty()
        && text.len() <= 100
        && !text.contains(FORBIDDEN)
        && !text.chars().any(|c| c.is_uppercase() || c.is_control());
    match is_legal {
        true => Ok(text.to_owned()),
        false => Err(ConfigError::Namespace(text.to_owned())),
    }
}

/// An address of an engine, checked. It ends with a slash, so that paths can be added to it.
///
/// # Errors
/// If it is none, or has a name, a password, a query or a fragment.
pub fn host(text: &str) -> Result<Url, ConfigError> {
    let wrong = || ConfigError::Host(without_user(text));
    let mut url = Url::parse(text).map_err(|_| wrong())?;
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some_and(|host| !host.is_empty())
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !is_plain {
        return Err(wrong());
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    // Elastic's own tools take 9200 where none is told.
    if url.port().is_none() && !has_port(text) {
        url.set_port(Some(9200)).map_err(|()| wrong())?;
    }
    Ok(url)
}

/// An address without the name and the password before its host: errors are logged. A password may have any character
/// where the address is wrong, so that all before the last `@` but the scheme is left out.
#[must_use]
pub fn without_user(text: &str) -> String {
    let Some((_, host)) = text.rsplit_once('@') else {
        return text.to_owned();
    };
    let mut schemes = ["http://", "https://"].into_iter();
    let scheme = schemes.find(|scheme| text.starts_with(scheme));
    format!("{}…@{host}", scheme.unwrap_or_default())
}

/// Whether an address names a port, be it the usual one of its scheme.
fn has_port(text: &str) -> bool {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    // The colons of an address of IPv6 are within its brackets.
    let behind = authority.rsplit(']').next().unwrap_or_default();
    behind.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_path_and_has_port_9200_where_none_is_told() {
        for (text, url) in [
            ("http://localhost", "http://localhost:9200/"),
            ("https://es:443", "https://es/"),
            ("https://es:9243/search", "https://es:9243/search/"),
            ("http://[::1]:80/a/", "http://[::1]/a/"),
            ("http://[::1]", "http://[::1]:9200/"),
        ] {
            assert_eq!(host(text).unwrap().as_str(), url);
        }
        for text in [
            "es:9200",
            "ftp://es",
            "http://",
            "http://es?a",
            "http://es#a",
        ] {
            assert!(host(text).unwrap_err().to_string().contains(text));
        }
        for text in [
            "http://me:secret@es",
            "me:secret@es:9200/a",
            "http://a:secret@@es?q",
            "http://me:secret/1@es",
            "http://me:secret?1#2@es",
        ] {
            let error = host(text).unwrap_err().to_string();
            assert!(
                !error.contains("secret") && error.contains("…@es"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_namespace_can_be_a_part_of_a_name() {
        let mut config = Config::new(["http://localhost".to_owned()]).unwrap();
        for legal in ["default", "team_1", "a.b"] {
            config.set_namespace(legal).unwrap();
        }
        for illegal in ["", "A", "a-b", "a b", "a/b", &"a".repeat(101)] {
            assert!(config.set_namespace(illegal).is_err(), "{illegal}");
        }
    }
}
