//! Where a thing or a collection is.

use crate::sandbox::spec::{Segment, Spec};

/// A path template without versions, and the same path with values in place of its parameters.
pub(in crate::sandbox) struct Location<'a> {
    pub(in crate::sandbox) template: &'a [Segment],
    pub(in crate::sandbox) path: Vec<String>,
}

impl<'a> Location<'a> {
    /// The first parts of it.
    pub(in crate::sandbox) fn up_to(&self, parts: usize) -> Self {
        let parts = parts.min(self.template.len());
        Self {
            template: self.template.get(..parts).unwrap_or_default(),
            path: self.path.iter().take(parts).cloned().collect(),
        }
    }

    /// The collection of an item, with the name of the parameter that takes the item's id, and the id.
    pub(in crate::sandbox) fn item(&self) -> Option<(Self, &'a str, &str)> {
        let (Some(Segment::Parameter(name)), Some(id)) = (self.template.last(), self.path.last()) else {
            return None;
        };
        Some((self.up_to(self.template.len() - 1), name, id))
    }

    /// The things that the path goes through, from the top, each as an item.
    pub(in crate::sandbox) fn things_above(&self, spec: &Spec) -> Vec<Self> {
        (1..self.template.len().saturating_sub(1))
            .filter(|at| matches!(self.template.get(*at), Some(Segment::Parameter(_))))
            .filter(|at| spec.is_managed(&self.template[..*at]))
            .map(|at| self.up_to(at + 1))
            .collect()
    }

    /// How long the part is that ends with the last parameter before the last part of the path.
    pub(in crate::sandbox) fn length_above(&self) -> usize {
        let above = self.template.len().saturating_sub(1);
        self.template[..above]
            .iter()
            .rposition(|segment| matches!(segment, Segment::Parameter(_)))
            .map_or(0, |at| at + 1)
    }

    /// What is kept here is kept under this key; the keys of what is below begin with it and a line feed.
    pub(in crate::sandbox) fn key(&self) -> String {
        self.path.join("\n")
    }
}
