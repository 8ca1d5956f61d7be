//! Medians, their spread, and how far a ratio of them can be trusted.

/// Resamplings behind an interval.
const RESAMPLINGS: usize = 10_000;

/// The median and the quartiles of some measurements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) quartiles: (f64, f64),
}

impl Spread {
    pub(crate) fn from_values(values: &[f64]) -> Self {
        let sorted = sorted(values.to_vec());
        Self {
            median: quantile(&sorted, 0.5),
            quartiles: (quantile(&sorted, 0.25), quantile(&sorted, 0.75)),
        }
    }
}

/// The 95 % interval of a statistic of medians, by bootstrap: the processes of each variant are drawn again, with
/// replacement.
///
/// Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13, percentile interval.
pub(crate) fn interval<const N: usize>(
    variants: [&[f64]; N],
    statistic: impl Fn([f64; N]) -> f64,
) -> (f64, f64) {
    let resampled = |values: &[f64]| {
        let drawn = (0..values.len()).map(|_| values[fastrand::usize(..values.len())]);
        quantile(&sorted(drawn.collect()), 0.5)
    };
    let drawn = (0..RESAMPLINGS).map(|_| statistic(variants.map(resampled)));
    let drawn = sorted(drawn.collect());
    (quantile(&drawn, 0.025), quantile(&drawn, 0.975))
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// A quantile of sorted values, linear between neighbours.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = q * last as f64;
    let (low, high) = (
        sorted[place.floor() as usize],
        sorted[place.ceil() as usize],
    );
    low + (high - low) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_lies_between_its_quartiles_and_an_interval_around_it() {
        let values = [5.0, 1.0, 3.0, 2.0, 4.0];
        let spread = Spread::from_values(&values);
        assert_eq!((spread.median, spread.quartiles), (3.0, (2.0, 4.0)));
        let (low, high) = interval([&values], |[median]| median);
        assert!(low < 3.0 && 3.0 < high && low >= 1.0 && high <= 5.0);
    }
}
