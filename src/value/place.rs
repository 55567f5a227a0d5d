//! Where a value stands in the JSON that is being read.

/// A way from the whole down to a value. Each step is kept by whoever reads what is around it, so that none is copied.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// The whole.
    Root,
    /// An item of a list.
    Item { parent: &'a Place<'a>, index: usize },
    /// A member of an object.
    Member { parent: &'a Place<'a>, key: &'a str },
}

impl Place<'_> {
    /// As a path, `list[0].name`. The whole has an empty one.
    pub(crate) fn path(&self) -> String {
        self.written(|index| format!("[{index}]"))
    }

    /// The same for a place that many items have in common, `list[].name`.
    pub(crate) fn common(&self) -> String {
        self.written(|_| "[]".to_owned())
    }

    fn written(&self, item: impl Fn(usize) -> String + Copy) -> String {
        match *self {
            Place::Root => String::new(),
            Place::Item { parent, index } => parent.written(item) + &item(index),
            Place::Member { parent, key } => {
                let mut path = parent.written(item);
                if !path.is_empty() {
                    path.push('.');
                }
                path + key
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_as_a_path_of_one_value_or_of_many() {
        let item = Place::Item {
            parent: &Place::Member {
                parent: &Place::Root,
                key: "list",
            },
            index: 7,
        };
        let name = Place::Member {
            parent: &item,
            key: "name",
        };
        assert_eq!(Place::Root.path(), "");
        assert_eq!(
            (item.path(), item.common()),
            ("list[7]".to_owned(), "list[]".to_owned())
        );
        assert_eq!(
            (name.path(), name.common()),
            ("list[7].name".to_owned(), "list[].name".to_owned())
        );
    }
}
