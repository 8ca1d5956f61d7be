//! The growth of each group: a least-squares line through the medians that criterion has just measured.
#![expect(clippy::print_stdout, reason = "the fit is what the bench is run for")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Prints milliseconds per 1000 rows and R² for each group with at least three sizes.
pub(crate) fn print(max_rows: u64) {
    println!(
        "\n{:<24} {:>14} {:>8}   median in ms at each size",
        "group", "ms/1000 rows", "R²"
    );
    for (group, points) in medians(&criterion_dir(), max_rows) {
        let Some((slope, r_squared)) = line(&points) else {
            continue;
        };
        let medians: Vec<_> = points
            .iter()
            .map(|(rows, ms)| format!("{rows}: {ms:.4}"))
            .collect();
        println!(
            "{group:<24} {:>14.5} {r_squared:>8.4}   {}",
            slope * 1000.0,
            medians.join(", ")
        );
    }
}

fn criterion_dir() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    target.join("criterion")
}

/// The median time in milliseconds of each group and strategy at each number of rows.
fn medians(dir: &Path, max_rows: u64) -> BTreeMap<String, Vec<(f64, f64)>> {
    let mut groups: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    let ours = |group: &PathBuf| name(group).starts_with("sql_");
    for group in children(dir).into_iter().filter(ours) {
        for strategy in children(&group) {
            let title = format!("{} {}", name(&group), name(&strategy));
            let points = children(&strategy)
                .into_iter()
                .filter_map(|size| median(&size, max_rows));
            groups.entry(title).or_default().extend(points);
        }
    }
    for points in groups.values_mut() {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    groups
}

/// The rows and the median in milliseconds of one benchmark, from the directory that criterion keeps of it.
fn median(dir: &Path, max_rows: u64) -> Option<(f64, f64)> {
    let rows: u64 = name(dir).parse().ok().filter(|rows| *rows <= max_rows)?;
    let json = std::fs::read(dir.join("new/estimates.json")).ok()?;
    let estimates: serde_json::Value =
        serde_json::from_slice(&json).expect("criterion writes JSON");
    let nanos = estimates["median"]["point_estimate"].as_f64();
    Some((rows as f64, nanos.expect("criterion's median") / 1e6))
}

fn children(dir: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Slope and R² of the least-squares line.
fn line(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    if points.len() < 3 {
        return None;
    }
    let n = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (mean_x, mean_y) = (mean(|p| p.0), mean(|p| p.1));
    let sum = |of: &dyn Fn(f64, f64) -> f64| {
        points
            .iter()
            .map(|(x, y)| of(x - mean_x, y - mean_y))
            .sum::<f64>()
    };
    let (xx, xy, yy) = (sum(&|x, _| x * x), sum(&|x, y| x * y), sum(&|_, y| y * y));
    Some((xy / xx, xy * xy / (xx * yy)))
}
