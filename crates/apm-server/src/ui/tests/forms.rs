//! Every answer as a page, as JSON and as a file, from the same data.

use actix_web::http::StatusCode;
use apm_time::{self as time, SECOND};
use serde_json::Value as Json;

use super::{Demo, demo, get};
use crate::ui::number::{self, NARROW};
use crate::ui::pages::whole;

/// An address with things that are in the demo.
fn filled(path: &str, fingerprint: &str) -> String {
    let error = format!(
        "{:016x}",
        xxhash_rust::xxh3::xxh3_64(b"attempt to add 1 to what is not a number")
    );
    let filled = path
        .replace("{service}", "my-app-01")
        .replace("{key}", &error)
        .replace("{fingerprint}", fingerprint)
        .replace("{trace}", &Demo::trace_id(2))
        .replace("{other}", &Demo::trace_id(3));
    match path {
        "/services/{service}/transactions/view" => {
            format!("{filled}?type=request&name=GET%20%2Fsql-group&")
        }
        "/sql" => {
            let sql = "SELECT name, count(*) AS n FROM v_transactions GROUP BY name ORDER BY 1";
            format!("{filled}?sql={}&", sql.replace(' ', "+"))
        }
        _ => format!("{filled}?"),
    }
}

/// The words of some markup, spaces plain; drawings and arrows left out.
fn words(markup: &str) -> String {
    let mut out = String::new();
    let mut rest = markup;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let (tag, after) = after.split_once('>').unwrap_or((after, ""));
        rest = match tag.starts_with("svg") {
            true => after.split_once("</svg>").map_or("", |(_, rest)| rest),
            false => after,
        };
    }
    out.push_str(rest);
    let plain = out
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
        .replace(NARROW, " ");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The figures of each row of a page's table: those of cells with numbers, but for changes, which no other form has.
fn shown(page: &str, name: &str) -> Vec<Vec<String>> {
    let start = format!("data-table=\"{name}\"");
    let table = page.split(&start).nth(1).expect("a table");
    let body = table.split("<tbody>").nth(1).expect("rows");
    let body = body.split("</tbody>").next().expect("an end");
    let rows = body.split("<tr").skip(1);
    rows.map(|row| {
        let cells = row.split("<td class=\"num").skip(1);
        // Times ago are left out too: they are written against the present.
        let cells =
            cells.filter(|cell| !cell.contains("class=\"delta") && !cell.starts_with(" soft"));
        cells
            .map(|cell| cell.split_once('>').map_or("", |(_, rest)| rest))
            .map(|cell| words(cell.split("</td>").next().unwrap_or("")))
            .flat_map(|cell| cell.split(" · ").map(str::to_owned).collect::<Vec<_>>())
            .filter(|figure| !["–", ""].contains(&figure.as_str()))
            .collect()
    })
    .collect()
}

/// The texts that a page may write for a number of a file.
fn written(head: &str, value: f64) -> Vec<String> {
    let texts = if head.ends_with("_us") {
        vec![number::duration(value).to_string()]
    } else if head.ends_with("_rate") || head.ends_with("share") || head == "impact" {
        vec![number::percent(value).to_string()]
    } else if head.ends_with("_bytes") {
        vec![number::bytes(whole(value)).to_string()]
    } else if head.ends_with("_per_minute") || head.ends_with("_per_request") {
        vec![
            number::rate(value),
            format!("{value:.1}"),
            format!("{value:.0}"),
        ]
    } else {
        vec![
            number::compact(whole(value)),
            number::grouped(whole(value)),
            value.to_string(),
        ]
    };
    texts
        .into_iter()
        .map(|text| text.replace(NARROW, " "))
        .collect()
}

/// All numbers of a JSON value but those of its sparklines; texts of digits, such as ids, too.
fn numbers(value: &Json, out: &mut Vec<f64>) {
    match value {
        Json::Number(number) => out.extend(number.as_f64()),
        Json::String(text) => out.extend(text.parse::<f64>().ok()),
        Json::Array(list) => list.iter().for_each(|value| numbers(value, out)),
        Json::Object(members) => {
            let members = members.iter().filter(|(name, _)| *name != "series");
            members.for_each(|(_, value)| numbers(value, out));
        }
        _ => {}
    }
}

/// The array of this name, wherever it is.
fn array<'a>(value: &'a Json, name: &str) -> Option<&'a Vec<Json>> {
    let members = value.as_object()?;
    let own = members.get(name).and_then(Json::as_array);
    own.or_else(|| members.values().find_map(|value| array(value, name)))
}

#[actix_web::test]
async fn every_answer_is_the_same_in_its_three_forms() {
    let demo = demo();
    let now = time::now();
    let range = format!(
        "from={}&to={}",
        time::rfc3339(now - 1_800 * SECOND),
        time::rfc3339(now - 60 * SECOND)
    );
    let (_, _, queries) = get(&demo.store, &format!("/api/v1/queries?{range}")).await;
    let queries: Json = serde_json::from_str(&queries).expect("JSON");
    let fingerprint = queries["statements"][0]["fingerprint"]
        .as_str()
        .expect("a statement");
    let pages: Vec<&str> = crate::ui::routes()
        .iter()
        .map(|route| route.rules.path)
        .collect();
    let mut compared = 0;
    for (method, path) in crate::api::addresses() {
        let page = path.trim_start_matches("/api/v1");
        if method != "get" || !pages.contains(&page) {
            continue;
        }
        let address = format!("{}{range}", filled(page, fingerprint));
        let (status, _, html) = get(&demo.store, &address).await;
        if status == StatusCode::METHOD_NOT_ALLOWED {
            // The address of a form.
            continue;
        }
        assert_eq!(status, StatusCode::OK, "{address}");
        let (status, _, json) = get(&demo.store, &format!("/api/v1{address}")).await;
        assert_eq!(status, StatusCode::OK, "{address}: {json}");
        let json: Json = serde_json::from_str(&json).expect("JSON");
        let names = html.split("data-table=\"").skip(1);
        for name in names.filter_map(|rest| rest.split('"').next()) {
            let (_, _, file) = get(&demo.store, &format!("{address}&csv={name}")).await;
            let data = format!("/api/v1{address}&format=csv&table={name}");
            let (_, _, same) = get(&demo.store, &data).await;
            assert_eq!(file, same, "{address} {name}");
            compared += compare(&format!("{address} {name}"), &file, (&html, &json), name);
        }
    }
    assert!(compared > 10, "{compared}");
}

/// Compares the numbers of a table, and says how many rows it has.
fn compare(about: &str, file: &str, (html, json): (&str, &Json), name: &str) -> usize {
    let mut reader = ::csv::Reader::from_reader(file.as_bytes());
    let heads = reader.headers().expect("heads").clone();
    let lines: Vec<::csv::StringRecord> =
        reader.records().map(|line| line.expect("a line")).collect();
    let shown = shown(html, name);
    let mut everywhere = Vec::new();
    numbers(json, &mut everywhere);
    let answered = array(json, name).unwrap_or_else(|| panic!("{about}: not in JSON"));
    assert_eq!(lines.len(), answered.len(), "{about}: rows in JSON");
    assert!(shown.len() <= lines.len(), "{about}: rows of the page");
    for (place, line) in lines.iter().enumerate() {
        let values = heads.iter().zip(line.iter());
        let values: Vec<(&str, f64)> = values
            .filter_map(|(head, cell)| Some((head, cell.parse().ok()?)))
            .collect();
        let mut known = Vec::new();
        numbers(&answered[place], &mut known);
        for (head, value) in &values {
            let is = |known: &f64| (known - value).abs() <= 1e-9 * value.abs();
            // The statements of a row's requests stand in a list of their own.
            let is_beside = head.contains("per_request") || *head == "sql_share";
            let is_known = known.iter().any(is) || (is_beside && everywhere.iter().any(is));
            assert!(
                is_known,
                "{about} {place}: {head}={value} is not in the answer"
            );
        }
        let Some(figures) = shown.get(place) else {
            continue;
        };
        for figure in figures {
            let is_known = values
                .iter()
                .any(|(head, value)| written(head, *value).contains(figure));
            assert!(is_known, "{about} {place}: {figure} is not in {values:?}");
        }
    }
    lines.len()
}
