//! Files of SQL, as they stand in the repository.

use std::fs;
use std::path::{Path, PathBuf};

use apm_store::StoreError;
use diesel::RunQueryDsl as _;

use super::open;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            found.push(path);
        }
    }
}

#[test]
fn each_file_of_sql_is_a_statement_that_runs_as_it_stands() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut found = Vec::new();
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut found,
    );
    assert!(found.len() > 50, "{} files", found.len());
    for path in found {
        let text = fs::read_to_string(&path).expect("text");
        let explained = diesel::sql_query(format!("EXPLAIN {text}"));
        let ran = store.read::<_, StoreError>(|conn| Ok(explained.execute(conn)?));
        assert!(ran.is_ok(), "{}: {ran:?}", path.display());
    }
}
