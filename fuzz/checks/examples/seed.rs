//! Writes the published examples as corpora of the fuzzers: `cargo run -p pocket-apm-fuzz-checks --example seed`.

use std::path::Path;

use fuzz_checks::corpus;

fn main() -> std::io::Result<()> {
    let Some(fixtures) = corpus::fixtures() else {
        return Ok(());
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    let texts = corpus::texts(&fixtures);
    for target in ["statement", "query", "traceparent"] {
        write(&folder.join(target), &texts)?;
    }
    let is_body = |path: &Path| path.to_string_lossy().contains(".ndjson");
    write(&folder.join("intake"), corpus::files(&fixtures, &is_body))
}

fn write<T: AsRef<[u8]>>(
    folder: &Path,
    inputs: impl IntoIterator<Item = T>,
) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (number, input) in inputs.into_iter().enumerate() {
        std::fs::write(folder.join(format!("{number:05}")), input)?;
    }
    Ok(())
}
