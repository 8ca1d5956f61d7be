//! `/discover/fields` and `/discover/groups`: fields with their top values, and events by the values of one.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Fields, find, groups_table, request};
use crate::analytics::discover::{self, Groups, Request};
use crate::answers::elsewhere::{Elsewhere, join_groups};
use crate::answers::parameter::Parameter;
use crate::answers::{Address, Arguments, Problem, Question, Source, at};
use crate::csv::Table;

const GROUP_BY: Parameter = Parameter::text("group", "The field.");

/// Documents whose fields are listed.
const SAMPLE: usize = 500;

/// The question about fields.
#[derive(Debug)]
pub(crate) struct FieldsParams(Request);

impl Question for FieldsParams {
    type Answer = Fields;
    const ADDRESS: Address = at!("/discover/fields");
    const SUMMARY: &'static str = "Fields of the newest 500 matching events";

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self(Request {
            after: None,
            ..request(arguments, SAMPLE)?
        }))
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Fields, Problem> {
        let ((found, _), elsewhere) = find(source, &self.0, None)?;
        let mut fields = Fields::from_found(&found);
        // Other servers may store more events while none arrives here.
        fields.is_settled &= elsewhere == Elsewhere::default();
        Ok(fields)
    }

    fn is_settled(answer: &Fields) -> bool {
        answer.is_settled
    }
}

/// Groups, and the share of other servers in them.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "GroupsOfEvents")]
pub(crate) struct GroupsAnswer {
    #[serde(flatten)]
    groups: Groups,
    /// The share of other servers.
    elsewhere: Elsewhere,
}

/// The question about groups.
#[derive(Debug)]
pub(crate) struct GroupsParams {
    request: Request,
    field: String,
}

impl Question for GroupsParams {
    type Answer = GroupsAnswer;
    const ADDRESS: Address = at!("/discover/groups");
    const SUMMARY: &'static str = "Matching events by the values of a field";
    const TABLES: &'static [&'static str] = &["groups"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            request: request(arguments, 0)?,
            field: arguments.required(&GROUP_BY)?.to_owned(),
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<GroupsAnswer, Problem> {
        let mut groups = discover::group(source.conn, &self.request, &self.field)?;
        let mut elsewhere = Elsewhere::default();
        let (conn, settings) = (&mut *source.conn, source.settings);
        join_groups(conn, settings, &self.request, &mut groups, &mut elsewhere)?;
        // Other servers may store more of them, as above.
        groups.is_settled &= elsewhere == Elsewhere::default();
        Ok(GroupsAnswer { groups, elsewhere })
    }

    fn tables(answer: &GroupsAnswer) -> Vec<Table> {
        vec![groups_table(&answer.groups.groups)]
    }

    fn is_settled(answer: &GroupsAnswer) -> bool {
        answer.groups.is_settled
    }
}
