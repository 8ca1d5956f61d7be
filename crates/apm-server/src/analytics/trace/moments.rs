//! Moments of page loads, which browsers mark: the first byte, the first paint, when the page was complete.

use apm_store::StoreError;
use diesel::sqlite::SqliteConnection;
use serde_json::Value;

use super::Trace;

/// Page loads of a trace whose marks are read. One page begins a trace; a second one is rare.
const LOADS: usize = 4;
/// Moments of one page load.
const MOST: usize = 40;

/// A moment of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// Index in [`Trace::items`].
    pub item: u32,
    /// µs from the start of the entry.
    pub at: i64,
}

/// A mark of a document: its name, and µs from the start of the page load.
pub type Mark = (String, i64);

/// The moments of the page loads of a trace.
pub(super) fn read(conn: &mut SqliteConnection, trace: &Trace) -> Result<Vec<Moment>, StoreError> {
    let loads = trace.items.iter().enumerate();
    let loads = loads.filter(|(_, item)| item.is_transaction && &*item.what.kind == "page-load");
    let mut moments = Vec::new();
    for (index, item) in loads.take(LOADS) {
        let found = apm_store::events(conn, &[item.seq])?;
        let Some(document) = found.first().map(apm_store::document::document) else {
            continue;
        };
        let Ok(index) = u32::try_from(index) else {
            continue;
        };
        let of_item = |(_, after): Mark| Moment {
            item: index,
            at: item.at.saturating_add(after),
        };
        moments.extend(marks(&document).into_iter().map(of_item));
    }
    Ok(moments)
}

/// The marks of a page load, the earliest first. Those of the agent repeat some of the browser's.
#[must_use]
pub fn marks(document: &Value) -> Vec<Mark> {
    let groups = document
        .pointer("/transaction/marks")
        .and_then(Value::as_object);
    let mut marks: Vec<Mark> = Vec::new();
    for (group, moments) in groups.into_iter().flatten() {
        for (name, moment) in moments.as_object().into_iter().flatten() {
            let Some(at) = moment.as_f64().filter(|at| (0.0..1e9).contains(at)) else {
                continue;
            };
            let name = match group.as_str() {
                "agent" | "navigationTiming" => name.clone(),
                group => format!("{group}.{name}"),
            };
            #[expect(clippy::cast_possible_truncation, reason = "it is within some days")]
            let mark = (name, (at * 1000.0) as i64);
            if !marks.iter().any(|(known, _)| *known == mark.0) {
                marks.push(mark);
            }
        }
    }
    marks.sort_by(|a, b| a.1.cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
    marks.truncate(MOST);
    marks
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn marks_stand_in_the_order_of_time_each_once() {
        let document = json!({"transaction": {"marks": {
            "agent": {"timeToFirstByte": 76, "domComplete": 239.5},
            "navigationTiming": {"fetchStart": 0, "domComplete": 239.4, "wrong": -1, "text": "x"},
            "shop": {"ready": 100},
        }}});
        let wanted = [
            ("fetchStart", 0),
            ("timeToFirstByte", 76_000),
            ("shop.ready", 100_000),
            ("domComplete", 239_500),
        ];
        let wanted = wanted.map(|(name, at)| (name.to_owned(), at));
        assert_eq!(marks(&document), wanted);
        assert!(marks(&Value::Null).is_empty());
    }
}
