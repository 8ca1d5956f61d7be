//! Evaluation of a query over one ECS document.

use serde_json::Value as Json;

use super::address;
use super::expr::{Bound, Expr, Field, Order, Value, is_full_text};
use super::leaves::{any_leaf, exists, for_each_leaf, text_of};

/// Whether a document satisfies a query.
///
/// A condition on a field with several values holds if it holds for one of them; `not` is the
/// exact opposite, so it holds for documents that lack the field.
#[must_use]
pub fn matches(expr: &Expr, document: &Json) -> bool {
    match expr {
        Expr::All => true,
        Expr::And(items) => items.iter().all(|item| matches(item, document)),
        Expr::Or(items) => items.iter().any(|item| matches(item, document)),
        Expr::Not(inner) => !matches(inner, document),
        Expr::Exists(field) if field.pattern.is_none() => exists(document, &field.name),
        Expr::Exists(field) => any(document, field, &mut |_, _| true),
        Expr::Is(field, value) => any(document, field, &mut |name, leaf| is(name, leaf, value)),
        Expr::Range(field, order, bound) => any(document, field, &mut |_, leaf| {
            in_range(leaf, *order, bound)
        }),
        Expr::Text(value) => {
            let mut found = false;
            for_each_leaf(document, &mut |_, leaf| {
                found |= contains(&text_of(leaf), value)
            });
            found
        }
    }
}

fn any(document: &Json, field: &Field, test: &mut dyn FnMut(&str, &Json) -> bool) -> bool {
    let Some(pattern) = &field.pattern else {
        return any_leaf(document, &field.name, &mut |leaf| test(&field.name, leaf));
    };
    let mut found = false;
    for_each_leaf(document, &mut |name, leaf| {
        found = found || pattern.matches(name) && test(name, leaf);
    });
    found
}

fn is(name: &str, leaf: &Json, value: &Value) -> bool {
    match (leaf, value) {
        (Json::String(text), value) if is_full_text(name) => contains(text, value),
        (Json::String(text), Value::Exact(wanted)) if address::is_field(name) => {
            address::is(text, wanted).unwrap_or(text == wanted)
        }
        (Json::String(text), Value::Exact(wanted)) => text == wanted,
        // Numbers are compared as such: `200.0` is `200`.
        (Json::Number(number), Value::Exact(wanted)) => wanted
            .parse()
            .is_ok_and(|wanted: f64| number.as_f64() == Some(wanted)),
        (Json::Bool(bool), Value::Exact(wanted)) => {
            wanted.eq_ignore_ascii_case(if *bool { "true" } else { "false" })
        }
        (leaf, Value::Wildcard(pattern)) => pattern.matches(&text_of(leaf)),
        _ => false,
    }
}

fn contains(text: &str, value: &Value) -> bool {
    let lower = text.to_lowercase();
    match value {
        Value::Exact(wanted) => lower.contains(&wanted.to_lowercase()),
        Value::Wildcard(pattern) => pattern.is_within(&lower),
    }
}

fn in_range(leaf: &Json, order: Order, bound: &Bound) -> bool {
    let ordering = match (leaf, bound) {
        (Json::Number(number), Bound::Number(bound)) => {
            number.as_f64().and_then(|number| number.partial_cmp(bound))
        }
        // `client.port` and the like may be text; a number in text compares as a number.
        (Json::String(text), Bound::Number(bound)) => text
            .parse::<f64>()
            .ok()
            .and_then(|number| number.partial_cmp(bound)),
        (Json::String(text), Bound::Time(bound)) => text
            .parse::<jiff::Timestamp>()
            .ok()
            .map(|time| time.as_microsecond().cmp(bound)),
        (Json::String(text), Bound::Address(bound)) => text
            .parse()
            .ok()
            .map(|address| address::number(address).cmp(&address::number(*bound))),
        (Json::String(text), Bound::Text(bound)) => Some(text.as_str().cmp(bound)),
        _ => None,
    };
    ordering.is_some_and(|ordering| order.holds(ordering))
}
