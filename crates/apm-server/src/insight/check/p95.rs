//! A bound of the 95th percentile of requests of a name.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `GET /sql-group<50ms`: 95 % of the transactions of a name must finish within a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct P95 {
    /// `transaction.name`
    pub name: String,
    /// µs
    pub within: f64,
}

impl FromStr for P95 {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not NAME<TIME, such as 'GET /people<50ms'");
        // Names hold this sign, too: `GET /people/<id>`. `<=` is read as `<`.
        let (name, time) = text.rsplit_once('<').ok_or_else(wrong)?;
        let (name, time) = (name.trim(), time.trim_start_matches('=').trim());
        let digits = time.trim_end_matches(|c: char| c.is_alphabetic() || c == 'µ');
        let value: f64 = digits.trim().parse().map_err(|_| wrong())?;
        let unit = match &time[digits.len()..] {
            "us" | "µs" => 1.0,
            "ms" => 1e3,
            "s" => 1e6,
            _ => return Err(wrong()),
        };
        if name.is_empty() || !value.is_finite() || value <= 0.0 {
            return Err(wrong());
        }
        Ok(Self {
            name: name.to_owned(),
            within: value * unit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_p95_are_read_with_their_unit() {
        for (text, expected) in [
            ("GET /sql-group<50ms", Some(("GET /sql-group", 50_000.0))),
            ("GET /a<b < 1.5s", Some(("GET /a<b", 1_500_000.0))),
            ("x<=800us", Some(("x", 800.0))),
            ("x<800µs", Some(("x", 800.0))),
            ("x<50", None),
            ("<50ms", None),
            ("x", None),
            ("x<-1ms", None),
            ("x<infs", None),
            ("", None),
        ] {
            let found = text.parse::<P95>().ok();
            assert_eq!(
                found.as_ref().map(|p| (p.name.as_str(), p.within)),
                expected,
                "{text}"
            );
        }
    }
}
