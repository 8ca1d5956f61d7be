//! Coordinates as they are written into SVG attributes: short, and never `NaN`.

use maud::Render;

/// Width of the stretched plot's `viewBox`.
pub(crate) const PLOT: f64 = 1000.0;

/// A length in user units with one decimal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Px(pub(crate) f64);

/// A share of 0 … 1 as a percentage coordinate with two decimals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pc(pub(crate) f64);

fn write_trimmed(buffer: &mut String, value: f64, decimals: usize) {
    use std::fmt::Write as _;
    let value = if value.is_finite() { value } else { 0.0 };
    let start = buffer.len();
    // Writing into a String cannot fail.
    let _ = write!(buffer, "{value:.decimals$}");
    if buffer[start..].contains('.') {
        let trimmed = buffer.trim_end_matches('0').trim_end_matches('.').len();
        buffer.truncate(trimmed.max(start + 1));
    }
    // Rounded from a little below zero.
    if &buffer[start..] == "-0" {
        buffer.truncate(start);
        buffer.push('0');
    }
}

impl Render for Px {
    fn render_to(&self, buffer: &mut String) {
        write_trimmed(buffer, self.0, 1);
    }
}

impl Render for Pc {
    fn render_to(&self, buffer: &mut String) {
        write_trimmed(buffer, self.0 * 100.0, 2);
        buffer.push('%');
    }
}

/// `x,y x,y …` for a polyline.
pub(crate) fn points(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let mut out = String::new();
    for (x, y) in points {
        if !out.is_empty() {
            out.push(' ');
        }
        Px(x).render_to(&mut out);
        out.push(',');
        Px(y).render_to(&mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short_and_finite() {
        for (value, want) in [
            (12.0, "12"),
            (12.34, "12.3"),
            (0.0, "0"),
            (-0.01, "0"),
            (f64::NAN, "0"),
            (100.0, "100"),
        ] {
            assert_eq!(Px(value).render().into_string(), want);
        }
        for (share, want) in [
            (0.0, "0%"),
            (0.25514, "25.51%"),
            (1.0, "100%"),
            (f64::INFINITY, "0%"),
        ] {
            assert_eq!(Pc(share).render().into_string(), want);
        }
        assert_eq!(points([(0.0, 1.0), (2.55, 3.0)]), "0,1 2.5,3");
    }
}
