//! Findings: what, where, since when. Red is a failure, amber a cost, grey a notice.

use maud::{Markup, html};

/// The weight of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Failure,
    Cost,
    Notice,
}

/// One finding; `when` is `since 13:31`, `8 min ago` or a count.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) mark: Mark,
    pub(crate) what: String,
    pub(crate) href: String,
    pub(crate) when: Markup,
    pub(crate) place: Markup,
}

/// A list of findings, worst first as given.
pub(crate) fn findings(list: &[Finding]) -> Markup {
    html! {
        ul.findings {
            @for finding in list {
                @let (class, word) = match finding.mark {
                    Mark::Failure => ("mark mark--bad", "failure"),
                    Mark::Cost => ("mark", "cost"),
                    Mark::Notice => ("mark mark--info", "notice"),
                };
                li {
                    span class=(class) { span.sr { (word) } }
                    a.plain href=(finding.href) { (finding.what) }
                    span.when { (finding.when) }
                    p { (finding.place) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::components::tag_lines;

    #[test]
    fn a_finding_says_what_and_where() {
        let finding = Finding {
            mark: Mark::Failure,
            what: "“<b>” 27 times".into(),
            href: "/x".into(),
            when: html! { "8 min ago" },
            place: html! { "GET /" },
        };
        insta::assert_snapshot!(tag_lines(findings(&[finding])), @r#"
        <ul class="findings">
        <li>
        <span class="mark mark--bad">
        <span class="sr">failure</span>
        </span>
        <a class="plain" href="/x">“&lt;b&gt;” 27 times</a>
        <span class="when">8 min ago</span>
        <p>GET /</p>
        </li>
        </ul>
        "#);
    }
}
