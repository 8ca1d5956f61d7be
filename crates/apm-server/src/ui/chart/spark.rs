//! Sparklines: the trend of one number, 72 × 22 px, from zero.

use maud::{Markup, html};

use crate::ui::plot::coordinate::{Px, points};

const LEFT: f64 = 1.0;
const WIDTH: f64 = 68.0;
const BASE: f64 = 20.0;
const RISE: f64 = 17.0;

/// A sparkline of `values`; missing ones break nothing but are left out. `bad` only where the delta beside it is red.
pub(crate) fn spark(values: &[Option<f64>], label: &str, bad: bool) -> Markup {
    let max = values
        .iter()
        .flatten()
        .copied()
        .filter(|value| value.is_finite())
        .fold(0.0, f64::max);
    let last = values.len().saturating_sub(1).max(1) as f64;
    let place = |(i, value): (usize, &Option<f64>)| {
        value.map(|value| {
            (
                LEFT + i as f64 * WIDTH / last,
                BASE - if max > 0.0 { value / max * RISE } else { 0.0 },
            )
        })
    };
    let line: Vec<(f64, f64)> = values.iter().enumerate().filter_map(place).collect();
    let (Some(first), Some(end)) = (line.first().copied(), line.last().copied()) else {
        return html! {
            svg.spark viewBox="0 0 72 22" aria-hidden="true" { line.flat x1="1" x2="70" y1="19.5" y2="19.5" {} }
        };
    };
    html! {
        svg class=(if bad { "spark spark--bad" } else { "spark" }) viewBox="0 0 72 22" role="img" aria-label=(label) {
            path.area d={
                "M" (Px(first.0)) " " (Px(BASE))
                " L" (points(line.iter().copied()).replace(' ', " L"))
                " L" (Px(end.0)) " " (Px(BASE)) "z"
            } {}
            polyline.line points=(points(line)) {}
            circle.dot cx=(Px(end.0)) cy=(Px(end.1)) r="2" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::spark;

    #[test]
    fn a_sparkline_starts_at_zero_and_ends_in_a_dot() {
        let line = spark(
            &[Some(0.0), None, Some(5.0), Some(10.0)],
            "average latency",
            true,
        );
        insta::assert_snapshot!(line.into_string().replace("><", ">\n<"), @r#"
        <svg class="spark spark--bad" viewBox="0 0 72 22" role="img" aria-label="average latency">
        <path class="area" d="M1 20 L1,20 L46.3,11.5 L69,3 L69 20z">
        </path>
        <polyline class="line" points="1,20 46.3,11.5 69,3">
        </polyline>
        <circle class="dot" cx="69" cy="3" r="2">
        </circle>
        </svg>
        "#);
    }

    #[test]
    fn without_values_it_is_a_dashed_line() {
        let line = spark(&[None, None], "x", false);
        insta::assert_snapshot!(line.into_string().replace("><", ">\n<"), @r#"
        <svg class="spark" viewBox="0 0 72 22" aria-hidden="true">
        <line class="flat" x1="1" x2="70" y1="19.5" y2="19.5">
        </line>
        </svg>
        "#);
    }
}
