//! Limits of the numbers of columns: sums, differences and products of them are taken in 64 bits later, and
//! none may overflow whatever was sent. A value that is cut here is whole in the document, unless it is a column alone.

/// 0001-01-01T00:00:00Z, µs since the epoch.
const EARLIEST: i64 = -62_135_596_800_000_000;
/// The last microsecond of the year 9999 that `jiff` can show in every time zone.
const LATEST: i64 = 253_402_207_200_999_999;
/// A year, µs: sums of some hundred thousand such durations still fit.
const LONGEST: i64 = 366 * 24 * 3_600 * 1_000_000;
/// A million of millions: sums of some millions of such counts still fit, and floats hold them exactly.
const MOST: i64 = 1 << 40;

/// A time, µs since the epoch.
pub(super) fn time(us: i64) -> i64 {
    us.clamp(EARLIEST, LATEST)
}

/// A duration, or where something starts within another, µs.
pub(super) fn duration(us: i64) -> i64 {
    us.clamp(-LONGEST, LONGEST)
}

/// Limits a number of things.
pub(super) fn count(count: i64) -> i64 {
    count.clamp(-MOST, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_what_they_say() {
        let micros = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_microsecond();
        assert_eq!(EARLIEST, micros("0001-01-01T00:00:00Z"));
        assert_eq!(LATEST, jiff::Timestamp::MAX.as_microsecond());
        assert_eq!(time(i64::MIN), EARLIEST);
        assert_eq!(duration(i64::MIN), -LONGEST);
        assert_eq!(count(i64::MAX), MOST);
        assert_eq!((time(7), duration(-7), count(7)), (7, -7, 7));
    }
}
