//! The quantiles of a summary over time.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::lines::Sums;
use crate::sort_rows::SortRows as _;

/// The label of a quantile's series.
const LABEL: &str = "quantile";

/// A quantile; a value for each of the axis's buckets, nothing where none fell into it.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "MetricQuantile")]
pub struct Quantile {
    /// The share of the values that do not exceed it, 0 to 1.
    pub quantile: f64,
    /// The mean of what processes and series sent for it.
    pub values: Vec<Option<f64>>,
}

/// The quantiles of series, the greatest share first. Quantiles cannot be added up: of several series it is their mean.
pub(super) fn quantiles<'a>(
    series: impl Iterator<Item = (&'a BTreeMap<String, String>, &'a Sums)>,
    buckets: usize,
) -> Vec<Quantile> {
    let mut by_share: Vec<(f64, Vec<&Sums>)> = Vec::new();
    for (labels, sums) in series {
        let share = labels
            .get(LABEL)
            .and_then(|share| share.parse::<f64>().ok());
        let Some(share) = share.filter(|share| share.is_finite()) else {
            continue;
        };
        match by_share
            .iter_mut()
            .find(|(known, _)| known.total_cmp(&share).is_eq())
        {
            Some((_, found)) => found.push(sums),
            None => by_share.push((share, vec![sums])),
        }
    }
    by_share.sort_rows_by(|a, b| b.0.total_cmp(&a.0));
    let of = |(quantile, sums): (f64, Vec<&Sums>)| {
        let at = |place: usize| {
            let means: Vec<f64> = sums.iter().filter_map(|sums| sums.mean(place)).collect();
            (!means.is_empty()).then(|| means.iter().sum::<f64>() / means.len() as f64)
        };
        Quantile {
            quantile,
            values: (0..buckets).map(at).collect(),
        }
    };
    by_share.into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_of_several_series_is_their_mean_and_the_greatest_share_comes_first() {
        let one = |share: &str, value: f64| {
            let mut sums = Sums::new(2);
            sums.add(1, 2.0, 2.0 * value, (None, None));
            (BTreeMap::from([(LABEL.to_owned(), share.to_owned())]), sums)
        };
        let mut series = vec![one("0.5", 10.0), one("0.99", 100.0), one("0.5", 30.0)];
        series.push(one("most", 7.0));
        let found = quantiles(series.iter().map(|(labels, sums)| (labels, sums)), 2);
        let shares: Vec<f64> = found.iter().map(|found| found.quantile).collect();
        assert_eq!(shares, [0.99, 0.5]);
        assert_eq!(found[1].values, [None, Some(20.0)]);
    }
}
