//! From a question to a response: ETag, reader thread, JSON or a file.

use std::io;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, EntityTag};
use actix_web::web::Data;
use actix_web::{Handler, HttpRequest, HttpResponse, HttpResponseBuilder};
use apm_store::Store;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use crate::answers::arguments::wrong;
use crate::answers::parameter::{Described, Parameter, Place};
use crate::answers::{self, Arguments, Depends, Problem, Question, Settings, Source};
use crate::csv::{Table, Texts};
use crate::known_tags::KnownTags;

const FORMAT: Parameter = Parameter::word(
    "format",
    &["json", "csv", "raw-csv"],
    "`csv`: a table of the answer as comma-separated values, with an apostrophe before texts that a spreadsheet would \
     run as a formula. `raw-csv`: the same with texts as they were sent, for programs. Default: JSON.",
);

/// The parameter that chooses the table of a file.
const fn table_of(tables: &'static [&'static str]) -> Parameter {
    Parameter::word(
        "table",
        tables,
        "Which table of the answer, with `format=csv` or `raw-csv`. Default: the first.",
    )
}

/// The parameters of a question, and those of its form.
pub(super) fn parameters<Q: Question>() -> Vec<Described> {
    let mut all = Arguments::describe::<Q>();
    all.extend(forms::<Q>());
    all
}

/// The parameters that choose the form of an answer.
pub(super) fn forms<Q: Question>() -> Vec<Described> {
    let described = |parameter| Described {
        parameter,
        place: Place::Query,
        required: false,
    };
    match Q::TABLES.len() {
        0 => Vec::new(),
        _ => [FORMAT, table_of(Q::TABLES)].map(described).to_vec(),
    }
}

/// The body of a response.
enum Form {
    Json,
    /// A table of this name.
    File(&'static str, Texts),
}

impl Form {
    fn read(arguments: &Arguments, tables: &'static [&'static str]) -> Result<Self, Problem> {
        let texts = match arguments.word(&FORMAT)? {
            Some("csv") => Some(Texts::Harmless),
            Some("raw-csv") => Some(Texts::Raw),
            _ => None,
        };
        let Some(first) = tables.first() else {
            return match texts {
                Some(_) => Err(wrong(
                    &FORMAT,
                    "this answer has no table, use json".to_owned(),
                )),
                None => Ok(Self::Json),
            };
        };
        let table = arguments.word(&table_of(tables))?;
        Ok(match texts {
            Some(texts) => Self::File(table.unwrap_or(first), texts),
            None => Self::Json,
        })
    }
}

/// A question of any type. The way from a request to its response is compiled once, and not for each question.
trait AnyQuestion: Send {
    fn make(&self, form: &Form, source: &mut Source<'_>) -> Result<Made, Problem>;
}

impl<Q: Question> AnyQuestion for Q {
    fn make(&self, form: &Form, source: &mut Source<'_>) -> Result<Made, Problem> {
        let answer = self.answer(source)?;
        let (body, file) = match form {
            Form::Json => (serialized(&answer)?, None),
            Form::File(name, texts) => {
                let tables = Q::tables(&answer);
                let file = answers::file_name::<Q>(&answer, name);
                (table(&tables, name, *texts)?, Some(file))
            }
        };
        Ok(Made {
            body,
            file,
            is_settled: Q::is_settled(&answer),
        })
    }
}

/// The table of a name as a file.
fn table(tables: &[Table], name: &str, texts: Texts) -> Result<Vec<u8>, Problem> {
    let file = Table::file_of(tables, name, texts);
    match file.len() > MOST {
        true => Err(Problem::TooLarge { most: MOST }),
        false => Ok(file),
    }
}

/// The facts about a type of questions that a response needs.
#[derive(Clone, Copy)]
pub(super) struct QuestionKind {
    tables: &'static [&'static str],
    depends: Depends,
    read: fn(&Arguments) -> Result<Box<dyn AnyQuestion>, Problem>,
}

impl QuestionKind {
    pub(super) fn of<Q: Question>() -> Self {
        Self {
            tables: Q::TABLES,
            depends: Q::DEPENDS,
            read: |arguments| Ok(Box::new(Q::read(arguments)?)),
        }
    }

    /// The handler that answers questions of this kind.
    pub(super) fn handler(
        self,
    ) -> impl Handler<(HttpRequest, Data<Store>, Data<Settings>), Output = Result<HttpResponse, Problem>>
    {
        move |request, store, settings| answer(self, request, store, settings)
    }
}

/// Answers a question from the store, unless the client has the answer already.
async fn answer(
    kind: QuestionKind,
    request: HttpRequest,
    store: Data<Store>,
    settings: Data<Settings>,
) -> Result<HttpResponse, Problem> {
    let arguments = Arguments::read(&request)?;
    let question = (kind.read)(&arguments)?;
    let form = Form::read(&arguments, kind.tables)?;
    let tag = arguments.fingerprint(kind.depends).map(|arguments| {
        let arguments = format!("{} {} {arguments}", store.data_version(), request.path());
        // Weak: what answers of one tag say of the present may be of different seconds.
        EntityTag::new_weak(format!("{:016x}", xxh3_64(arguments.as_bytes())))
    });
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-cache"));
    let is_tagged = tag.is_some();
    let known = KnownTags::of(request.headers());
    if let Some(tag) = tag.as_ref().filter(|tag| known.has(tag.tag())) {
        response.insert_header((ETAG, tag.to_string()));
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    let made = made(question, form, &store, &settings).await?;
    if let Some(tag) = tag.filter(|_| made.is_settled) {
        response.insert_header((ETAG, tag.to_string()));
    }
    // Any answer will do, but there has to be one.
    if known.is_any() && is_tagged {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    Ok(made.response(response))
}

/// Answers a question that was not asked by its address.
pub(super) async fn fresh<Q: Question>(
    request: &HttpRequest,
    question: Q,
    store: &Store,
    settings: &Settings,
) -> Result<HttpResponse, Problem> {
    let form = Form::read(&Arguments::read(request)?, Q::TABLES)?;
    let made = made(Box::new(question), form, store, settings).await?;
    Ok(made.response(HttpResponse::Ok()))
}

/// An answer in its form.
struct Made {
    body: Vec<u8>,
    /// The name of the file, where it is one.
    file: Option<String>,
    /// True if it stays the same as long as nothing arrives.
    is_settled: bool,
}

impl Made {
    fn response(self, mut response: HttpResponseBuilder) -> HttpResponse {
        match self.file {
            None => response.insert_header((CONTENT_TYPE, "application/json")),
            Some(name) => response
                .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
                .insert_header((
                    CONTENT_DISPOSITION,
                    format!("attachment; filename=\"{name}\""),
                )),
        };
        response.body(self.body)
    }
}

async fn made(
    question: Box<dyn AnyQuestion>,
    form: Form,
    store: &Store,
    settings: &Settings,
) -> Result<Made, Problem> {
    let (stored, settings) = (store.clone(), settings.clone());
    store
        .read_async(move |conn| {
            let mut source = Source {
                conn,
                store: &stored,
                settings: &settings,
            };
            // Serialised here: a trace of 5000 spans is no work for a thread that serves connections.
            question.make(&form, &mut source)
        })
        .await
}

/// Bytes of the longest answer. As many as there are readers are made at a time.
const MOST: usize = 32 << 20;

/// An answer as JSON, which ends where it is too long.
fn serialized(answer: &impl Serialize) -> Result<Vec<u8>, Problem> {
    let mut body = Bounded(Vec::new());
    match serde_json::to_writer(&mut body, answer) {
        Ok(()) => Ok(body.0),
        Err(error) if error.is_io() => Err(Problem::TooLarge { most: MOST }),
        Err(error) => Err(Problem::Parameter {
            parameter: "answer",
            problem: error.to_string(),
        }),
    }
}

/// Takes at most [`MOST`] bytes.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_too_long_is_refused_with_the_remedy_and_not_made() {
        let long = "x".repeat(1 << 20);
        let many = |count| vec![long.as_str(); count];
        let fits = serialized(&many(31)).expect("an answer");
        assert!(fits.len() > 31 << 20);
        let error = serialized(&many(32)).expect_err("too long").to_string();
        assert!(
            error.contains("32 MiB") && error.contains("shorter range"),
            "{error}"
        );
    }
}
