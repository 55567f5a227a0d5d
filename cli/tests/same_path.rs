//! finrail's own specifications go the way of a published document, and come out as the same client.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use finrail_cli::import::{Facts, import};
use finrail_spec::published::Published;

#[test]
fn a_specification_of_ours_is_imported_as_the_client_that_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for id in ["ofx", "mx", "omnifund", "tatrabanka", "finexer"] {
        let bytes = std::fs::read(root.join(format!("specs/{id}.yaml"))).unwrap();
        let published = Published::read(&bytes).unwrap();
        let facts = Facts {
            id: id.to_owned(),
            ..Facts::default()
        };
        let imported = import(&published.root, None, &facts).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(imported.left_out, [], "{id}");
        assert_eq!(imported.renamed, [], "{id}");
        let generate =
            |text: &str| finrail_codegen::generate("bundle.json", text, &finrail_codegen::Options::default());
        let bundled = std::fs::read_to_string(root.join(format!("specs/bundled/{id}.json"))).unwrap();
        let (ours, theirs) = (generate(&bundled).unwrap(), generate(&imported.bundle).unwrap());
        // Line by line, so that a difference can be read.
        let differing = ours.lines().zip(theirs.lines()).find(|(ours, theirs)| ours != theirs);
        assert_eq!(differing, None, "{id}");
        assert_eq!(ours.len(), theirs.len(), "{id}");
    }
}
