//! Two generations of a client, and what the newer one means for users of the crate.

use std::path::Path;

use serde_json::Value;

use crate::outline::{Difference, Effect, Outline, differences, without_docs};
use crate::usage::Usage;

/// What is compared of one generation.
#[derive(Clone, Debug)]
pub struct Surface {
    /// What users can name.
    pub outline: Outline,
    bundle: String,
}

/// What a change means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The strongest of its effects.
    pub effect: Effect,
    /// The differences, breaking ones first.
    pub differences: Vec<(Difference, Vec<String>)>,
}

impl Surface {
    /// Generates the client of a bundle.
    ///
    /// # Errors
    ///
    /// The generator's, in words.
    pub fn of(path: &Path, bundle: &str) -> Result<Self, String> {
        let file = path.display().to_string();
        let tree = finrail_codegen::tree(&file, bundle, &finrail_codegen::Options::default())
            .map_err(|errors| errors.to_string())?;
        Ok(Self {
            outline: Outline::of(&tree),
            bundle: bundle.to_owned(),
        })
    }

    /// The code without its documentation; made only when names alone do not tell.
    fn code(&self) -> Option<String> {
        let tree = finrail_codegen::tree("bundle", &self.bundle, &finrail_codegen::Options::default()).ok()?;
        Some(without_docs(&tree))
    }

    /// What users see when this generation follows an older one.
    #[must_use]
    pub fn since(&self, old: &Self) -> Change {
        let new_bundle: Value = serde_json::from_str(&self.bundle).unwrap_or_default();
        let old_bundle: Value = serde_json::from_str(&old.bundle).unwrap_or_default();
        let (new_usage, old_usage) = (Usage::of(&new_bundle), Usage::of(&old_bundle));
        let required_in_requests = |path: &str| {
            let Some(signature) = self.outline.entries().get(path) else {
                return false;
            };
            let optional = ["Option<", "Vec<", "BTreeMap<", "JsonMap"];
            let holder = path.split('.').next().and_then(|holder| holder.strip_prefix("types::"));
            !optional
                .iter()
                .any(|start| signature.trim_start_matches(": ").starts_with(start))
                && holder.is_some_and(|schema| new_usage.in_requests(schema))
        };
        let found: Vec<(Difference, Vec<String>)> = differences(&old.outline, &self.outline, &required_in_requests)
            .into_iter()
            .map(|difference| {
                let mut operations = old_usage.of_path(&difference.path);
                operations.extend(new_usage.of_path(&difference.path));
                let operations = operations.into_iter().map(str::to_owned).collect();
                (difference, operations)
            })
            .collect();
        let strongest = found.iter().map(|(difference, _)| difference.effect).max();
        let effect = strongest.unwrap_or(if self.bundle == old.bundle {
            Effect::Same
        } else if self.code() == old.code() {
            Effect::DocsOnly
        } else {
            // Same names, another wire: the operation table, a path, a profile.
            Effect::Additive
        });
        Change {
            effect,
            differences: found,
        }
    }
}
