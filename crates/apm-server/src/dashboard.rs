//! Charts and views that people pinned to the dashboard.

use diesel::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most pins that are kept.
pub(crate) const MOST: i64 = 50;

/// Longest title, characters.
pub(crate) const LONGEST_TITLE: usize = 200;
/// Longest address, and longest name of a chart, bytes.
const LONGEST_ADDRESS: usize = 4_000;
const LONGEST_CHART: usize = 100;

diesel::table! {
    dashboard_pin (id) {
        id -> BigInt,
        title -> Text,
        address -> Text,
        chart -> Text,
    }
}

/// A chart of a page, or a page as a whole, with its query.
#[derive(
    Debug, Clone, PartialEq, Eq, Queryable, Selectable, Serialize, Deserialize, JsonSchema,
)]
#[schemars(rename = "DashboardPin")]
#[diesel(table_name = dashboard_pin)]
pub(crate) struct Pin {
    /// Its number; made when it is pinned.
    #[serde(default)]
    pub(crate) id: i64,
    /// Its title.
    pub(crate) title: String,
    /// Path and query of the page, such as `/services/shop?env=live`.
    pub(crate) address: String,
    /// The id of the chart on the page, such as `latency`; empty: a link to the page.
    #[serde(default)]
    pub(crate) chart: String,
}

impl Pin {
    /// The pin, if it can be.
    pub(crate) fn checked(mut self) -> Result<Self, String> {
        self.title = self.title.trim().to_owned();
        if self.title.is_empty() || self.title.chars().count() > LONGEST_TITLE {
            return Err(format!(
                "a pin needs a title of at most {LONGEST_TITLE} characters"
            ));
        }
        // The path may be written as it stands behind the server's own address.
        let path = self.address.split('?').next().unwrap_or_default();
        if path.starts_with(char::is_alphanumeric) && !path.contains(':') {
            self.address.insert(0, '/');
        }
        // Only pages of this server: `//host` and `/\host` lead elsewhere.
        let is_own = self.address.starts_with('/') && !self.address.starts_with("//");
        let is_plain = !self.address.contains(|c: char| c.is_control() || c == '\\');
        if !is_own || !is_plain || self.address.len() > LONGEST_ADDRESS {
            let text =
                "address must be the path and query of a page, such as /services/shop?from=now-1h";
            return Err(text.to_owned());
        }
        let is_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if self.chart.len() > LONGEST_CHART || !self.chart.chars().all(is_id) {
            return Err("chart must be the id of a chart".to_owned());
        }
        Ok(self)
    }
}

/// The pins, in the order in which they were pinned.
pub(crate) fn list(conn: &mut SqliteConnection) -> QueryResult<Vec<Pin>> {
    dashboard_pin::table
        .order(dashboard_pin::id)
        .select(Pin::as_select())
        .load(conn)
}

/// Pins something; its number. Nothing where there are too many.
pub(crate) fn add(conn: &mut SqliteConnection, new: &Pin) -> QueryResult<Option<i64>> {
    if dashboard_pin::table.count().get_result::<i64>(conn)? >= MOST {
        return Ok(None);
    }
    let row = (
        dashboard_pin::title.eq(&new.title),
        dashboard_pin::address.eq(&new.address),
        dashboard_pin::chart.eq(&new.chart),
    );
    let id = diesel::insert_into(dashboard_pin::table)
        .values(row)
        .returning(dashboard_pin::id)
        .get_result(conn)?;
    Ok(Some(id))
}

/// Removes a pin. False: there is none.
pub(crate) fn remove(conn: &mut SqliteConnection, id: i64) -> QueryResult<bool> {
    Ok(diesel::delete(dashboard_pin::table.find(id)).execute(conn)? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_of_a_page_of_this_server() {
        let of = |title: &str, address: &str, chart: &str| {
            let pin = Pin {
                id: 0,
                title: title.to_owned(),
                address: address.to_owned(),
                chart: chart.to_owned(),
            };
            pin.checked().is_ok()
        };
        assert!(of("t", "/services/shop?q=a%20b", "latency") && of("t", "/", ""));
        assert!(of("t", "services?q=labels.plan:pro", ""));
        for (title, address, chart) in [
            (" ", "/", ""),
            ("t", "//evil.example/", ""),
            ("t", "/\\evil.example", ""),
            ("t", "https://evil.example/", ""),
            ("t", "javascript:alert(1)", ""),
            ("t", "/a\nb", ""),
            ("t", "", ""),
            ("t", "/", "a b"),
            ("t", "/", "#x"),
        ] {
            assert!(
                !of(title, address, chart),
                "{title:?} {address:?} {chart:?}"
            );
        }
    }
}
