//! The choice of services and of environments: one with a click, several or all but some with a form that works without
//! a script. The choice stands in the address, and links to other pages keep it.

use maud::{Markup, html};

use super::icon;
use crate::analytics::chosen::Choice;
use crate::ui::href::Href;
use crate::ui::number::grouped;
use crate::ui::view::View;
use crate::ui::words;

/// Names that a menu lists; others can be typed.
const LISTED: usize = 100;
/// Names in a list that is easier to search than to read.
const MANY: usize = 8;
/// Characters of a name on the button.
const SHOWN: usize = 40;

/// The things that are chosen: services or environments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// Its parameter; `not_` and the same for those left out.
    parameter: &'static str,
    without: &'static str,
    /// Of one, and of several.
    one: &'static str,
    many: &'static str,
    /// For the list.
    label: &'static str,
    /// Words for the search in the list.
    find: &'static str,
    /// The other choice, which is kept.
    other: [&'static str; 2],
}

pub(crate) const SERVICES: Kind = Kind {
    parameter: "service",
    without: "not_service",
    one: "service",
    many: "services",
    label: "Services",
    find: "Find a service",
    other: ["env", "not_env"],
};

pub(crate) const ENVIRONMENTS: Kind = Kind {
    parameter: "env",
    without: "not_env",
    one: "environment",
    many: "environments",
    label: "Environments",
    find: "Find an environment",
    other: ["service", "not_service"],
};

/// Words for a choice: `shop`, `3 services`, `all but shop`.
pub(crate) fn words(kind: Kind, choice: &Choice) -> String {
    let several = |names: &[String]| match names {
        [one] => words::cut(one, SHOWN),
        names => words::count(names.len() as u64, kind.one, kind.many),
    };
    match choice {
        Choice::All => format!("all {}", kind.many),
        Choice::Only(names) if names.is_empty() => format!("no {}", kind.one),
        Choice::Only(names) => several(names),
        Choice::Without(names) => format!("all but {}", several(names)),
    }
}

/// Characters of a name in a sentence.
const NAME: usize = 60;

/// Words for the services that a page is narrowed to; nothing where it shows all.
pub(crate) fn narrowed(view: &View) -> Option<String> {
    match view.of() {
        Some(of) => Some(words::cut(of, NAME)),
        None if view.services.is_all() => None,
        None => Some(words(SERVICES, &view.services)),
    }
}

/// The names of a list: those that play a part in the choice first.
fn listed<'a>(names: &'a [String], choice: &'a Choice) -> Vec<&'a str> {
    let chosen: &[String] = match choice {
        Choice::All => &[],
        Choice::Only(names) | Choice::Without(names) => names,
    };
    let others = names.iter().filter(|name| !chosen.contains(name));
    let all = chosen.iter().chain(others.take(LISTED));
    all.map(String::as_str).collect()
}

/// The menu. `names`: all that there are; `all` and `only` lead to the page with all of them, and with one.
pub(crate) fn menu(
    view: &View,
    kind: Kind,
    names: &[String],
    choice: &Choice,
    button: Markup,
    (all, only): (Href, impl Fn(&str) -> Href),
) -> Markup {
    let (action, kept) = view.choosing(kind.parameter);
    // The form of services keeps the choice of environments, and the other way round.
    let kept = kept.into_iter().chain(
        view.params_but(&[])
            .filter(|(key, _)| kind.other.contains(key)),
    );
    let (chosen, without): (&[String], &[String]) = match choice {
        Choice::All => (&[], &[]),
        Choice::Only(names) => (names, &[]),
        Choice::Without(names) => (&[], names),
    };
    let listed = listed(names, choice);
    html! {
        details.menu {
            summary.btn { (button) (icon::caret()) }
            form.menu-list.choose method="get" action=(action) aria-label=(kind.label) {
                @for (key, value) in kept { input type="hidden" name=(key) value=(value); }
                @if names.len() > MANY {
                    input.input.input--text type="search" aria-label=(kind.find) placeholder=(kind.find)
                        autocomplete="off" data-narrow hidden;
                }
                a href=(all) aria-current=[choice.is_all().then_some("true")] { "All " (kind.many) }
                ul {
                    @for name in &listed {
                        @let is_chosen = chosen.iter().any(|known| known == name);
                        @let is_out = without.iter().any(|known| known == name);
                        li data-field=(name) {
                            input type="checkbox" name=(kind.parameter) value=(name) checked[is_chosen]
                                aria-label=(name);
                            a href=(only(name)) aria-current=[(is_chosen && chosen.len() == 1).then_some("true")] {
                                (name)
                            }
                            label {
                                input type="checkbox" name=(kind.without) value=(name) checked[is_out]
                                    aria-label={ "not " (name) };
                                " not"
                            }
                        }
                    }
                }
                @if names.len() > LISTED {
                    label.another {
                        @let all = grouped(names.len() as u64);
                        span.soft { (LISTED) " of " (all) " are listed. Another " (kind.one) ":" }
                        input.input.input--text name=(kind.parameter) autocomplete="off" spellcheck="false";
                    }
                }
                button.btn.btn--primary.btn--small type="submit" { "Apply" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_button_says_what_is_chosen() {
        let names = |n: usize| (0..n).map(|i| format!("s{i}")).collect::<Vec<_>>();
        for (choice, want) in [
            (Choice::All, "all services"),
            (Choice::Only(names(1)), "s0"),
            (Choice::Only(names(3)), "3 services"),
            (Choice::Without(names(1)), "all but s0"),
            (Choice::Without(names(2)), "all but 2 services"),
            (Choice::Only(Vec::new()), "no service"),
        ] {
            assert_eq!(words(SERVICES, &choice), want);
        }
    }

    #[test]
    fn chosen_names_are_listed_however_many_there_are() {
        let names: Vec<String> = (0..300).map(|i| format!("s{i}")).collect();
        let choice = Choice::Without(vec!["s299".to_owned()]);
        let listed = listed(&names, &choice);
        assert_eq!((listed.len(), listed[0]), (101, "s299"));
    }

    #[test]
    fn the_form_keeps_what_is_not_its_own() {
        let view = View::test(
            "/errors",
            "from=now-1h&service=a&service=b&env=dev&page=2&sort=-count",
        );
        let names = ["a", "b", "c"].map(str::to_owned);
        let all = (view.with_service(None), |name: &str| {
            view.with_service(Some(name))
        });
        let text = menu(&view, SERVICES, &names, &view.services, html! {}, all).into_string();
        let hidden: Vec<&str> = text
            .split("type=\"hidden\" name=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert_eq!(hidden, ["from", "sort", "env"]);
        assert_eq!(text.matches(" checked").count(), 2, "{text}");
        assert!(
            text.contains("href=\"/errors?from=now-1h&amp;env=dev&amp;sort=-count&amp;service=c\""),
            "{text}"
        );
    }
}
