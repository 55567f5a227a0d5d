//! Paths of operations, as templates.

/// A part of a path template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::sandbox) enum Segment {
    Literal(String),
    Parameter(String),
}

/// The parts of `/accounts/{accountId}`.
pub(super) fn template(path: &str) -> Vec<Segment> {
    path.split('/')
        .skip(1)
        .map(|part| match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            Some(name) => Segment::Parameter(name.to_owned()),
            None => Segment::Literal(part.to_owned()),
        })
        .collect()
}

/// `v3`
pub(in crate::sandbox) fn is_version(segment: &str) -> bool {
    segment
        .strip_prefix('v')
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// A path without its versions: what it names.
pub(super) fn versionless(path: &[Segment]) -> Vec<Segment> {
    let is_kept = |segment: &&Segment| match segment {
        Segment::Literal(literal) => !is_version(literal),
        Segment::Parameter(_) => true,
    };
    path.iter().filter(is_kept).cloned().collect()
}

/// The text of a literal part.
pub(in crate::sandbox) fn literal(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Literal(literal) => Some(literal.clone()),
        Segment::Parameter(_) => None,
    }
}
