//! The tools: each is one or a few questions, with some of their parameters.

mod table;

use apm_store::Store;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::protocol::Fault;
use crate::answers::parameter::{Described, Form, Place};
use crate::answers::{Arguments, Problem, Settings, Source};
use table::{TOOLS, Tool};

/// The tools as clients list them.
pub(super) fn list() -> Vec<Value> {
    TOOLS.iter().map(Tool::described).collect()
}

impl Tool {
    /// The parameters that are shown, of those that the question reads.
    fn parameters(&self) -> Vec<Described> {
        let mut all = (self.parameters)();
        all.retain(|one| self.shown.contains(&one.parameter.name) || one.place == Place::Path);
        all
    }

    fn described(&self) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for one in self.parameters() {
            let json = one.json();
            let mut schema = json["schema"].clone();
            schema["description"] = json["description"].clone();
            properties.insert(one.parameter.name.to_owned(), schema);
            if one.required {
                required.push(one.parameter.name);
            }
        }
        json!({
            "name": self.name,
            "description": self.about,
            "inputSchema": {
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            },
            "annotations": {"readOnlyHint": true, "openWorldHint": false},
        })
    }

    /// The question that arguments make, and the address of its page. The error is for the assistant.
    fn read(&self, arguments: &Value) -> Result<(Arguments, String), String> {
        let known = self.parameters();
        let none = Map::new();
        let given = match arguments {
            Value::Null => &none,
            Value::Object(given) => given,
            _ => return Err("`arguments` has to be an object".to_owned()),
        };
        let (mut path, mut pairs) = (Vec::new(), Vec::new());
        for (name, value) in given {
            // An address ignores parameters that it does not know. An assistant would take the answer to another
            // question for that to its own.
            let Some(found) = known.iter().find(|one| one.parameter.name == name) else {
                let names: Vec<&str> = known.iter().map(|one| one.parameter.name).collect();
                return Err(format!(
                    "{} has no `{name}`, only {}",
                    self.name,
                    names.join(", ")
                ));
            };
            if let (Value::Array(all), Form::Texts, Place::Query) =
                (value, found.parameter.form, found.place)
            {
                for one in all {
                    let Some(text) = one.as_str() else {
                        return Err(format!("`{name}` is a list of texts"));
                    };
                    pairs.push((name.clone(), text.to_owned()));
                }
                continue;
            }
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                // Of switches, any value is yes.
                Value::Bool(true) => "1".to_owned(),
                Value::Bool(false) | Value::Null => continue,
                _ => return Err(format!("`{name}` is a text or a number")),
            };
            match found.place {
                Place::Path => path.push((name.clone(), text)),
                Place::Query => pairs.push((name.clone(), text)),
            }
        }
        for one in known.iter().filter(|one| one.required) {
            let name = one.parameter.name;
            if !path.iter().chain(&pairs).any(|(given, _)| given == name) {
                return Err(format!("`{name}` is missing"));
            }
        }
        pairs.extend(
            self.fixed
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        // With the fixed ones: the page shows what the tool answers.
        let page = page(self.page, &path, &pairs);
        Ok((Arguments::without_address(path, pairs), page))
    }
}

/// The address of a page, with the values of its path and its parameters.
fn page(pattern: &str, path: &[(String, String)], pairs: &[(String, String)]) -> String {
    let segments = pattern.trim_start_matches('/').split('/').map(|segment| {
        let name = segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        let value = path.iter().find(|(known, _)| Some(&**known) == name);
        value.map_or(segment, |(_, value)| value)
    });
    let segments: Vec<String> = segments.map(escaped).collect();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    let separator = if pairs.is_empty() { "" } else { "?" };
    format!("/{}{separator}{}", segments.join("/"), pairs.join("&"))
}

fn escaped(text: &str) -> String {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// Calls a tool. The assistant is told why a question is refused, and can ask again.
pub(super) async fn call(
    params: &Value,
    url: &str,
    store: &Store,
    settings: &Settings,
) -> Result<Value, Fault> {
    let name = params["name"].as_str().unwrap_or_default();
    let Some(tool) = TOOLS.iter().find(|tool| tool.name == name) else {
        let names: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
        return Err(Fault::params(format!(
            "there is no such tool, only {}",
            names.join(", ")
        )));
    };
    let (arguments, page) = match tool.read(&params["arguments"]) {
        Ok(arguments) => arguments,
        Err(why) => return Ok(said(&why, true)),
    };
    let (stored, settings) = (store.clone(), settings.clone());
    let answered = store.read_async(move |conn| {
        let mut source = Source {
            conn,
            store: &stored,
            settings: &settings,
        };
        (tool.answer)(&arguments, &mut source)
    });
    Ok(match answered.await {
        Ok(text) => said(&format!("Page: {url}{page}\n\n{text}"), false),
        Err(Problem::Store(error)) => {
            log::warn!("a tool's question was not answered: {error}");
            said("the database cannot answer: try again later", true)
        }
        Err(problem) => said(&problem.to_string(), true),
    })
}

/// The result of a tool.
fn said(text: &str, is_error: bool) -> Value {
    json!({"content": [{"type": "text", "text": text}], "isError": is_error})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &str) -> &'static Tool {
        TOOLS.iter().find(|tool| tool.name == name).unwrap()
    }

    #[test]
    fn each_tool_describes_what_it_takes() {
        for tool in TOOLS {
            let described = tool.described();
            for shown in tool.shown {
                let properties = &described["inputSchema"]["properties"];
                assert!(
                    properties[*shown].is_object(),
                    "{} has no {shown}",
                    tool.name
                );
            }
        }
        let error = tool("error").described();
        assert_eq!(error["inputSchema"]["required"], json!(["service", "key"]));
    }

    #[test]
    fn arguments_that_are_wrong_are_told() {
        let read = |name: &str, arguments: Value| tool(name).read(&arguments).map(|(_, page)| page);
        assert_eq!(
            read("error", json!({"service": "a/b", "key": "0f"})).unwrap(),
            "/services/a%2Fb/errors/0f"
        );
        assert_eq!(
            read("errors", json!({"service": ["a", "b"]})).unwrap(),
            "/errors?service=a&service=b"
        );
        for (arguments, words) in [
            (json!({"service": "a"}), "`key` is missing"),
            (
                json!({"service": "a", "key": "b", "size": 9}),
                "has no `size`",
            ),
            (json!({"service": ["a"], "key": "b"}), "is a text"),
            (json!([]), "object"),
            (
                json!({"service": "a", "key": "b", "env": [1]}),
                "list of texts",
            ),
        ] {
            let error = read("error", arguments).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
