//! What a finding is, and how it is kept: open while it holds, ended when it no longer does, silent when dismissed.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Integer, Nullable, Text};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::repeats::Severity;
use crate::analytics::Scope;
use crate::analytics::sql::Sql;

/// How long a finding may be missed before it counts as ended, seconds: one quiet minute is no repair.
const GRACE: i64 = 60;

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Latency follows the rows of a table.
    Growth,
    /// A statement runs many times in one request.
    Repeat,
    /// A whole table is read, and an index would help.
    Scan,
    /// Commits take longer than their statements.
    Commit,
    /// Values are written into the text.
    StringBuilt,
    /// All columns of many rows.
    SelectStar,
    /// UPDATE or DELETE of a whole table.
    NoWhere,
    /// Slower than before a marker.
    Regression,
    /// Not seen before a marker.
    NewStatement,
    /// More errors than usual.
    ErrorSpike,
}

impl Kind {
    /// The word of the protocol.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Growth => "growth",
            Self::Repeat => "repeat",
            Self::Scan => "scan",
            Self::Commit => "commit",
            Self::StringBuilt => "string_built",
            Self::SelectStar => "select_star",
            Self::NoWhere => "no_where",
            Self::Regression => "regression",
            Self::NewStatement => "new_statement",
            Self::ErrorSpike => "error_spike",
        }
    }
}

/// Where to look.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// `trace.id` of one that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The statement, 16 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// `transaction.name`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// `transaction.type`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_type: Option<String>,
    /// `error.grouping_key`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Says {
    /// What is the case, in a sentence.
    pub title: String,
    /// What was measured.
    pub cause: String,
    /// What would help, and its limit.
    pub remedy: String,
    /// Where to look.
    pub evidence: Evidence,
    /// Figures by name, for scripts: durations in µs.
    pub figures: serde_json::Map<String, serde_json::Value>,
}

/// What a rule found, before it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    pub(super) kind: Kind,
    pub(super) service: String,
    pub(super) environment: String,
    /// What tells it from others of its kind in its service.
    pub(super) subject: String,
    pub(super) severity: Severity,
    /// µs per minute.
    pub(super) saving: f64,
    pub(super) says: Says,
}

impl Draft {
    fn id(&self) -> String {
        id(self.kind, &self.service, &self.environment, &self.subject)
    }
}

/// The id of what is about a subject.
pub(super) fn id(kind: Kind, service: &str, environment: &str, subject: &str) -> String {
    let about = [kind.as_str(), service, environment, subject].join("\0");
    format!("{:016x}", xxh3_64(about.as_bytes()))
}

/// A finding as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// 16 hex digits; the same when it comes again.
    pub id: String,
    /// What it is about.
    pub kind: String,
    /// `service.name`
    pub service: String,
    /// `service.environment`, may be empty.
    pub environment: String,
    /// How much it matters.
    pub severity: Severity,
    /// Time that the remedy would save, µs per minute.
    pub saving: f64,
    /// The words.
    #[serde(flatten)]
    pub says: Says,
    /// Since when it holds, seconds since the epoch.
    pub first_seen: i64,
    /// When it was last found, seconds since the epoch.
    pub last_seen: i64,
    /// When it stopped to hold, seconds since the epoch.
    pub ended: Option<i64>,
    /// When it was dismissed, seconds since the epoch.
    pub dismissed: Option<i64>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text)]
    environment: String,
    #[diesel(sql_type = BigInt)]
    severity: i64,
    #[diesel(sql_type = Double)]
    saving: f64,
    #[diesel(sql_type = Text)]
    document: String,
    #[diesel(sql_type = BigInt)]
    first_seen: i64,
    #[diesel(sql_type = BigInt)]
    last_seen: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    ended: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    dismissed: Option<i64>,
}

/// Which findings are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Which<'a> {
    /// Ended ones too.
    pub ended: bool,
    /// Dismissed ones too.
    pub dismissed: bool,
    /// Only those about this statement.
    pub fingerprint: Option<&'a str>,
}

/// The query behind the list.
#[must_use]
pub fn sql(scope: &Scope, which: Which<'_>) -> Sql {
    scope
        .bind(Sql::new(include_str!("finding.sql")))
        .bind("ended", i64::from(which.ended))
        .bind("dismissed", i64::from(which.dismissed))
        .bind("fingerprint", which.fingerprint)
}

/// Findings, those that hold first, then by severity and saving.
///
/// # Errors
/// Those of SQLite.
pub fn list(
    conn: &mut SqliteConnection,
    scope: &Scope,
    which: Which<'_>,
) -> QueryResult<Vec<Finding>> {
    let rows: Vec<Row> = sql(scope, which).load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(Finding {
                // Written by an older version, perhaps: what cannot be read is found again.
                says: serde_json::from_str(&row.document).ok()?,
                severity: match row.severity {
                    0 => Severity::Notice,
                    1 => Severity::Cost,
                    _ => Severity::Grave,
                },
                id: row.id,
                kind: row.kind,
                service: row.service,
                environment: row.environment,
                saving: row.saving,
                first_seen: row.first_seen,
                last_seen: row.last_seen,
                ended: row.ended,
                dismissed: row.dismissed,
            })
        })
        .collect())
}

/// Ends what is known to be over. `now` in seconds.
pub(super) fn end(conn: &mut SqliteConnection, ids: &[String], now: i64) -> QueryResult<()> {
    for id in ids {
        diesel::sql_query("UPDATE finding SET ended = ? WHERE id = ? AND ended IS NULL")
            .bind::<BigInt, _>(now)
            .bind::<Text, _>(id)
            .execute(conn)?;
    }
    Ok(())
}

/// Keeps what was found for services that were looked at, and ends what was not found again. `now` in seconds.
pub(super) fn keep(
    conn: &mut SqliteConnection,
    drafts: &[Draft],
    services: &[(String, String)],
    now: i64,
) -> QueryResult<()> {
    for draft in drafts {
        let document = serde_json::to_string(&draft.says).unwrap_or_default();
        diesel::sql_query(include_str!("finding/keep.sql"))
            .bind::<Text, _>(draft.id())
            .bind::<Text, _>(draft.kind.as_str())
            .bind::<Text, _>(&draft.service)
            .bind::<Text, _>(&draft.environment)
            .bind::<Integer, _>(draft.severity as i32)
            .bind::<Double, _>(draft.saving)
            .bind::<Text, _>(document)
            .bind::<BigInt, _>(now)
            .bind::<BigInt, _>(now)
            .execute(conn)?;
    }
    for (service, environment) in services {
        diesel::sql_query(
            "UPDATE finding SET ended = ? WHERE service = ? AND environment = ? AND ended IS NULL AND last_seen < ?",
        )
        .bind::<BigInt, _>(now)
        .bind::<Text, _>(service)
        .bind::<Text, _>(environment)
        .bind::<BigInt, _>(now - GRACE)
        .execute(conn)?;
    }
    // Nobody asks what ended a month ago.
    diesel::sql_query("DELETE FROM finding WHERE ended < ?")
        .bind::<BigInt, _>(now - 30 * 86_400)
        .execute(conn)?;
    Ok(())
}

/// Hides a finding, or shows it again. Whether there is one.
///
/// # Errors
/// Those of SQLite.
pub fn dismiss(conn: &mut SqliteConnection, id: &str, dismissed: Option<i64>) -> QueryResult<bool> {
    let changed = diesel::sql_query("UPDATE finding SET dismissed = ? WHERE id = ?")
        .bind::<Nullable<BigInt>, _>(dismissed)
        .bind::<Text, _>(id)
        .execute(conn)?;
    Ok(changed > 0)
}

/// A duration in µs with three significant figures, as in `1.08 ms`.
#[must_use]
pub fn duration_words(micros: f64) -> String {
    let (value, unit) = match micros.abs() {
        us if us < 999.5 => (micros, "µs"),
        us if us < 999_500.0 => (micros / 1e3, "ms"),
        _ => (micros / 1e6, "s"),
    };
    let digits = match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    // Nothing below a microsecond was measured, but slopes are.
    format!("{value:.digits$} {unit}")
}

/// A count with commas.
#[must_use]
pub fn count_words(count: f64) -> String {
    let digits = format!("{:.0}", count.max(0.0));
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analytics::tests::empty;

    fn draft(subject: &str, severity: Severity) -> Draft {
        Draft {
            kind: Kind::Repeat,
            service: "shop".to_owned(),
            environment: String::new(),
            subject: subject.to_owned(),
            severity,
            saving: 5.0,
            says: Says {
                title: "t".to_owned(),
                cause: String::new(),
                remedy: String::new(),
                evidence: Evidence {
                    fingerprint: Some(subject.to_owned()),
                    ..Evidence::default()
                },
                figures: serde_json::Map::new(),
            },
        }
    }

    fn open(conn: &mut SqliteConnection) -> Vec<String> {
        let list = list(conn, &Scope::default(), Which::default()).unwrap();
        list.into_iter()
            .filter_map(|finding| finding.says.evidence.fingerprint)
            .collect()
    }

    #[test]
    fn a_finding_opens_ends_after_a_minute_and_comes_again() {
        let conn = &mut empty();
        let shop = [("shop".to_owned(), String::new())];
        keep(
            conn,
            &[draft("a", Severity::Notice), draft("b", Severity::Grave)],
            &shop,
            1_000,
        )
        .unwrap();
        assert_eq!(open(conn), ["b", "a"]);
        keep(conn, &[draft("b", Severity::Grave)], &shop, 1_030).unwrap();
        assert_eq!(open(conn), ["b", "a"], "half a minute is no repair");
        keep(conn, &[draft("b", Severity::Grave)], &shop, 1_070).unwrap();
        assert_eq!(open(conn), ["b"]);
        // Nobody looked at the shop: nothing is known.
        keep(conn, &[], &[], 5_000).unwrap();
        assert_eq!(open(conn), ["b"]);
        let all = list(
            conn,
            &Scope::default(),
            Which {
                ended: true,
                ..Which::default()
            },
        )
        .unwrap();
        assert_eq!(all[1].ended, Some(1_070));
        keep(conn, &[draft("a", Severity::Notice)], &shop, 5_010).unwrap();
        let all = list(
            conn,
            &Scope::default(),
            Which {
                fingerprint: Some("a"),
                ..Which::default()
            },
        )
        .unwrap();
        assert_eq!(
            (all.len(), all[0].first_seen, all[0].ended),
            (1, 5_010, None)
        );
    }

    #[test]
    fn a_dismissed_finding_stays_silent_though_it_is_found_again() {
        let conn = &mut empty();
        keep(conn, &[draft("a", Severity::Cost)], &[], 10).unwrap();
        let id = list(conn, &Scope::default(), Which::default()).unwrap()[0]
            .id
            .clone();
        assert!(dismiss(conn, &id, Some(11)).unwrap());
        keep(conn, &[draft("a", Severity::Cost)], &[], 20).unwrap();
        assert!(open(conn).is_empty());
        assert!(dismiss(conn, &id, None).unwrap());
        assert_eq!(open(conn), ["a"]);
        assert!(!dismiss(conn, "none", None).unwrap());
    }

    #[test]
    fn figures_have_three_digits_and_a_unit() {
        for (micros, words) in [
            (0.22, "0.22 µs"),
            (48.0, "48.0 µs"),
            (1_080.0, "1.08 ms"),
            (46_200.0, "46.2 ms"),
            (251_000.0, "251 ms"),
            (1_250_000.0, "1.25 s"),
        ] {
            assert_eq!(duration_words(micros), words);
        }
        assert_eq!(count_words(1_234_567.0), "1,234,567");
        assert_eq!(count_words(12.4), "12");
    }
}
