//! Parts of Discover that a script asks for while the page stays as it is: one document, and the number of newer ones.

use schemars::JsonSchema;
use serde::Serialize;

use super::Params;
use super::newer::newer;
use crate::analytics::discover::{self, Hit, Request};
use crate::answers::elsewhere::is_foreign;
use crate::answers::parameter::Parameter;
use crate::answers::{Address, Arguments, Problem, Question, Source};

const OPEN: Parameter = Parameter::whole("open", 0, i64::MAX, "The number of a document.");

/// The question about one document of the list, for a script that opens it where it stands.
#[derive(Debug)]
pub(crate) struct OpenParams(i64);

/// One document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Opened {
    /// Nothing where it is not stored any more.
    #[schemars(with = "serde_json::Value")]
    #[serde(skip)]
    pub(crate) hit: Option<Hit>,
    /// True if it is stored on another server: the list has it.
    #[serde(skip)]
    pub(crate) is_elsewhere: bool,
}

impl Question for OpenParams {
    type Answer = Opened;
    const ADDRESS: Address = Params::ADDRESS;
    const SUMMARY: &'static str = "One document";

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self(arguments.whole(&OPEN)?.unwrap_or_default()))
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Opened, Problem> {
        Ok(Opened {
            hit: discover::hit(source.conn, self.0)?,
            is_elsewhere: is_foreign(self.0),
        })
    }
}

/// The question about what has arrived since a list was made.
#[derive(Debug)]
pub(crate) struct NewerParams(Params);

/// The number of newer documents.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Newer {
    pub(crate) newer: u64,
}

impl Question for NewerParams {
    type Answer = Newer;
    const ADDRESS: Address = Params::ADDRESS;
    const SUMMARY: &'static str = "Newer documents";

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Params::read(arguments).map(Self)
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Newer, Problem> {
        let Params {
            request,
            without_metrics,
            hold,
            ..
        } = &self.0;
        let request = Request {
            query: without_metrics.as_ref().unwrap_or(&request.query).clone(),
            ..request.clone()
        };
        Ok(Newer {
            newer: match hold {
                Some(hold) => newer(source, &request, *hold)?,
                None => 0,
            },
        })
    }
}
