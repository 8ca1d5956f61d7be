//! The stretch of time that an answer is about, and the earlier one that it is compared with.

use apm_time::Range;
use diesel::{QueryResult, SqliteConnection};

use super::arguments::{Arguments, wrong};
use super::parameter::Parameter;
use super::parameter::shared::CMP;
use super::problem::Problem;
use crate::analytics::comparison::Comparison;
use crate::analytics::minutes;
use crate::analytics::window::Window;

const OPTIONAL_CMP: Parameter = Parameter::word(
    "cmp",
    &["previous", "day", "week", "off"],
    "Adds `previous`, the same of an earlier window: the one just before, or the same a day or a week before. It must \
     not overlap the range.",
);

/// The windows of `from`, `to` and `cmp`.
#[derive(Debug, Clone)]
pub(crate) struct Period {
    pub(crate) window: Window,
    /// The earlier window; nothing where no comparison is wanted.
    pub(crate) before: Option<Window>,
}

impl Period {
    /// Reads `from`, `to` and `cmp`. Without `cmp` the earlier window is the one just before.
    pub(crate) fn read(arguments: &Arguments) -> Result<Self, Problem> {
        let (range, word) = (arguments.range()?, arguments.word(&CMP)?);
        let comparison = match word {
            Some("off") => None,
            word => Some(
                word.and_then(Comparison::parse)
                    .unwrap_or(Comparison::Previous),
            ),
        };
        if let Some(comparison) = comparison
            && !Comparison::options(range).contains(&comparison)
        {
            let problem = format!(
                "{} overlaps a range that is longer, use previous",
                comparison.as_str()
            );
            return Err(wrong(&CMP, problem));
        }
        let window = Window::new(range, arguments.now);
        let before = comparison.map(|comparison| comparison.window(&window));
        Ok(Self { window, before })
    }

    /// The same for an answer whose comparison only scripts need: without `cmp` there is none.
    pub(crate) fn optional(arguments: &Arguments) -> Result<Self, Problem> {
        let period = match arguments.word(&OPTIONAL_CMP)? {
            None => Self::alone(arguments)?,
            Some(_) => Self::read(arguments)?,
        };
        Ok(period)
    }

    /// Reads `from` and `to` for a question without a comparison.
    pub(crate) fn alone(arguments: &Arguments) -> Result<Self, Problem> {
        let window = Window::new(arguments.range()?, arguments.now);
        let before = None;
        Ok(Self { window, before })
    }

    /// The range as it was asked for.
    pub(crate) fn asked(&self) -> Range {
        self.window.asked
    }

    /// The windows as far as their minutes are stored: see [`minutes::widened`].
    pub(crate) fn stored(&self, conn: &mut SqliteConnection) -> QueryResult<Self> {
        let mut stored = |window: &Window| minutes::widened(conn, window);
        Ok(Self {
            window: stored(&self.window)?,
            before: self.before.as_ref().map(&mut stored).transpose()?,
        })
    }
}
