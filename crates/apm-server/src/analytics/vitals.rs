//! Web vitals of pages, as those who read them had them: percentiles, and the share of good and poor ones.

use std::collections::BTreeMap;

use apm_store::rollup::{Rating, Vital, representative};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Integer, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::Scope;
use super::sql::Sql;
use super::window::Window;
use crate::sort_rows::SortRows as _;

/// Figures of one vital.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "Vital")]
pub struct Figures {
    /// Number of measurements.
    pub count: f64,
    /// Median: µs, for CLS the score.
    pub p50: f64,
    /// 75th percentile, by which a page is judged.
    pub p75: f64,
    /// 95th percentile.
    pub p95: f64,
    /// Share of good values, 0 to 1.
    pub good: f64,
    /// Share of values between good and poor.
    pub needs_improvement: f64,
    /// Share of poor values.
    pub poor: f64,
    /// The judgement of the 75th percentile: 0 good, 1 needs improvement, 2 poor.
    pub rating: u8,
}

/// The vitals of a page, or of several. What was never measured is null.
#[derive(Debug, Clone, Copy, Default, PartialEq, JsonSchema, Serialize)]
pub struct Vitals {
    /// Largest contentful paint.
    pub lcp: Option<Figures>,
    /// Interaction to next paint.
    pub inp: Option<Figures>,
    /// Cumulative layout shift.
    pub cls: Option<Figures>,
    /// First contentful paint.
    pub fcp: Option<Figures>,
    /// Time to first byte.
    pub ttfb: Option<Figures>,
    /// First input delay.
    pub fid: Option<Figures>,
    /// Total blocking time.
    pub tbt: Option<Figures>,
}

impl Vitals {
    /// The figures of one.
    #[must_use]
    pub fn figures(&self, vital: Vital) -> Option<Figures> {
        match vital {
            Vital::Lcp => self.lcp,
            Vital::Inp => self.inp,
            Vital::Cls => self.cls,
            Vital::Fcp => self.fcp,
            Vital::Ttfb => self.ttfb,
            Vital::Fid => self.fid,
            Vital::Tbt => self.tbt,
        }
    }

    /// The most that one of them was measured: about the number of loads.
    #[must_use]
    pub fn loads(&self) -> f64 {
        let counts =
            Vital::ALL.map(|vital| self.figures(vital).map_or(0.0, |figures| figures.count));
        counts.into_iter().fold(0.0, f64::max)
    }

    fn set(&mut self, vital: Vital, figures: Option<Figures>) {
        let place = match vital {
            Vital::Lcp => &mut self.lcp,
            Vital::Inp => &mut self.inp,
            Vital::Cls => &mut self.cls,
            Vital::Fcp => &mut self.fcp,
            Vital::Ttfb => &mut self.ttfb,
            Vital::Fid => &mut self.fid,
            Vital::Tbt => &mut self.tbt,
        };
        *place = figures;
    }
}

/// A page and its vitals.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "PageVitals")]
pub struct Page {
    /// The service that it belongs to.
    pub service: String,
    /// The name of its loads, such as `/cart?{query}`.
    pub page: String,
    /// Its vitals.
    #[serde(flatten)]
    pub vitals: Vitals,
}

/// The pages of a window, the most loaded first, and all of them together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pages {
    /// The pages.
    pub pages: Vec<Page>,
    /// All loads together.
    pub all: Vitals,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text)]
    page: String,
    #[diesel(sql_type = Integer)]
    vital: i32,
    #[diesel(sql_type = BigInt)]
    rating: i64,
    #[diesel(sql_type = Integer)]
    bin: i32,
    #[diesel(sql_type = Double)]
    count: f64,
}

/// The histogram of a vital: counts by bin, and by judgement.
#[derive(Debug, Default)]
struct Histogram {
    bins: BTreeMap<i32, f64>,
    ratings: [f64; 3],
}

type Histograms = [Histogram; Vital::ALL.len()];

/// The vitals of the pages of a scope.
///
/// # Errors
/// Those of SQLite.
pub fn pages(conn: &mut SqliteConnection, scope: &Scope, window: &Window) -> QueryResult<Pages> {
    let sql = window.bind(scope.bind(Sql::new(include_str!("vitals.sql"))));
    let mut all = Histograms::default();
    let mut found = Vec::new();
    let mut open: Option<(String, String, Histograms)> = None;
    sql.each(conn, |row: Row| {
        let Some(place) = Vital::ALL
            .iter()
            .position(|vital| vital.code() == row.vital)
        else {
            return;
        };
        // Rows come page by page.
        if open
            .as_ref()
            .is_none_or(|(service, page, _)| *service != row.service || *page != row.page)
        {
            found.extend(open.take().map(page_of));
            open = Some((row.service.clone(), row.page.clone(), Histograms::default()));
        }
        all[place].add(&row);
        if let Some((.., histograms)) = &mut open {
            histograms[place].add(&row);
        }
    })?;
    found.extend(open.take().map(page_of));
    found.sort_rows_by(|a: &Page, b| b.vitals.loads().total_cmp(&a.vitals.loads()));
    Ok(Pages {
        pages: found,
        all: vitals(&all),
    })
}

fn page_of((service, page, histograms): (String, String, Histograms)) -> Page {
    Page {
        service,
        page,
        vitals: vitals(&histograms),
    }
}

fn vitals(histograms: &Histograms) -> Vitals {
    let mut vitals = Vitals::default();
    for (vital, histogram) in Vital::ALL.into_iter().zip(histograms) {
        vitals.set(vital, histogram.figures(vital));
    }
    vitals
}

impl Histogram {
    fn add(&mut self, row: &Row) {
        *self.bins.entry(row.bin).or_default() += row.count;
        if let Some(count) = usize::try_from(row.rating)
            .ok()
            .and_then(|at| self.ratings.get_mut(at))
        {
            *count += row.count;
        }
    }

    fn figures(&self, vital: Vital) -> Option<Figures> {
        let count: f64 = self.bins.values().sum();
        if count <= 0.0 {
            return None;
        }
        let share = |rating: Rating| self.ratings[rating as usize] / count;
        let (good, poor) = (share(Rating::Good), share(Rating::Poor));
        // By the exact judgements, where a bin would be a per cent off.
        let rating = if good >= 0.75 {
            Rating::Good
        } else if poor <= 0.25 {
            Rating::NeedsImprovement
        } else {
            Rating::Poor
        };
        let value = |q: f64| {
            let value = self.percentile(q, count);
            match vital {
                Vital::Cls => value / 1e6,
                _ => value,
            }
        };
        Some(Figures {
            count,
            p50: value(0.5),
            p75: value(0.75),
            p95: value(0.95),
            good,
            needs_improvement: share(Rating::NeedsImprovement),
            poor,
            rating: rating as u8,
        })
    }

    /// The smallest value that so many do not exceed. The first bin is that of nothing at all.
    fn percentile(&self, q: f64, count: f64) -> f64 {
        let mut left = q * count - 1e-9;
        for (bin, count) in &self.bins {
            left -= count;
            if left <= 0.0 {
                return if *bin == 0 { 0.0 } else { representative(*bin) };
            }
        }
        0.0
    }
}
