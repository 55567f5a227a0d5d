//! Which versions of other crates are part of a contract, because their types are.

/// The version of a dependency, and its features: generated code may need each.
pub(crate) fn lines(manifest: &str, name: &str) -> Vec<String> {
    // Those of the compiler.
    if matches!(name, "alloc" | "core" | "std") {
        return Vec::new();
    }
    let key = name.replace('_', "-");
    let of_package = entry(manifest, "[dependencies]", name).or_else(|| entry(manifest, "[dependencies]", &key));
    let of_package = of_package.unwrap_or_else(|| panic!("Cargo.toml has no dependency {name}"));
    let of_workspace = entry(manifest, "[workspace.dependencies]", name);
    let of_workspace = of_workspace
        .filter(|_| of_package.contains("workspace"))
        .unwrap_or_default();
    let version = version(of_package).or_else(|| version(of_workspace));
    let version = version.unwrap_or_else(|| panic!("Cargo.toml has no version of {name}"));
    let features = features(of_package).chain(features(of_workspace));
    let mut lines: Vec<String> = features
        .map(|feature| format!("crate {name}: feature {feature}"))
        .collect();
    lines.push(format!("crate {name}: version {}", compatible(version)));
    lines
}

/// What stands behind `name =` in a part of the manifest.
fn entry<'a>(manifest: &'a str, part: &str, name: &str) -> Option<&'a str> {
    let mut lines = manifest.lines().skip_while(|line| *line != part).skip(1);
    let mut own = lines.by_ref().take_while(|line| !line.starts_with('['));
    own.find_map(|line| {
        let rest = line.strip_prefix(name)?;
        let value = rest
            .strip_prefix(".workspace")
            .unwrap_or(rest)
            .trim_start()
            .strip_prefix('=')?;
        Some(if rest.starts_with(".workspace") {
            "workspace"
        } else {
            value
        })
    })
}

fn version(entry: &str) -> Option<&str> {
    let entry = entry.trim();
    if entry.starts_with('"') {
        return entry.split('"').nth(1);
    }
    entry.split("version = \"").nth(1)?.split('"').next()
}

fn features(entry: &str) -> impl Iterator<Item = &str> {
    let list = entry
        .split(" features = [")
        .nth(1)
        .and_then(|rest| rest.split(']').next());
    list.unwrap_or_default().split('"').skip(1).step_by(2)
}

/// The part of a version whose change may break others: `1` of 1.4, `0.13` of 0.13.2.
fn compatible(version: &str) -> String {
    let numbers: Vec<&str> = version.trim_start_matches(['^', '=', '~']).split('.').collect();
    let first = numbers
        .iter()
        .position(|number| *number != "0")
        .unwrap_or(numbers.len() - 1);
    numbers[..=first].join(".")
}

#[test]
fn versions_and_features_are_read() {
    let manifest = "[workspace.dependencies]\nw = { version = \"2.1\", features = [\"of\", \"both\"] }\n\n[dependencies]\n\
                    a-b = \"1.9\"\nc = { version = \"0.13.2\", default-features = false, features = [\"x\"] }\n\
                    w = { workspace = true, features = [\"own\"] }\nv.workspace = true\n[dev-dependencies]\nd = \"1\"\n";
    assert_eq!(lines(manifest, "a_b"), ["crate a_b: version 1"]);
    assert_eq!(lines(manifest, "c"), ["crate c: feature x", "crate c: version 0.13"]);
    let own = ["feature own", "feature of", "feature both", "version 2"].map(|line| format!("crate w: {line}"));
    assert_eq!(lines(manifest, "w"), own);
    assert_eq!(lines(manifest, "std"), Vec::<String>::new());
    assert_eq!(entry(manifest, "[dependencies]", "v"), Some("workspace"));
    assert_eq!(entry(manifest, "[dependencies]", "d"), None);
}
