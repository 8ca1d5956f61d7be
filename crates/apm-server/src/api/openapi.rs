//! The description of the API: `/api/v1/openapi.json`, made of the table of addresses and the types of questions and
//! answers.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::{RecursiveTransform, Transform as _};
use schemars::{JsonSchema, Schema, json_schema};
use serde_json::{Map, Value as Json, json};

use super::Endpoint;
use crate::answers::parameter::Described;
use crate::route::Access::Read;
use crate::route::Route;

/// A method of an address, described.
pub(super) struct Operation {
    /// In small letters.
    pub(super) method: &'static str,
    pub(super) summary: &'static str,
    pub(super) parameters: fn() -> Vec<Described>,
    /// The body of the request, if it has one.
    pub(super) body: Option<Json>,
    pub(super) reply: Reply,
}

/// The answer.
pub(super) enum Reply {
    /// An answer of this schema, with an ETag.
    Answer(fn(&mut SchemaGenerator) -> Schema),
    /// An answer that is made anew each time.
    Fresh(fn(&mut SchemaGenerator) -> Schema),
    /// Something of this schema was made.
    Created(fn(&mut SchemaGenerator) -> Schema),
    /// Something was changed.
    Done,
    /// Any JSON object, of a server that can always say it.
    Object,
}

/// The schema of an answer.
pub(super) fn schema<A: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<A>()
}

/// The methods and addresses that are answered, as OpenAPI writes them; HEAD is answered as GET is.
pub fn addresses() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for endpoint in super::table() {
        let path = written(endpoint.route.rules.path);
        for (method, _) in endpoint.route.rules.methods {
            let method = method.map(|method| method.as_str().to_lowercase());
            all.extend(
                method
                    .filter(|method| method != "head")
                    .map(|method| (method, path.clone())),
            );
        }
    }
    all
}

/// `/dependencies/{dependency:.+}` as OpenAPI writes it.
fn written(path: &str) -> String {
    path.replace(":.+}", "}")
}

/// The description, OpenAPI 3.1.
pub fn document() -> &'static str {
    static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
        let text = serde_json::to_string_pretty(&described(super::table()));
        text.unwrap_or_default()
    });
    &DOCUMENT
}

fn described(table: Vec<Endpoint>) -> Json {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for endpoint in table {
        let path = written(endpoint.route.rules.path);
        let mut methods = Map::new();
        for operation in endpoint.operations {
            methods.insert(operation.method.to_owned(), operation.json(&mut generator));
        }
        paths.insert(path, methods.into());
    }
    let status = Operation {
        method: "get",
        summary: "What the server says of itself: counters, database, the last lines that were refused",
        parameters: Vec::new,
        body: None,
        reply: Reply::Object,
    };
    paths.insert(
        "/api/v1/status".to_owned(),
        json!({"get": status.json(&mut generator)}),
    );
    let mut schemas = generator.take_definitions(true);
    let mut exact = RecursiveTransform(exact);
    for schema in schemas.values_mut() {
        if let Ok(schema) = schema.try_into() {
            exact.transform(schema);
        }
    }
    schemas.insert("Error".to_owned(), error());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Pocket APM",
            "version": "1",
            "description": "The answers of the pages as JSON and as comma-separated values. Durations are \
                microseconds, timestamps microseconds since 1970, starts of buckets seconds since 1970, shares and \
                rates 0 to 1, counts weighted by the sample rate. The columns of files have their unit in their name; \
                their times are RFC 3339.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {
                "Bad": refusal("A parameter cannot be understood."),
                "Missing": refusal("There is no such thing."),
                "Unavailable": refusal("The database cannot answer."),
            },
        },
    })
}

/// A problem, as `Problem` writes it.
fn error() -> Json {
    json!({
        "type": "object",
        "properties": {
            "error": {
                "type": "string",
                "description": "What is wrong, beginning with the name of the parameter.",
            },
            "parameter": {"type": "string"},
            "position": {"type": "integer", "description": "Of `q`: characters before the place."},
        },
        "required": ["error"],
        "additionalProperties": false,
    })
}

fn refusal(description: &str) -> Json {
    json!({
        "description": description,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    })
}

/// An object has the members that are described and no others.
fn exact(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    if object.contains_key("properties") && !object.contains_key("additionalProperties") {
        object.insert("additionalProperties".to_owned(), false.into());
    }
}

impl Operation {
    fn json(self, generator: &mut SchemaGenerator) -> Json {
        let mut out = Map::new();
        out.insert("summary".to_owned(), self.summary.into());
        let parameters: Vec<Json> = (self.parameters)().iter().map(Described::json).collect();
        if !parameters.is_empty() {
            out.insert("parameters".to_owned(), parameters.into());
        }
        if let Some(body) = self.body {
            out.insert("requestBody".to_owned(), body);
        }
        out.insert("responses".to_owned(), self.reply.json(generator));
        out.into()
    }
}

impl Reply {
    fn json(&self, generator: &mut SchemaGenerator) -> Json {
        let mut answer = |description: &str, schema: &dyn Fn(&mut SchemaGenerator) -> Schema| {
            json!({
                "description": description,
                "content": {"application/json": {"schema": schema(generator)}},
            })
        };
        let bad = json!({"$ref": "#/components/responses/Bad"});
        let missing = json!({"$ref": "#/components/responses/Missing"});
        let unavailable = json!({"$ref": "#/components/responses/Unavailable"});
        match self {
            Self::Answer(schema) => json!({
                "200": answer("The answer.", schema),
                "304": {"description": "Nothing has changed since the answer with this ETag."},
                "400": bad,
                "404": missing,
                "503": unavailable,
            }),
            Self::Fresh(schema) => json!({
                "200": answer("The answer.", schema),
                "400": bad,
                "503": unavailable,
            }),
            Self::Created(schema) => json!({
                "201": answer("What was made.", schema),
                "400": bad,
                "503": unavailable,
            }),
            Self::Done => json!({
                "204": {"description": "It is done."},
                "404": missing,
                "503": unavailable,
            }),
            Self::Object => json!({
                "200": answer("The answer.", &|_| json_schema!({"type": "object"})),
            }),
        }
    }
}

/// The address of the description.
pub(super) fn endpoint() -> Endpoint {
    let route = Route::at("/api/v1/openapi.json").get(Read, file);
    let operation = Operation {
        method: "get",
        summary: "This description",
        parameters: Vec::new,
        body: None,
        reply: Reply::Object,
    };
    Endpoint::new(route, vec![operation])
}

/// `GET /api/v1/openapi.json`
async fn file() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(document())
}
