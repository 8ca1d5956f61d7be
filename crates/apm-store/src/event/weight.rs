//! The number of events that an event stands for.

/// The number of events like it that an event stands for: 1 / sample rate, 0 where the rate is 0, 1 where none was
/// sent.
pub fn weight(sample_rate: Option<f64>) -> f64 {
    match sample_rate {
        None => 1.0,
        Some(rate) if rate > 0.0 => 1.0 / rate,
        Some(_) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_the_inverse_of_the_sample_rate() {
        assert_eq!(
            [weight(None), weight(Some(0.25)), weight(Some(0.0))],
            [1.0, 4.0, 0.0]
        );
    }
}
