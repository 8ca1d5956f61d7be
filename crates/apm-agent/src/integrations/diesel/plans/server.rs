//! The servers that are asked for plans: those of `sql_plan_urls`, each for the database of its name.

use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Once;
use std::time::Duration;

use reqwest::Url;

use super::Target;
use crate::config::Secret;
use crate::integrations::diesel::database::Database;
use crate::util::own_log;

/// The longest time to reach a server.
const REACHED: Duration = Duration::from_secs(3);

/// The server to ask for the plans of a database, if an option names one. If several have a database of this name, the
/// one with the address of the service's connection is taken, else the first.
pub(super) fn target(urls: &[Secret], subtype: &str, database: &Database) -> Option<Target> {
    let parsed = |url: &&Secret| Database::parse(subtype, url.expose());
    let mut of_name = urls.iter().filter(|url| {
        let is_name = parsed(url).instance == database.instance;
        is_name && database.instance.is_some() && system(url.expose()) == Some(subtype)
    });
    let first = of_name.clone().next()?;
    let same = of_name.find(|url| parsed(url).address == database.address);
    let target = driver(subtype, same.unwrap_or(first));
    if target.is_none() {
        static SAID: Once = Once::new();
        SAID.call_once(|| {
            own_log::warn(format_args!(
                "there are no plans of {subtype}: the agent is built without its feature `{}`",
                if subtype == "mysql" {
                    "mysql"
                } else {
                    "postgres"
                }
            ));
        });
    }
    target
}

fn driver(subtype: &str, url: &Secret) -> Option<Target> {
    match subtype {
        #[cfg(feature = "postgres")]
        "postgresql" => Some(Target::Postgresql(url.clone())),
        #[cfg(feature = "mysql")]
        "mysql" => Some(Target::Mysql(url.clone())),
        _ => None,
    }
}

/// The subtype of spans that a URL is about.
fn system(url: &str) -> Option<&'static str> {
    match url.split_once("://")?.0 {
        "postgres" | "postgresql" => Some("postgresql"),
        "mysql" | "mariadb" => Some("mysql"),
        _ => None,
    }
}

/// Connects to a URL's server and hangs up, so that a server that does not answer is noticed soon. The libraries of
/// databases would wait for minutes.
pub(super) fn reach(url: &str, default_port: u16) -> io::Result<()> {
    let url = Url::parse(url).map_err(|_| io::Error::other("the URL cannot be read"))?;
    // Without a host it is a socket of this machine.
    let Some(host) = url
        .host_str()
        .filter(|host| !host.is_empty() && !host.contains('%'))
    else {
        return Ok(());
    };
    let host = host.trim_matches(['[', ']']);
    let mut last = io::Error::other("its name has no address");
    for address in (host, url.port().unwrap_or(default_port)).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, REACHED) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The words of an error without the URL's password, should a library repeat it.
pub(super) fn without_password(words: &str, url: &str) -> String {
    let parsed = Url::parse(url).ok();
    let password = parsed
        .as_ref()
        .and_then(Url::password)
        .filter(|it| !it.is_empty());
    let masked = match password {
        Some(password) => words.replace(password, Secret::MASK),
        None => words.to_owned(),
    };
    masked.replace(url, Secret::MASK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(urls: &[&str], subtype: &str, database: &str) -> Option<String> {
        let urls: Vec<Secret> = urls.iter().map(|url| Secret::new(url)).collect();
        let target = target(&urls, subtype, &Database::parse(subtype, database))?;
        target.url().map(str::to_owned)
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn a_database_is_asked_by_the_url_of_its_name_and_if_there_are_several_of_its_server() {
        let urls = [
            "postgres://ro@a/shop",
            "postgresql://ro@b:6432/shop",
            "mysql://ro@a/shop",
        ];
        for (database, url) in [
            ("postgres://me:pw@a/shop", Some(urls[0])),
            ("host=b port=6432 dbname=shop", Some(urls[1])),
            ("postgres://replica/shop", Some(urls[0])),
            ("postgres://a/other", None),
            ("postgres://a", None),
        ] {
            assert_eq!(
                chosen(&urls, "postgresql", database).as_deref(),
                url,
                "{database}"
            );
        }
        assert_eq!(chosen(&urls[2..], "postgresql", "postgres://a/shop"), None);
    }

    #[test]
    fn errors_do_not_repeat_the_password() {
        let url = "mysql://ro:s3cret@a/shop";
        for words in [
            "bad URL mysql://ro:s3cret@a/shop",
            "no such thing as s3cret",
        ] {
            assert!(!without_password(words, url).contains("s3cret"));
        }
    }
}
