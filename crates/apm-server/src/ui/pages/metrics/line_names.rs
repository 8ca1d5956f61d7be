//! Names of a metric's lines, from their labels.

use std::collections::HashSet;

use crate::analytics::metrics::lines::Line;
use crate::ui::words;

/// Characters of a line's name beside the chart.
const MOST_NAME: usize = 10;

/// Names that fit beside the chart: their beginnings, or their ends where those tell them apart better, as those of
/// containers do.
pub(super) fn short(names: Vec<String>) -> Vec<String> {
    let different = |names: &[String]| names.iter().collect::<HashSet<_>>().len();
    let first: Vec<String> = names
        .iter()
        .map(|name| words::cut(name, MOST_NAME))
        .collect();
    let last: Vec<String> = names
        .iter()
        .map(|name| match name.chars().count() {
            ..=MOST_NAME => name.clone(),
            length => {
                let rest: String = name.chars().skip(length - MOST_NAME + 1).collect();
                format!("…{rest}")
            }
        })
        .collect();
    let mut chosen = match different(&last) > different(&first) {
        true => last,
        false => first,
    };
    // Those that are still alike lose the beginning that they share.
    for place in 0..chosen.len() {
        let alike: Vec<usize> = (0..chosen.len())
            .filter(|other| chosen[*other] == chosen[place])
            .collect();
        let of_alike: Vec<&str> = alike.iter().map(|at| names[*at].as_str()).collect();
        let shared = shared_start(&of_alike);
        if shared > 0 && of_alike.iter().any(|name| *name != of_alike[0]) {
            for at in alike {
                let rest: String = names[at].chars().skip(shared).collect();
                chosen[at] = format!("…{}", words::cut(&rest, MOST_NAME - 1));
            }
        }
    }
    chosen
}

/// The number of characters with which all names begin.
fn shared_start(names: &[&str]) -> usize {
    let Some((first, others)) = names.split_first() else {
        return 0;
    };
    let same = |at: &usize| {
        let one = first.chars().nth(*at);
        one.is_some() && others.iter().all(|other| other.chars().nth(*at) == one)
    };
    (0..first.chars().count()).take_while(same).count()
}

/// The values of a line's labels.
pub(super) fn name_of(line: &Line) -> String {
    let values: Vec<&str> = line.labels.values().map(String::as_str).collect();
    match values.join(", ") {
        text if text.is_empty() => "(none)".to_owned(),
        text => text,
    }
}

/// Its labels with their values.
pub(super) fn full_name(line: &Line) -> String {
    let pairs = line
        .labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    match pairs.collect::<Vec<_>>().join(", ") {
        text if text.is_empty() => "all series".to_owned(),
        text => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_where_it_still_tells_lines_apart() {
        for (names, want) in [
            (["eden", "old"], ["eden", "old"]),
            (["a long pool", "old"], ["a long po…", "old"]),
            (
                ["shop-7f9c4d-x2kqp", "shop-7f9c4d-zz81m"],
                ["…c4d-x2kqp", "…c4d-zz81m"],
            ),
            // Neither does: the pools of code of a JVM.
            (
                ["CodeHeap 'non-nmethods'", "CodeHeap 'profiled nmethods'"],
                ["…non-nmet…", "…profiled…"],
            ),
            // The beginnings tell them apart, and the ends do not.
            (
                ["same-1-same-same", "same-2-same-same"],
                ["same-1-sa…", "same-2-sa…"],
            ),
        ] {
            let names = names.map(str::to_owned).to_vec();
            assert_eq!(short(names.clone()), want, "{names:?}");
        }
    }
}
