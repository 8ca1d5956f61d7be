//! The article's people: the row, random people, and the queries that the routes run.

use apm_agent::diesel::AffectedRowsExt as _;
use diesel::dsl::count_star;
use diesel::prelude::*;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::schema::people;

const NAMES: &[&str] = &[
    "ruan", "stefan", "philip", "norman", "frank", "pete", "johnny", "peter", "adam",
];
const SURNAMES: &[&str] = &["smith", "bekker", "admams", "phillips", "james", "adamson"];
const CITIES: &[&str] = &[
    "cape town",
    "johannesburg",
    "pretoria",
    "dublin",
    "kroonstad",
    "bloemfontein",
    "port elizabeth",
    "auckland",
    "sydney",
];
const AGES: std::ops::RangeInclusive<i32> = 18..=40;

/// Number of people that one `/sql-write` adds, each by an INSERT of its own.
pub const PEOPLE_PER_WRITE: usize = 5;

/// A row of `people`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Serialize, Deserialize)]
#[diesel(table_name = people)]
pub struct Person {
    pub id: i32,
    pub name: String,
    pub age: i32,
    pub surname: String,
    pub city: String,
}

/// A person who is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq, Insertable, Serialize)]
#[diesel(table_name = people)]
pub struct NewPerson {
    pub name: &'static str,
    pub age: i32,
    pub surname: &'static str,
    pub city: &'static str,
}

impl NewPerson {
    /// Draws each property uniformly from the article's lists.
    pub fn random(rng: &mut impl Rng) -> Self {
        Self {
            name: pick(rng, NAMES),
            age: rng.random_range(AGES),
            surname: pick(rng, SURNAMES),
            city: pick(rng, CITIES),
        }
    }
}

/// Number of people who live in a city.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Serialize, Deserialize)]
pub struct CityCount {
    pub num: i64,
    pub city: String,
}

/// Draws one of `items` uniformly.
pub fn pick<T: Copy>(rng: &mut impl Rng, items: &[T]) -> T {
    items[rng.random_range(0..items.len())]
}

/// Adds random people in one transaction, one INSERT each.
///
/// `BEGIN IMMEDIATE` takes the write lock at once: a deferred transaction that finds the lock taken when it first
/// writes fails without waiting for `busy_timeout`.
pub fn write(conn: &mut SqliteConnection) -> QueryResult<()> {
    conn.immediate_transaction(insert_random)
}

/// [`write()`], and what was written: read back inside the same transaction, oldest first.
pub fn write_returning(conn: &mut SqliteConnection) -> QueryResult<Vec<Person>> {
    conn.immediate_transaction(|conn| {
        insert_random(conn)?;
        let mut written: Vec<Person> = people::table
            .select(Person::as_select())
            .order(people::id.desc())
            .limit(PEOPLE_PER_WRITE as i64)
            .load(conn)?;
        written.reverse();
        Ok(written)
    })
}

fn insert_random(conn: &mut SqliteConnection) -> QueryResult<()> {
    let mut rng = rand::rng();
    for _ in 0..PEOPLE_PER_WRITE {
        diesel::insert_into(people::table)
            .values(NewPerson::random(&mut rng))
            .execute(conn)
            .record_rows()?;
    }
    Ok(())
}

/// Reads everyone, one row in memory at a time, and counts them.
pub fn read_all(conn: &mut SqliteConnection) -> QueryResult<u64> {
    let mut rows = 0;
    for person in people::table.select(Person::as_select()).load_iter(conn)? {
        let _: Person = person?;
        rows += 1;
    }
    Ok(rows)
}

/// Reads at most `limit` people whose id is above `after`, by id.
pub fn read_page(conn: &mut SqliteConnection, after: i32, limit: i64) -> QueryResult<Vec<Person>> {
    people::table
        .select(Person::as_select())
        .filter(people::id.gt(after))
        .order(people::id)
        .limit(limit)
        .load(conn)
}

/// Counts people; reads the whole table.
pub fn count(conn: &mut SqliteConnection) -> QueryResult<i64> {
    people::table.count().get_result(conn)
}

/// The id of whom was added last, if anyone was.
pub fn newest_id(conn: &mut SqliteConnection) -> QueryResult<Option<i32>> {
    people::table
        .select(diesel::dsl::max(people::id))
        .get_result(conn)
}

/// Counts the people of each city: the statement whose time grows with the table.
pub fn count_by_city(conn: &mut SqliteConnection) -> QueryResult<Vec<CityCount>> {
    people::table
        .group_by(people::city)
        .select((count_star(), people::city))
        .load(conn)
}
