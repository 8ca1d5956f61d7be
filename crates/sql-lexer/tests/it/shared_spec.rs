//! Examples that Elastic's agents share. They are no part of this repository; where they are missing, a test says so.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sql_lexer::{Kind, Lexer, Syntax, Token, signature};

/// A file of `fixtures/agent/json-specs`. Lines that begin with `//` are no part of the JSON.
fn examples<T: DeserializeOwned>(name: &str) -> Option<T> {
    let path = test_support::shared(&format!("agent/json-specs/{name}"))?;
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let json: String = lines.flat_map(|line| [line, "\n"]).collect();
    Some(serde_json::from_str(&json).unwrap_or_else(|error| panic!("{name}: {error}")))
}

#[derive(Deserialize)]
struct Split {
    name: String,
    input: String,
    #[serde(default)]
    tokens: Vec<Published>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Published {
    kind: String,
    text: String,
}

fn published(token: Token<'_>) -> Option<Published> {
    let quoted = |text: &str| text[1..text.len() - 1].to_owned();
    let (kind, text) = match (token.kind, token.text) {
        (Kind::Space, _) => return None,
        (Kind::Word, word) => {
            let upper = word.to_uppercase();
            let is_keyword = ["FROM", "INSERT", "OR", "REPLACE"].contains(&upper.as_str());
            return Some(Published {
                kind: if is_keyword {
                    upper
                } else {
                    "IDENT".to_owned()
                },
                text: word.to_owned(),
            });
        }
        (Kind::Quoted | Kind::DoubleQuoted, text) => ("IDENT", quoted(text)),
        (Kind::Comment, text) => ("COMMENT", text.to_owned()),
        (Kind::String, text) => ("STRING", text.to_owned()),
        (Kind::Number, text) => ("NUMBER", text.to_owned()),
        (Kind::Punctuation, "(") => ("LPAREN", "(".to_owned()),
        (Kind::Punctuation, ")") => ("RPAREN", ")".to_owned()),
        (Kind::Punctuation, ".") => ("PERIOD", ".".to_owned()),
        (_, text) => ("OTHER", text.to_owned()),
    };
    Some(Published {
        kind: kind.to_owned(),
        text,
    })
}

#[test]
fn statements_are_split_as_published() {
    let Some(cases) = examples::<Vec<Split>>("sql_token_examples.json") else {
        return;
    };
    assert_eq!(cases.len(), 14);
    for case in cases {
        let tokens: Vec<_> = Lexer::new(&case.input, Syntax::SIGNATURE)
            .filter_map(published)
            .collect();
        assert_eq!(tokens, case.tokens, "{}", case.name);
    }
}

#[derive(Deserialize)]
struct Named {
    input: String,
    output: String,
}

#[test]
fn statements_are_named_as_published() {
    let Some(cases) = examples::<Vec<Named>>("sql_signature_examples.json") else {
        return;
    };
    assert_eq!(cases.len(), 35);
    for case in cases {
        assert_eq!(signature(&case.input), case.output, "{}", case.input);
    }
}
