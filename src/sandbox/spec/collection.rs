//! What a specification says about a collection of things, by the path template of the collection.

use finrail_spec::json::Json;
use finrail_spec::pointer::join;

use super::Spec;
use super::operation::Operation;
use super::path::Segment;
use super::role::Role;

impl Spec {
    /// Whether the things in this collection are kept: they can be listed or created.
    pub(in crate::sandbox) fn is_managed(&self, collection: &[Segment]) -> bool {
        self.operations
            .iter()
            .any(|o| matches!(o.role, Role::List | Role::Create) && o.thing == collection)
    }

    /// The operation that reads an item of a collection.
    pub(in crate::sandbox) fn reads_item(&self, collection: &[Segment]) -> Option<&Operation> {
        self.operations
            .iter()
            .find(|o| o.method == "GET" && is_item_of(&o.thing, collection))
    }

    /// The operation that posts to a collection.
    pub(in crate::sandbox) fn posts_to(&self, collection: &[Segment]) -> Option<&Operation> {
        self.operations
            .iter()
            .find(|o| o.method == "POST" && o.thing == collection)
    }

    /// The operation that lists a collection.
    pub(in crate::sandbox) fn lists(&self, collection: &[Segment]) -> Option<&Operation> {
        self.operations
            .iter()
            .find(|o| o.role == Role::List && o.thing == collection)
    }

    /// The path parameter that takes an item's id.
    pub(in crate::sandbox) fn item_parameter(&self, collection: &[Segment]) -> Option<&str> {
        self.below(collection)
            .find_map(|operation| match operation.thing.get(collection.len()) {
                Some(Segment::Parameter(name)) => Some(name.as_str()),
                _ => None,
            })
    }

    /// The example of the path parameter that takes an item's id.
    pub(in crate::sandbox) fn example_id(&self, collection: &[Segment]) -> Option<String> {
        let name = self.item_parameter(collection)?;
        let parameter = self.below(collection).find_map(|operation| operation.parameter(name))?;
        parameter.example.as_ref()?.scalar()
    }

    /// The operations on what is below a collection.
    fn below<'a>(&'a self, collection: &[Segment]) -> impl Iterator<Item = &'a Operation> {
        self.operations
            .iter()
            .filter(move |o| o.thing.len() > collection.len() && o.thing.starts_with(collection))
    }
}

fn is_item_of(template: &[Segment], collection: &[Segment]) -> bool {
    template.len() == collection.len() + 1
        && template.starts_with(collection)
        && matches!(template.last(), Some(Segment::Parameter(_)))
}

impl Operation {
    /// Where the items of a list are: as `x-pagination` says, else the first array.
    pub(in crate::sandbox) fn items_pointer(&self) -> String {
        if let Some(paging) = &self.pagination {
            return paging.items.clone();
        }
        let members = self.example().map(Json::members).unwrap_or_default();
        members
            .iter()
            .find(|(_, value)| matches!(value, Json::Array(_)))
            .map(|(name, _)| join("", name))
            .unwrap_or_default()
    }
}
