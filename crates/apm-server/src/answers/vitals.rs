//! `/vitals`: how fast, how responsive and how steady pages are for those who read them.

use apm_store::rollup::Vital;
use schemars::JsonSchema;
use serde::Serialize;

use super::listed::Listed;
use super::listing::{Rows, Sort};
use super::period::Period;
use super::{Address, Arguments, Problem, Question, Source, at};
use crate::analytics::filter::List;
use crate::analytics::vitals::{self, Figures, Page, Vitals};
use crate::csv::{Column, Table};
use crate::sort_rows::SortRows as _;

const SORTS: [&str; 9] = [
    "page", "lcp", "inp", "cls", "fcp", "ttfb", "fid", "tbt", "loads",
];

/// The question.
#[derive(Debug)]
pub(crate) struct Params(Listed);

/// Web vitals of pages. Times are µs.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WebVitals")]
pub(crate) struct Answer {
    /// All loads of all pages together.
    pub(crate) all: Vitals,
    /// The pages, the most loaded first unless `sort` says otherwise.
    pub(crate) pages: Vec<Page>,
    #[serde(flatten)]
    pub(crate) rows: Rows,
    #[serde(skip)]
    pub(crate) sort: Sort,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/vitals");
    const SUMMARY: &'static str = "Web vitals of pages";
    const TABLES: &'static [&'static str] = &["summary", "vitals"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        let scope = arguments.chosen_scope(List::Transactions)?;
        let period = Period::alone(arguments)?;
        Ok(Self(Listed::read(
            arguments, scope, period, &SORTS, "-loads",
        )?))
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let conn = &mut *source.conn;
        let period = self.0.period.stored(conn)?;
        let mut found = vitals::pages(conn, &self.0.scope, &period.window)?;
        self.0
            .listing
            .search(&mut found.pages, |page| [&page.page, &page.service]);
        sort(&self.0.listing.sort, &mut found.pages);
        let rows = self.0.listing.cut_all(&mut found.pages);
        Ok(Answer {
            all: found.all,
            pages: found.pages,
            rows,
            sort: self.0.listing.sort,
        })
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        let told = |vital: Vital| Some((vital, answer.all.figures(vital)?));
        let all: Vec<Told> = Vital::ALL.into_iter().filter_map(told).collect();
        vec![
            Table::from_rows("summary", &all, &SUMMARY),
            Table::from_rows("vitals", &answer.pages, &COLUMNS),
        ]
    }
}

/// A vital and its figures.
type Told = (Vital, Figures);

const SUMMARY: [Column<Told>; 8] = [
    ("vital", |row| row.0.name().into()),
    ("p50", |row| row.1.p50.into()),
    ("p75", |row| row.1.p75.into()),
    ("p95", |row| row.1.p95.into()),
    ("good", |row| row.1.good.into()),
    ("needs_improvement", |row| row.1.needs_improvement.into()),
    ("poor", |row| row.1.poor.into()),
    ("measured", |row| row.1.count.into()),
];

const COLUMNS: [Column<Page>; 12] = [
    ("page", |row| (&row.page).into()),
    ("service", |row| (&row.service).into()),
    ("loads", |row| row.vitals.loads().into()),
    ("lcp_p75_us", |row| p75(row.vitals.lcp).into()),
    ("lcp_good", |row| row.vitals.lcp.map(|of| of.good).into()),
    ("inp_p75_us", |row| p75(row.vitals.inp).into()),
    ("cls_p75", |row| p75(row.vitals.cls).into()),
    ("cls_good", |row| row.vitals.cls.map(|of| of.good).into()),
    ("fcp_p75_us", |row| p75(row.vitals.fcp).into()),
    ("ttfb_p75_us", |row| p75(row.vitals.ttfb).into()),
    ("fid_p75_us", |row| p75(row.vitals.fid).into()),
    ("tbt_p75_us", |row| p75(row.vitals.tbt).into()),
];

fn p75(figures: Option<Figures>) -> Option<f64> {
    figures.map(|figures| figures.p75)
}

fn sort(sort: &Sort, rows: &mut [Page]) {
    let vital = match sort.key {
        "lcp" => Some(Vital::Lcp),
        "inp" => Some(Vital::Inp),
        "cls" => Some(Vital::Cls),
        "fcp" => Some(Vital::Fcp),
        "ttfb" => Some(Vital::Ttfb),
        "fid" => Some(Vital::Fid),
        "tbt" => Some(Vital::Tbt),
        _ => None,
    };
    rows.sort_rows_by(|a, b| match (vital, sort.key) {
        (Some(vital), _) => {
            sort.compare(p75(a.vitals.figures(vital)), p75(b.vitals.figures(vital)))
        }
        (None, "page") => sort.compare_text(&a.page, &b.page),
        (None, _) => sort.compare(Some(a.vitals.loads()), Some(b.vitals.loads())),
    });
}
