//! The database of a connection, from what it was established with: a URL, libpq's `key=value` text, or a file.
//!
//! Only the host, the port and the database's name are read. User names and passwords are skipped over, never kept.

use crate::recording::service_target::Address;

/// A database as spans name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Database {
    /// The database's name; of SQLite the file's name without its folder.
    pub(super) instance: Option<String>,
    pub(super) address: Option<Address>,
}

impl Database {
    /// `subtype` is that of the spans; it decides how `text` is to be read.
    pub(super) fn parse(subtype: &str, text: &str) -> Self {
        if subtype == "sqlite" {
            return Self {
                instance: sqlite_file(text),
                address: None,
            };
        }
        let default_port = if subtype == "mysql" { 3306 } else { 5432 };
        match text.split_once("://") {
            Some((_, rest)) => from_url(rest, default_port),
            None if text.contains('=') => from_keywords(text, default_port),
            None => Self {
                instance: named(text),
                address: None,
            },
        }
    }
}

fn named(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// `people.db` of `data/people.db` and of `file:/data/people.db?mode=ro`; `:memory:` stays.
fn sqlite_file(text: &str) -> Option<String> {
    let path = text.split_once("://").map_or(text, |(_, path)| path);
    let path = match path.strip_prefix("file:") {
        Some(uri) => uri.split('?').next().unwrap_or_default(),
        None => path,
    };
    path.rsplit(['/', '\\']).next().and_then(named)
}

/// `user:password@host:port/database?options`; of several hosts the first.
fn from_url(rest: &str, default_port: u16) -> Database {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let authority = authority.split('?').next().unwrap_or_default();
    let hosts = authority
        .rsplit_once('@')
        .map_or(authority, |(_, hosts)| hosts);
    let instance = path.split(['?', '#']).next().and_then(named);
    let first = hosts.split(',').next().unwrap_or_default();
    Database {
        instance,
        address: address(first, default_port),
    }
}

fn address(host: &str, default_port: u16) -> Option<Address> {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
        _ => (host, Some(default_port)),
    };
    let name = name.trim_matches(['[', ']']);
    // An escaped slash is the folder of a Unix socket.
    let reachable = !name.is_empty() && !name.starts_with("%2F") && !name.starts_with("%2f");
    reachable.then(|| Address {
        host: name.to_owned(),
        port,
    })
}

/// `host=db.example port=5432 dbname=shop`; values may be in single quotes.
fn from_keywords(text: &str, default_port: u16) -> Database {
    let value = |key: &str| {
        keywords(text)
            .filter(|(name, _)| name == key)
            .map(|(_, value)| value)
            .find(|value| !value.is_empty())
    };
    let port = value("port")
        .and_then(|port| port.parse().ok())
        .unwrap_or(default_port);
    let host = value("host")
        .or_else(|| value("hostaddr"))
        .filter(|host| !host.starts_with('/'));
    Database {
        instance: value("dbname"),
        address: host.map(|host| Address {
            host,
            port: Some(port),
        }),
    }
}

fn keywords(text: &str) -> impl Iterator<Item = (String, String)> {
    let mut rest = text.trim_start();
    std::iter::from_fn(move || {
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let mut value = String::new();
        let mut letters = after.char_indices().peekable();
        let quoted = letters.next_if(|(_, letter)| *letter == '\'').is_some();
        let mut end = after.len();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
                '\'' if quoted => {
                    end = at + 1;
                    break;
                }
                blank if !quoted && blank.is_whitespace() => {
                    end = at;
                    break;
                }
                _ => value.push(letter),
            }
        }
        let key = key.trim().to_owned();
        rest = after[end..].trim_start();
        Some((key, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(subtype: &str, text: &str, instance: Option<&str>, address: Option<(&str, u16)>) {
        let found = Database::parse(subtype, text);
        assert_eq!(found.instance.as_deref(), instance, "{text}");
        let found = found
            .address
            .as_ref()
            .map(|address| (address.host.as_str(), address.port.unwrap_or_default()));
        assert_eq!(found, address, "{text}");
    }

    #[test]
    fn sqlite_files_are_named_without_their_folder() {
        for (text, instance) in [
            ("people.db", Some("people.db")),
            ("/var/lib/shop/people.db", Some("people.db")),
            ("C:\\data\\people.db", Some("people.db")),
            (
                "file:/data/people.db?mode=ro&cache=shared",
                Some("people.db"),
            ),
            ("sqlite://data/people.db", Some("people.db")),
            (":memory:", Some(":memory:")),
            ("file::memory:?cache=shared", Some(":memory:")),
            ("", None),
        ] {
            check("sqlite", text, instance, None);
        }
    }

    #[test]
    fn urls_give_host_port_and_database_and_never_the_password() {
        check(
            "postgresql",
            "postgres://me:p@ss@db.example/shop",
            Some("shop"),
            Some(("db.example", 5432)),
        );
        check(
            "postgresql",
            "postgresql://db.example:6432/shop?sslmode=require",
            Some("shop"),
            Some(("db.example", 6432)),
        );
        check(
            "postgresql",
            "postgres://a:1,b:2/shop",
            Some("shop"),
            Some(("a", 1)),
        );
        check(
            "postgresql",
            "postgres://%2Fvar%2Frun/shop",
            Some("shop"),
            None,
        );
        check("postgresql", "postgres:///shop", Some("shop"), None);
        check(
            "postgresql",
            "postgres://[::1]/shop",
            Some("shop"),
            Some(("::1", 5432)),
        );
        check(
            "postgresql",
            "postgres://me@db.example?connect_timeout=2",
            None,
            Some(("db.example", 5432)),
        );
        check(
            "mysql",
            "mysql://me:secret@127.0.0.1/shop#x",
            Some("shop"),
            Some(("127.0.0.1", 3306)),
        );
        check(
            "mysql",
            "mysql://me:secret@[fe80::1]:3307/shop",
            Some("shop"),
            Some(("fe80::1", 3307)),
        );
    }

    #[test]
    fn libpqs_own_form_is_read_too() {
        check(
            "postgresql",
            "host=db.example dbname = shop password='p w\\'d'",
            Some("shop"),
            Some(("db.example", 5432)),
        );
        check(
            "postgresql",
            "password='host=x dbname=y' hostaddr=10.0.0.1 port=6432",
            None,
            Some(("10.0.0.1", 6432)),
        );
        check(
            "postgresql",
            "host=/var/run/postgresql dbname='my shop'",
            Some("my shop"),
            None,
        );
        check("postgresql", "dbname='open", Some("open"), None);
        check("postgresql", "shop", Some("shop"), None);
        check("postgresql", "", None, None);
    }
}
