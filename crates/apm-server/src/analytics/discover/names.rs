//! Matching transactions by name: the newest of them, counted from their rows where columns decide which match.

use std::collections::HashMap;

use apm_store::StoreError;
use apm_store::event::Kind;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};

use super::blocks::{Blocks, runs};
use super::walk::{Search, bound};
use super::{Group, Groups, Request, group};
use crate::analytics::sql::Sql;

/// Transactions that are looked at, the newest. More would say the same, and cost more the more there are.
const LOOKED_AT: u64 = 20_000;

/// Names that are listed.
const MOST: usize = 100;

/// Blocks whose rows are counted together.
const BLOCKS: usize = 64;

const FIELD: &str = "transaction.name";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = Double)]
    sum: f64,
    #[diesel(sql_type = BigInt)]
    longest: i64,
}

#[derive(Default)]
struct Sum {
    count: u64,
    duration: f64,
    longest: i64,
}

/// The names of the newest matching transactions, the most frequent first. `complete` says whether these are all that
/// match.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub fn names(conn: &mut SqliteConnection, request: &Request) -> Result<Groups, StoreError> {
    let search = Search::new(request);
    let [(Kind::Transaction, condition)] = &*search.parts else {
        return group(conn, request, FIELD);
    };
    if !condition.exact {
        return group(conn, request, FIELD);
    }
    let deadline = request.limits.begin();
    let text = format!(
        "SELECT g.name, count(*) AS count, sum(r.duration * 1.0) AS sum, max(r.duration) AS longest\n\
         FROM json_each(:runs) run\n\
         CROSS JOIN tx r NOT INDEXED ON r.seq >= (run.value ->> 0) * 128 AND r.seq < (run.value ->> 1) * 128\n\
         CROSS JOIN tx_group g ON g.id = r.group_id\n\
         WHERE r.ts >= :from AND r.ts < :to\n  AND {}\n\
         GROUP BY g.id",
        condition.sql(),
    );
    let mut sums: HashMap<String, Sum> = HashMap::new();
    let mut left = Blocks::new(conn, request.range)?;
    let (mut total, mut looked_at) = (0, 0);
    let complete = loop {
        let blocks = left.next(conn, BLOCKS)?;
        if blocks.is_empty() {
            break true;
        }
        if total >= LOOKED_AT || !deadline.allows_more(looked_at, 1) {
            break false;
        }
        looked_at += blocks.len();
        let sql = Sql::new(text.clone()).bind("runs", runs(&blocks));
        let rows: Vec<Row> = bound(sql, request.range, condition).load(conn)?;
        for row in rows {
            let sum = sums.entry(row.name).or_default();
            sum.count += row.count.unsigned_abs();
            sum.duration += row.sum;
            sum.longest = sum.longest.max(row.longest);
            total += row.count.unsigned_abs();
        }
    };
    Ok(grouped(sums, total, complete))
}

fn grouped(sums: HashMap<String, Sum>, total: u64, complete: bool) -> Groups {
    let mut groups: Vec<Group> = sums
        .into_iter()
        .map(|(name, sum)| Group {
            value: Some(name).filter(|name| !name.is_empty()),
            count: sum.count,
            duration_avg: Some(sum.duration / sum.count.max(1) as f64),
            duration_max: Some(sum.longest as f64),
        })
        .collect();
    group::sort(&mut groups);
    let other = groups.iter().skip(MOST).map(|group| group.count).sum();
    groups.truncate(MOST);
    Groups {
        field: FIELD.to_owned(),
        groups,
        other,
        total,
        complete,
        is_settled: complete,
    }
}
