//! The URLs of `sql_plan_urls`, each for the database of its name.

use reqwest::Url;

use crate::config::Secret;
use crate::integrations::diesel::database::Database;

/// The URL for a database. If several are for its name, the one with the address of the service's connection is taken,
/// else the first.
pub(super) fn chosen<'u>(
    urls: &'u [Secret],
    subtype: &str,
    database: &Database,
) -> Option<&'u Secret> {
    let parsed = |url: &&Secret| Database::parse(subtype, url.expose());
    let mut of_name = urls.iter().filter(|url| {
        let is_name = parsed(url).instance == database.instance;
        is_name && database.instance.is_some() && system(url.expose()) == Some(subtype)
    });
    let first = of_name.clone().next()?;
    let same = of_name.find(|url| parsed(url).address == database.address);
    Some(same.unwrap_or(first))
}

/// The subtype of spans that a URL is about.
fn system(url: &str) -> Option<&'static str> {
    match url.split_once("://")?.0 {
        "postgres" | "postgresql" => Some("postgresql"),
        "mysql" | "mariadb" => Some("mysql"),
        _ => None,
    }
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

    fn url_for(urls: &[&str], subtype: &str, database: &str) -> Option<String> {
        let urls: Vec<Secret> = urls.iter().map(|url| Secret::new(url)).collect();
        let chosen = chosen(&urls, subtype, &Database::parse(subtype, database))?;
        Some(chosen.expose().to_owned())
    }

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
                url_for(&urls, "postgresql", database).as_deref(),
                url,
                "{database}"
            );
        }
        assert_eq!(url_for(&urls[2..], "postgresql", "postgres://a/shop"), None);
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
