use super::*;

/// The values of a field with their numbers, and whether there are more.
type Field<'a> = (&'a [(&'a str, u64, u64)], bool);

fn counted(all: u64, fields: &[Field<'_>]) -> FoundValues {
    let mut counted = FoundValues::default();
    counted.all = all;
    for (values, has_more) in fields {
        let mut field = apm_output::FoundField::default();
        let values = values.iter();
        field.values = values
            .map(|(value, count, inside)| ((*value).to_owned(), *count, *inside))
            .collect();
        field.has_more = *has_more;
        counted.fields.push(field);
    }
    counted
}

#[test]
fn values_that_all_requests_have_and_fields_with_too_many_values_are_left_out() {
    let mut found = count::Found {
        selected: 6,
        ..count::Found::default()
    };
    let long = "x".repeat(LONGEST + 1);
    let of_host = [("b", 4, 1), ("a", 6, 5), (long.as_str(), 2, 2)];
    let fields = ["host.name", "agent.name", "url.full"].map(str::to_owned);
    let counted = counted(
        10,
        &[(&of_host, false), (&[("java", 10, 6)], false), (&[], true)],
    );
    add(&mut found, 10, &fields, counted);
    let values: Vec<_> = found
        .values
        .iter()
        .map(|of| (&*of.field, &*of.value, of.inside, of.outside))
        .collect();
    assert_eq!(values, [("host.name", "a", 5, 1), ("host.name", "b", 1, 3)]);
    assert_eq!(
        (found.fields, &*found.varied),
        (2, &["url.full".to_owned()][..])
    );
}

#[test]
fn requests_that_arrive_between_two_answers_are_in_no_value_more_often_than_in_the_set() {
    let mut found = count::Found {
        selected: 6,
        ..count::Found::default()
    };
    // The first answer knew ten requests, six of them in the set.
    let later = counted(13, &[(&[("a", 12, 8)], false)]);
    add(&mut found, 10, &["host.name".to_owned()], later);
    let values: Vec<_> = found
        .values
        .iter()
        .map(|of| (of.inside, of.outside))
        .collect();
    assert_eq!(values, [(6, 4)]);
}

#[test]
fn the_engine_is_asked_for_the_requests_that_have_a_value() {
    let of = |field: &str, value: &str| Of {
        field: field.to_owned(),
        value: value.to_owned(),
        same: Vec::new(),
        inside: 3,
        outside: 0,
    };
    let wanted =
        |field: &str, value: &str| json!({"match": {field: {"query": value, "lenient": true}}});
    for (field, value) in [
        ("labels.a", "x: \"y\" and z"),
        ("http.response.status_code", "500"),
        ("url.path", "/a*b"),
    ] {
        assert_eq!(has(&of(field, value)), wanted(field, value), "{field}");
    }
}
