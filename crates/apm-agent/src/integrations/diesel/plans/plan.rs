//! A plan as it is sent: a line for each step, two spaces for each level.

/// Characters of a plan: what Elastic's servers take as a label.
const LONGEST: usize = 1_024;
/// Steps of a plan that are kept.
const STEPS: usize = 100;
/// Levels of steps that are indented.
const LEVELS: usize = 16;
/// The last line of a plan that is longer.
const CUT: &str = "…";

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) text: String,
    /// Its steps, those that were cut off left out.
    pub(super) steps: usize,
}

/// A plan that is being written.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: String,
    letters: usize,
    steps: usize,
    is_cut: bool,
}

impl Lines {
    /// Adds a step, or cuts the plan off where there is no room for it. Whether there was room.
    pub(super) fn push(&mut self, level: usize, step: &str) -> bool {
        if self.is_cut {
            return false;
        }
        let line = format!("{:1$}{step}", "", 2 * level.min(LEVELS));
        self.letters += line.chars().count() + 1;
        self.steps += 1;
        if self.letters + CUT.len() > LONGEST || self.steps > STEPS {
            self.text.push_str(CUT);
            self.steps -= 1;
            self.is_cut = true;
            return false;
        }
        self.text.push_str(&line);
        self.text.push('\n');
        true
    }

    pub(super) fn finish(mut self) -> Plan {
        self.text.truncate(self.text.trim_end().len());
        Plan {
            text: self.text,
            steps: self.steps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_plan_is_cut_to_what_a_label_holds() {
        let mut lines = Lines::default();
        for level in 0..90 {
            lines.push(level, &"SCAN t".repeat(3));
        }
        let plan = lines.finish();
        assert!(plan.text.chars().count() <= LONGEST, "{}", plan.text.len());
        assert!(plan.text.ends_with("\n…"), "{}", plan.text);
        assert_eq!(plan.steps, plan.text.lines().count() - 1);
    }
}
