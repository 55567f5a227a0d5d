//! How an object is looked at.

use super::node::Node;

#[derive(Clone, Copy, Default)]
pub(super) struct Look<'l> {
    /// Members that hold the provider's own code.
    pub(super) codes: &'l [&'static str],
    /// The call changed something, and nothing of its reply is described: it is looked through deeper, and for more.
    pub(super) has_effect: bool,
    /// It ended something: that this was done is a success, and otherwise a failure.
    pub(super) ends_something: bool,
    pub(super) is_page: bool,
    /// There is a list, and it is empty: a number that denies may be a count, and words for people may say why.
    pub(super) has_list: bool,
    /// A message that says of itself that it is an error's is certain, whatever is beside it.
    pub(super) messages_are_certain: bool,
}

impl<'l> Look<'l> {
    pub(super) const OF_EFFECT: Self = Self {
        codes: &[],
        has_effect: true,
        ends_something: false,
        is_page: false,
        has_list: false,
        messages_are_certain: false,
    };

    pub(super) fn of_page(codes: &'l [&'static str]) -> Self {
        Self {
            codes,
            is_page: true,
            has_list: true,
            ..Self::default()
        }
    }

    /// That something came to its end is a failure.
    pub(super) fn ends_accuse(self) -> bool {
        self.has_effect && !self.ends_something
    }
}

/// Whether what stands in a member that tells of a failure says that there is one; in a page, a number may be a count.
pub(super) fn is_failure(value: &Node, look: Look<'_>) -> bool {
    !(value.says_nothing() || look.is_page && value.decimal().is_some())
}
