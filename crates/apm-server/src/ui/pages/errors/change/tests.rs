use super::*;

fn fields(list: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    list.iter().map(own).collect()
}

#[test]
fn a_form_says_what_is_changed() {
    for (action, form, want) in [
        (
            "resolve",
            &[][..],
            Some(Change::Resolve {
                in_next_version: false,
            }),
        ),
        (
            "resolve",
            &[("in", "version")],
            Some(Change::Resolve {
                in_next_version: true,
            }),
        ),
        (
            "ignore",
            &[("until", "100")],
            Some(ignore(None, Some(100), false)),
        ),
        (
            "ignore",
            &[("until", "day")],
            Some(ignore(Some(86_400), None, false)),
        ),
        (
            "assign",
            &[("to", " Ann ")],
            Some(Change::Assign {
                to: "Ann".to_owned(),
            }),
        ),
        ("undo", &[("id", "7")], Some(Change::Undo { id: 7 })),
        ("explode", &[], None),
    ] {
        assert_eq!(read_change(action, &fields(form)), Ok(want), "{action}");
    }
    for (action, form) in [
        ("ignore", &[("until", "x")][..]),
        ("assign", &[]),
        ("undo", &[("id", "x")]),
    ] {
        assert!(read_change(action, &fields(form)).is_err(), "{action}");
    }
}
