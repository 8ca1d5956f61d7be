//! The ways of edges: curves from box to box.

use maud::Render;

use super::{HEIGHT, WIDTH, at};
use crate::ui::plot::coordinate::Px;

/// The way of an edge: points from the caller's box to the callee's.
#[derive(Debug)]
pub(super) enum Route {
    /// From one side to the other, with its bends.
    Through(Vec<(f64, f64)>),
    /// To itself, by its upper right corner.
    Itself(f64, f64),
}

impl Route {
    /// The way between two nodes, by the layers and heights of both and of its bends.
    pub(super) fn new(
        (from, to): ((usize, f64), (usize, f64)),
        is_itself: bool,
        bends: &[(usize, f64)],
    ) -> Self {
        let ((x1, y1), (x2, y2)) = (at(from), at(to));
        if is_itself {
            return Self::Itself(x1 + WIDTH, y1);
        }
        let middle = |y: f64| y + HEIGHT / 2.0;
        let forth = from.0 < to.0;
        // A call back enters and leaves a little lower, so that it is not taken for its opposite.
        let (first, last) = match forth {
            true => ((x1 + WIDTH, middle(y1)), (x2, middle(y2))),
            false => ((x1, middle(y1) + 8.0), (x2 + WIDTH, middle(y2) + 8.0)),
        };
        let mut points = vec![first];
        for bend in bends {
            let (x, y) = at(*bend);
            let (left, right) = ((x, middle(y)), (x + WIDTH, middle(y)));
            points.extend(if forth { [left, right] } else { [right, left] });
        }
        points.push(last);
        Self::Through(points)
    }

    /// The path that SVG draws.
    pub(super) fn path(&self) -> String {
        use std::fmt::Write as _;
        let px = |value: f64| Px(value).render().into_string();
        let mut path = String::new();
        // Writing into a String cannot fail.
        let _ = match self {
            Self::Itself(x, y) => {
                let (x, y) = (*x, *y);
                write!(
                    path,
                    "M{} {}C{} {} {} {} {} {}",
                    px(x - 36.0),
                    px(y),
                    px(x - 34.0),
                    px(y - 20.0),
                    px(x - 8.0),
                    px(y - 20.0),
                    px(x - 10.0),
                    px(y)
                )
            }
            Self::Through(points) => {
                let first = points.first().copied().unwrap_or_default();
                let _ = write!(path, "M{} {}", px(first.0), px(first.1));
                points.windows(2).try_for_each(|pair| {
                    let ((x1, y1), (x2, y2)) = (pair[0], pair[1]);
                    let half = (x2 - x1) / 2.0;
                    write!(
                        path,
                        "C{} {} {} {} {} {}",
                        px(x1 + half),
                        px(y1),
                        px(x2 - half),
                        px(y2),
                        px(x2),
                        px(y2)
                    )
                })
            }
        };
        path
    }

    /// A point of the way between two layers: of the segment that ends at the callee (0), or of one before it. `t` from
    /// 0 to 1 goes from the caller's side to the callee's.
    pub(super) fn point(&self, segment: usize, t: f64) -> Option<(f64, f64)> {
        let points = match self {
            Self::Itself(x, y) => return (segment == 0).then_some((x - 23.0, y - 12.0)),
            Self::Through(points) => points,
        };
        // Between them lie boxes' widths, which bends cross.
        let end = points.len().checked_sub(1 + 2 * segment)?;
        let [(x1, y1), (x2, y2)] = [*points.get(end.checked_sub(1)?)?, points[end]];
        let (rest, half) = (1.0 - t, f64::midpoint(x1, x2));
        let (first, second) = (rest * rest * (rest + 3.0 * t), t * t * (t + 3.0 * rest));
        let curved = 3.0 * rest * t;
        Some((
            x1 * rest.powi(3) + x2 * t.powi(3) + curved * half,
            y1 * first + y2 * second,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_begins_and_ends_at_the_boxes() {
        let route = Route::Through(vec![(10.0, 20.0), (110.0, 60.0)]);
        assert_eq!(route.path(), "M10 20C60 20 60 60 110 60");
        for (t, point) in [
            (0.0, (10.0, 20.0)),
            (0.5, (60.0, 40.0)),
            (1.0, (110.0, 60.0)),
        ] {
            assert_eq!(route.point(0, t), Some(point));
        }
        assert_eq!(route.point(1, 0.5), None);
    }

    #[test]
    fn a_way_with_a_bend_has_two_stretches_between_layers() {
        let points = vec![(0.0, 0.0), (100.0, 50.0), (300.0, 50.0), (400.0, 90.0)];
        let route = Route::Through(points);
        assert_eq!(route.point(0, 0.5), Some((350.0, 70.0)));
        assert_eq!(route.point(1, 0.5), Some((50.0, 25.0)));
        assert_eq!(route.point(2, 0.5), None);
    }
}
