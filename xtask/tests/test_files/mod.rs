//! The sources in which the library's tests are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The sources under a folder of the project, by their path from another one.
pub fn under(folder: &Path, from: &Path) -> std::io::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    read(folder, from, &mut found)?;
    Ok(found)
}

fn read(folder: &Path, from: &Path, found: &mut BTreeMap<String, String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read(&path, from, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path
                .strip_prefix(from)
                .unwrap_or(&path)
                .to_string_lossy()
                .replace('\\', "/");
            found.insert(name, std::fs::read_to_string(&path)?);
        }
    }
    Ok(())
}
