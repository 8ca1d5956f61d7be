//! The number of spans that one stands for, by the `tracestate` that its sampler wrote.

/// The weight: 1 where nothing is said, 0 where what is said counts nothing.
pub(super) fn weight(trace_state: &str) -> f64 {
    let ours = trace_state
        .split(',')
        .filter_map(|entry| entry.trim().split_once('='))
        .find(|(vendor, _)| vendor.trim() == "ot");
    let Some((_, ours)) = ours else {
        return 1.0;
    };
    let keys = || {
        ours.trim()
            .split(';')
            .filter_map(|part| part.split_once(':'))
    };
    let of = |name: &str| {
        keys()
            .find(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim())
    };
    // The current form counts where a sampler writes both.
    if let Some(threshold) = of("th") {
        return by_threshold(threshold).unwrap_or(1.0);
    }
    of("p").map_or(1.0, by_power)
}

/// The form of current SDKs: the share of 2^56 random numbers that are dropped, in hex digits without zeros at the end.
fn by_threshold(hex: &str) -> Option<f64> {
    const ALL: u64 = 1 << 56;
    let is_hex = (1..=14).contains(&hex.len()) && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    let threshold = u64::from_str_radix(&format!("{hex:0<14}"), 16)
        .ok()
        .filter(|_| is_hex)?;
    #[expect(clippy::cast_precision_loss, reason = "a weight is a float")]
    let weight = ALL as f64 / (ALL - threshold) as f64;
    Some(weight)
}

/// The form of older SDKs: the weight as a power of two.
fn by_power(text: &str) -> f64 {
    match text.parse::<u32>() {
        Ok(power @ 0..=62) => 2f64.powf(power.into()),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sampler_says_for_how_many_a_span_stands() {
        for (state, wanted) in [
            ("", 1.0),
            ("es=s:0.1", 1.0),
            ("es=s:0.1,ot=r:6;p:3", 8.0),
            ("es=s:0.1 , ot=p:1", 2.0),
            ("ot=p:63", 0.0),
            ("ot=p:x", 0.0),
            ("ot=r:1", 1.0),
            ("ot=th:0", 1.0),
            ("ot=th:8", 2.0),
            ("ot=th:c", 4.0),
            ("ot=rv:00112233445566;th:c", 4.0),
            ("ot=th:ffffffffffffff", 72_057_594_037_927_936.0),
            ("ot=th:fffffffffffffff", 1.0),
            ("ot=th:é", 1.0),
            ("ot=th:", 1.0),
        ] {
            assert!(
                (weight(state) - wanted).abs() < 1e-9,
                "{state}: {}",
                weight(state)
            );
        }
    }
}
