//! `/dashboard`: charts and views that people pinned.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Address, Arguments, Depends, Problem, Question, Source, at};
use crate::csv::Table;
use crate::dashboard::{self, Pin};

/// The question.
#[derive(Debug)]
pub(crate) struct Params;

/// The pins.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Dashboard")]
pub(crate) struct Answer {
    /// In the order in which they were pinned.
    pub(crate) pins: Vec<Pin>,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/dashboard");
    const SUMMARY: &'static str = "Charts and views that are pinned to the dashboard";
    const DEPENDS: Depends = Depends::Nothing;
    const TABLES: &'static [&'static str] = &["pins"];

    fn read(_: &Arguments) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let pins = dashboard::list(source.conn)?;
        Ok(Answer { pins })
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        vec![Table::from_rows(
            "pins",
            &answer.pins,
            &[
                ("id", |row: &Pin| row.id.into()),
                ("title", |row| (&row.title).into()),
                ("address", |row| (&row.address).into()),
                ("chart", |row| (&row.chart).into()),
            ],
        )]
    }
}
