//! Plans of one statement: as the service's file has it now, with an index, and as agents sent it over time.

use maud::{Markup, html};

use crate::insight::plan::history::Run;
use crate::insight::plan::{self, Explained, Plan, Step, WhatIf};
use crate::ui::components::cells::{Tone, flag};
use crate::ui::components::controls::copy;
use crate::ui::components::sql;
use crate::ui::view::View;

/// The plan of today, and with an index.
pub(super) fn side_by_side(explained: &Explained, asked: Option<&WhatIf>) -> Markup {
    let other = asked.or(explained.proposal.as_ref());
    html! {
        div.cols.cols--2.pad-all {
            div { h3 { "Today" } (tree(&explained.plan)) p.soft { (explained.summary) } }
            @if let Some(other) = other {
                div {
                    h3 { (if asked.is_some() { "With your index" } else { "With an index" }) }
                    (tree(&other.after))
                    div.note-box.note-box--warn[!other.helps] {
                        div { (other.summary) }
                        @for sentence in &other.assumed { div.soft { (sentence) } }
                        div.row { code #index { (sql::highlight(&other.index)) } (copy("index", "Copy")) }
                    }
                }
            }
        }
    }
}

fn tree(plan: &Plan) -> Markup {
    html! { ul.plan { @for step in &plan.steps { (branch(step)) } } }
}

fn branch(step: &Step) -> Markup {
    let (tone, words) = match step.meaning.kind {
        plan::Kind::FullScan => (Tone::Warn, "full scan"),
        plan::Kind::TempBTree => (Tone::Warn, "sorts"),
        plan::Kind::AutomaticIndex => (Tone::Warn, "automatic index"),
        plan::Kind::CorrelatedSubquery => (Tone::Warn, "for each row"),
        plan::Kind::CoveringScan | plan::Kind::CoveringSearch => (Tone::Good, "covering index"),
        plan::Kind::Search => (Tone::Good, "index"),
        plan::Kind::IndexScan => (Tone::Neutral, "index scan"),
        _ => (Tone::Neutral, ""),
    };
    html! {
        li {
            span title=(step.meaning.words) { (sql::highlight(&step.detail)) }
            @if !words.is_empty() { (flag(tone, words)) }
        }
        @if !step.steps.is_empty() { li { ul.plan { @for step in &step.steps { (branch(step)) } } } }
    }
}

/// The plans that agents sent, newest first.
pub(super) fn sent(view: &View, runs: &[Run]) -> Markup {
    html! {
        div.pad-all {
            @for (at, run) in runs.iter().enumerate() {
                h3 {
                    (if at == 0 { "Sent last" } else { "Before" })
                    " "
                    span.soft { (stretch(view, run)) }
                }
                @if run.plan.steps.is_empty() { p.soft { "It reads no table." } } @else { (tree(&run.plan)) }
            }
        }
    }
}

/// `shop 1.4.2 on shop.db, 10:02–11:30`
fn stretch(view: &View, run: &Run) -> String {
    let time = |at: i64| view.clock.minute(at * apm_time::SECOND);
    let version = match run.version.as_str() {
        "" => run.service.clone(),
        version => format!("{} {version}", run.service),
    };
    let database = match run.instance.as_str() {
        "" => String::new(),
        instance => format!(" on {instance}"),
    };
    let when = match run.last_seen.cmp(&run.first_seen) {
        std::cmp::Ordering::Equal => time(run.first_seen).to_string(),
        _ => {
            let [first, last] = [run.first_seen, run.last_seen].map(|at| at * apm_time::SECOND);
            view.clock.minutes(first, last)
        }
    };
    format!("{version}{database}, {when}")
}
