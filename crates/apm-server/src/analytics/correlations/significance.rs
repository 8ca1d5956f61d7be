//! Fisher's exact test: the chance that a set has at least so many of the requests with a value.

/// Tests within one number of requests, of which some are in the set.
#[derive(Debug)]
pub(super) struct Tests {
    all: u64,
    set: u64,
    /// Logarithms of the factorials of 0 to `all`, or to [`COUNTED`].
    factorials: Vec<f64>,
}

/// Factorials that are summed up one by one. Beyond, Stirling's series is as exact as a float.
const COUNTED: u64 = 100_000;

impl Tests {
    pub(super) fn new(all: u64, set: u64) -> Self {
        let mut factorials = vec![0.0];
        let mut sum = 0.0;
        for number in 1..=all.min(COUNTED) {
            sum += (number as f64).ln();
            factorials.push(sum);
        }
        Self {
            all,
            set: set.min(all),
            factorials,
        }
    }

    /// The chance that at least `inside` of the `with` requests that have a value are in the set, if which ones are is
    /// a matter of chance.
    pub(super) fn chance(&self, inside: u64, with: u64) -> f64 {
        let with = with.min(self.all);
        let most = with.min(self.set);
        if inside > most {
            return 0.0;
        }
        let least = (with + self.set).saturating_sub(self.all);
        if inside <= least {
            return 1.0;
        }
        // By logarithms: factorials of some hundreds are beyond every float.
        let first = self.ways(with, inside) + self.ways(self.all - with, self.set - inside)
            - self.ways(self.all, self.set);
        // Each term follows from the one before; beyond the mean they shrink quickly.
        let (mut term, mut sum) = (1.0_f64, 1.0_f64);
        for inside in inside..most {
            let up = (with - inside) as f64 * (self.set - inside) as f64;
            let down = (inside + 1) as f64 * (self.all + inside + 1 - with - self.set) as f64;
            term *= up / down;
            sum += term;
            if term < sum * 1e-16 {
                break;
            }
        }
        (first + sum.ln()).exp().min(1.0)
    }

    /// The logarithm of the ways to choose `some` of `all`.
    fn ways(&self, all: u64, some: u64) -> f64 {
        let factorial = |of: u64| {
            let counted = self.factorials.get(of as usize).copied();
            counted.unwrap_or_else(|| stirling(of as f64))
        };
        factorial(all) - factorial(some) - factorial(all - some)
    }
}

/// The logarithm of a factorial of a large number.
fn stirling(of: f64) -> f64 {
    let leading = of * of.ln() - of + 0.5 * (2.0 * std::f64::consts::PI * of).ln();
    leading + 1.0 / (12.0 * of) - 1.0 / (360.0 * of.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_factorials_follow_those_that_are_summed_up() {
        let tests = Tests::new(COUNTED, 1);
        for number in [1_000, COUNTED] {
            let summed = tests.factorials[number as usize];
            let off = (stirling(number as f64) - summed).abs();
            assert!(off < 1e-9 * summed, "{number}: {off}");
        }
        // A set of a thousandth, with ten times as many of a value as by chance.
        let large = Tests::new(100_000_000, 100_000).chance(100, 10_000);
        assert!(large > 0.0 && large < 1e-60, "{large}");
        let usual = Tests::new(100_000_000, 100_000).chance(10, 10_000);
        assert!((0.4..0.7).contains(&usual), "{usual}");
    }

    #[test]
    fn the_lady_tasting_tea_and_other_known_chances() {
        // Of R: fisher.test(matrix(c(a, b, c, d), 2), alternative = "greater").
        for (all, set, inside, with, want) in [
            (8, 4, 3, 4, 0.242_857_142_857),
            (8, 4, 4, 4, 0.014_285_714_286),
            (20, 10, 0, 5, 1.0),
            (100, 20, 10, 10, 1.067_317_719e-8),
            (10, 5, 6, 6, 0.0),
            (7, 7, 3, 3, 1.0),
        ] {
            let found = Tests::new(all, set).chance(inside, with);
            let off = (found - want).abs();
            assert!(
                off <= 1e-6 * want.max(1e-12),
                "{all} {set} {inside} {with}: {found}"
            );
        }
    }

    #[test]
    fn chances_add_up_as_the_hypergeometric_distribution_does() {
        let tests = Tests::new(300, 40);
        let mut last = 1.0;
        for inside in 0..=40 {
            let now = tests.chance(inside, 90);
            assert!((0.0..=last + 1e-12).contains(&now), "{inside}: {now}");
            last = now;
        }
        assert!(last > 0.0 && last < 1e-20, "{last}");
    }

    #[test]
    fn fifty_thousand_requests_keep_their_digits() {
        let tests = Tests::new(50_000, 2_500);
        let chance = tests.chance(125, 2_500);
        assert!(
            (0.4..0.6).contains(&chance),
            "as many as by chance: {chance}"
        );
    }
}
