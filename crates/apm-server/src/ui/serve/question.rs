//! Questions without their types: the way from a request to a page is compiled once, and not for each question.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{Handler, HttpRequest, HttpResponse};
use apm_store::Store;

use super::response::{Made, whole};
use crate::answers::{self, Arguments, Problem, Settings, Source};
use crate::csv::{Table, Texts};
use crate::ui::budget;
use crate::ui::components::shell::Page;
use crate::ui::components::surroundings::Surroundings;
use crate::ui::pages::{Answer, Context, Rendered};
use crate::ui::view::View;

/// A question of any type.
pub(super) trait AnyQuestion: Send {
    /// The page of the answer, or one of its tables as a file.
    fn make(
        &self,
        context: &Context<'_>,
        around: &Surroundings,
        table: Option<&'static str>,
        source: &mut Source<'_>,
    ) -> Result<Made, Problem>;
}

impl<Q: Rendered> AnyQuestion for Q {
    fn make(
        &self,
        context: &Context<'_>,
        around: &Surroundings,
        table: Option<&'static str>,
        source: &mut Source<'_>,
    ) -> Result<Made, Problem> {
        let answer = self.answer(source)?;
        Ok(match table {
            Some(name) => file(
                answers::file_name::<Q>(&answer, name),
                name,
                &Q::tables(&answer),
            ),
            None => made(
                context.view,
                around,
                Box::new(|| self.render(context, &answer)),
            ),
        })
    }
}

fn file(file_name: String, name: &str, tables: &[Table]) -> Made {
    Made::File(file_name, Table::file_of(tables, name, Texts::Harmless))
}

/// The facts about a type of questions that a page needs.
#[derive(Clone, Copy)]
pub(in crate::ui) struct QuestionKind {
    pub(super) tables: &'static [&'static str],
    pub(super) read: fn(&Arguments) -> Result<Box<dyn AnyQuestion>, Problem>,
    pub(super) missing: fn(&Context<'_>, &Problem) -> Page,
}

impl QuestionKind {
    pub(in crate::ui) fn of<Q: Rendered>() -> Self {
        Self {
            tables: Q::TABLES,
            read: |arguments| Ok(Box::new(Q::read(arguments)?)),
            missing: Q::missing,
        }
    }

    /// The handler that answers questions of this kind.
    pub(in crate::ui) fn handler(
        self,
    ) -> impl Handler<(HttpRequest, Data<Store>, Data<Settings>), Output = HttpResponse> {
        move |request, store, settings| super::answer(self, request, store, settings)
    }
}

/// A page, or that it would be too large.
pub(super) fn made(
    view: &View,
    around: &Surroundings,
    render: Box<dyn FnOnce() -> Answer + '_>,
) -> Made {
    let rendered = budget::within(|| match render() {
        Answer::Page(page) => whole(view, around, StatusCode::OK, &page),
        Answer::Missing(page) => whole(view, around, StatusCode::NOT_FOUND, &page),
        Answer::Fragment(part) => Made::Page(StatusCode::OK, part.into_string()),
    });
    rendered.unwrap_or(Made::TooLarge)
}
