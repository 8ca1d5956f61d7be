//! Findings about the text of a statement by itself.

use super::{Look, RuleError, Statement, figures, per_minute};
use crate::insight::finding::{Draft, Kind, Says, count_words};
use crate::insight::severity::Severity;
use crate::insight::values;

/// Rows from which “all columns of all rows” is much.
const MANY: f64 = 1_000.0;

/// Calls that are compared to tell values in the text from constants, and how many texts must differ.
const COMPARED: i64 = 5;
const DIFFERENT: usize = 3;

pub(super) fn apply(look: &mut Look<'_>) -> Result<Vec<Draft>, RuleError> {
    let mut drafts = Vec::new();
    for statement in look.statements.clone() {
        if let Some(draft) = no_where(look, &statement) {
            drafts.push(draft);
        }
        if let Some(draft) = select_star(look, &statement)? {
            drafts.push(draft);
        }
        if let Some(draft) = string_built(look, &statement)? {
            drafts.push(draft);
        }
    }
    Ok(drafts)
}

fn draft(
    look: &Look<'_>,
    statement: &Statement,
    kind: Kind,
    severity: Severity,
    words: [String; 3],
) -> Draft {
    let [title, cause, remedy] = words;
    Draft {
        kind,
        service: statement.service.clone(),
        environment: statement.environment.clone(),
        subject: statement.fingerprint(),
        severity,
        saving: 0.0,
        says: Says {
            title,
            cause,
            remedy,
            evidence: look.evidence(statement),
            figures: figures(&[
                ("calls_per_minute", per_minute(statement)),
                ("avg", statement.mean()),
            ]),
        },
    }
}

fn no_where(look: &Look<'_>, statement: &Statement) -> Option<Draft> {
    let is_whole = matches!(statement.verb.as_str(), "UPDATE" | "DELETE")
        && !statement.normalized.contains("WHERE");
    is_whole.then(|| {
        draft(
            look,
            statement,
            Kind::NoWhere,
            Severity::Cost,
            [
                format!("{} has no WHERE: it changes every row.", statement.short()),
                match count_words(statement.count).as_str() {
                    "1" => "It ran once in the last 15 minutes.".to_owned(),
                    count => format!("It ran {count} times in the last 15 minutes."),
                },
                "Add the WHERE that is missing; where all rows are meant, run it apart from requests.".to_owned(),
            ],
        )
    })
}

fn select_star(look: &mut Look<'_>, statement: &Statement) -> Result<Option<Draft>, RuleError> {
    let text = &statement.normalized;
    let is_star = text.starts_with("SELECT *") || text.contains(".* FROM");
    if !is_star || text.contains("WHERE") || text.contains("LIMIT") {
        return Ok(None);
    }
    let rows = values::rows(look.conn, statement.service_id, &statement.table_name)?;
    Ok(rows.filter(|rows| *rows >= MANY).map(|rows| {
        draft(
            look,
            statement,
            Kind::SelectStar,
            Severity::Cost,
            [
                format!("{} reads every column of every row.", statement.short()),
                format!(
                    "{} has about {} rows, and there is neither WHERE nor LIMIT. Agents time the statement, often not \
                     the fetching of its rows.",
                    statement.table_name,
                    count_words(rows)
                ),
                "Name the columns that are used, and read page by page (WHERE id > ? ORDER BY id LIMIT ?).".to_owned(),
            ],
        )
    }))
}

fn string_built(look: &mut Look<'_>, statement: &Statement) -> Result<Option<Draft>, RuleError> {
    if statement.count < COMPARED as f64
        || !values::has_literals(&statement.normalized, &statement.sample)
    {
        return Ok(None);
    }
    let texts = values::texts(look.conn, statement.id, COMPARED)?;
    Ok((texts >= DIFFERENT).then(|| {
        draft(
            look,
            statement,
            Kind::StringBuilt,
            Severity::Cost,
            [
                format!("{} is built with its values in the text.", statement.short()),
                format!("The last {COMPARED} calls had {texts} different texts. A value with a quote in it can become \
                    SQL, and each text is parsed anew."),
                "Pass the values as parameters (?), which also lets the statement be prepared once.".to_owned(),
            ],
        )
    }))
}
