//! A parameter of a kind of rule: its name with the unit in it, its default and its range.

/// A parameter of a kind of rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// The name, with its unit.
    pub name: &'static str,
    /// The words beside its field on a form.
    pub label: &'static str,
    /// The value where none is given.
    pub default: f64,
    /// The smallest value.
    pub least: f64,
    /// The largest value.
    pub most: f64,
}

impl Parameter {
    /// Whether a value is in its range; the error says which range that is.
    pub(super) fn check(&self, value: f64) -> Result<(), String> {
        match value.is_finite() && (self.least..=self.most).contains(&value) {
            true => Ok(()),
            false => Err(format!(
                "{} is a number from {} to {}, not {value}",
                self.name, self.least, self.most
            )),
        }
    }
}
