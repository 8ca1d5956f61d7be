//! From the options of a command to a question to the API.

use anyhow::ensure;
use apm_server::remote::Remote;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::list::List;
use crate::cli::{ListFormat, ShowOptions};
use crate::remote;

/// Asks for the rows of a list: JSON where that is printed, else CSV with texts as they were sent.
pub(super) async fn rows(
    server: &Remote,
    list: &List,
    options: &ShowOptions,
    format: ListFormat,
) -> anyhow::Result<String> {
    let mut path = format!("/api/v1/{}", list.path);
    let mut query = Vec::new();
    let in_path = path.contains("{service}");
    if in_path {
        ensure!(
            options.service.is_some(),
            "this list is of one service: name it with --service"
        );
        let name = options.service.as_deref().unwrap_or_default();
        path = path.replace(
            "{service}",
            &utf8_percent_encode(name, NON_ALPHANUMERIC).to_string(),
        );
    } else if list.takes_service
        && let Some(name) = &options.service
    {
        query.push(("service", name.clone()));
    }
    let rest = match list.takes_service {
        true => options.query.clone(),
        false => matching(&[], options),
    };
    query.extend(rest.map(|kql| ("q", kql)));
    query.extend(options.environment.clone().map(|name| ("env", name)));
    if list.takes_time {
        query.push(("from", from(&options.since)));
        query.push(("size", options.limit.to_string()));
    }
    if format != ListFormat::Json {
        query.push(("format", "raw-csv".to_owned()));
    }
    let answer = String::from_utf8(remote::get(server, &path, &query).await?)?;
    // A question without a time has no size either.
    match list.takes_time || format == ListFormat::Json {
        true => Ok(answer),
        false => first_rows(&answer, options.limit),
    }
}

/// The head of a CSV text and its first rows.
fn first_rows(text: &str, most: u16) -> anyhow::Result<String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(reader.headers()?)?;
    for row in reader.records().take(usize::from(most)) {
        writer.write_record(&row?)?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// The parts of a query and the conditions of the options, all of which must hold.
pub(super) fn matching(parts: &[&str], options: &ShowOptions) -> Option<String> {
    let mut all: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
    if let Some(name) = &options.service {
        all.push(format!("service.name: {}", kql::quoted(name)));
    }
    if let Some(kql) = &options.query {
        all.push(match all.is_empty() {
            // As it is, so that a refusal counts its characters as the user does.
            true => kql.clone(),
            // Without brackets an `or` of the user's would reach beyond its own condition.
            false => format!("({kql})"),
        });
    }
    (!all.is_empty()).then(|| all.join(" and "))
}

/// The start of the range. A bare age counts back from now; all else is left to the server, which refuses what it does
/// not know.
pub(super) fn from(since: &str) -> String {
    match humantime::parse_duration(since) {
        Ok(age) => format!("now-{}s", age.as_secs()),
        Err(_) => since.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command, ShowCommand};

    fn options(line: &[&str]) -> ShowOptions {
        let line = ["pocket-apm", "traces"].iter().chain(line);
        match Cli::try_parse_from(line).unwrap().command {
            Some(Command::Show(ShowCommand::Traces(options))) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn all_conditions_hold_whatever_they_contain() {
        let some = options(&["--service", r#"a" or "b\"#, "-q", "x: 1 or y: 2"]);
        assert_eq!(
            matching(&["processor.event: log"], &some).as_deref(),
            Some(r#"processor.event: log and service.name: "a\" or \"b\\" and (x: 1 or y: 2)"#)
        );
        assert_eq!(
            matching(&[], &options(&["-q", "x: 1"])).as_deref(),
            Some("x: 1")
        );
        assert_eq!(matching(&[], &options(&[])), None);
    }

    #[test]
    fn a_list_without_a_size_is_cut_to_the_rows_that_are_asked_for() {
        let all = "title,saving\r\n\"a, b\",1\r\nc,2\r\nd,3\r\n";
        assert_eq!(
            first_rows(all, 2).unwrap(),
            "title,saving\r\n\"a, b\",1\r\nc,2\r\n"
        );
        assert_eq!(first_rows(all, 9).unwrap(), all);
    }

    #[test]
    fn an_age_counts_back_from_now_and_a_time_is_passed_on() {
        for (since, sent) in [
            ("15m", "now-900s"),
            ("2d", "now-172800s"),
            ("now/d", "now/d"),
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        ] {
            assert_eq!(from(since), sent);
        }
    }
}
