//! What an import left in a folder: the document as it came, the record of where it is from, and the overlay.

use std::io;
use std::path::{Path, PathBuf};

use finrail_spec::json::Json;
use finrail_spec::normal::Only;
use finrail_spec::overlay::OverlayFault;
use finrail_spec::problem::Problem;
use finrail_spec::published::Published;

use super::bundle::{Facts, ImportError, Imported, import};
use super::overlay;
use super::record::Record;
use crate::workspace::OVERLAY;

/// The document that a folder has.
pub(super) fn document_in(folder: &Path) -> Option<PathBuf> {
    ["openapi.yaml", "openapi.json"]
        .into_iter()
        .map(|name| folder.join(name))
        .find(|file| file.exists())
}

/// What an import left, made again.
pub struct Again {
    /// The document.
    pub published: Published,
    /// Its file, relative to the root.
    pub file: PathBuf,
    /// What is made of it now.
    pub imported: Imported,
}

/// Makes again what the folder of an import makes, with what stands there now; writes nothing.
///
/// # Errors
///
/// The file system's. What is wrong with the document or the overlay is a list of problems.
pub fn again(root: &Path, shown: &Path, id: &str) -> io::Result<Result<Again, Vec<Problem>>> {
    let folder = root.join(shown);
    let problem = |file: &Path, position, message: String, fix: &str| Problem {
        rule: "import",
        path: file.to_owned(),
        position,
        place: String::new(),
        message,
        fix: fix.to_owned(),
    };
    let Some(document) = document_in(&folder) else {
        let message = "there is no document: neither openapi.yaml nor openapi.json".to_owned();
        return Ok(Err(vec![problem(shown, None, message, "import it again")]));
    };
    let file = shown.join(document.file_name().unwrap_or_default());
    let bytes = std::fs::read(&document)?;
    let record = Record::read(&folder)?;
    if record.as_ref().is_some_and(|record| !record.fits(&bytes)) {
        let message = "the document is not as it came".to_owned();
        let fix = "put it back, and say what it lacks in overlay.yaml; or import the newer one with `--again`";
        return Ok(Err(vec![problem(&file, None, message, fix)]));
    }
    let overlay_file = shown.join(OVERLAY);
    let overlay_bytes = std::fs::read(root.join(&overlay_file))?;
    let published = match Published::read(&bytes) {
        Ok(published) => published,
        Err(error) => {
            return Ok(Err(vec![problem(
                &file,
                Some(error.position),
                error.message,
                "import it again",
            )]));
        }
    };
    let overlay = match Published::read(&overlay_bytes) {
        Ok(overlay) => overlay,
        Err(error) => {
            let found = problem(
                &overlay_file,
                Some(error.position),
                error.message,
                "correct the overlay",
            );
            return Ok(Err(vec![found]));
        }
    };
    let facts = facts(id, None, &published.root, &overlay.root, &[], record.as_ref());
    Ok(match import(&published.root, Some(&overlay.root), &facts) {
        Ok(imported) => Ok(Again {
            published,
            file,
            imported,
        }),
        Err(error) => Err(problems(&error, &overlay_file, &overlay)),
    })
}

/// What a newer document would be made into, under the overlay that stands in a folder; writes nothing.
///
/// # Errors
///
/// The file system's, and in words what is wrong with the document, or with the overlay over it.
pub fn newer(root: &Path, shown: &Path, id: &str, place: &str, bytes: &[u8]) -> io::Result<Imported> {
    let refused = |why: String| io::Error::other(format!("{place}: {why}"));
    let published = Published::read_the_last(bytes).map_err(|error| {
        let (line, column) = (error.position.line, error.position.column);
        io::Error::other(format!("{place}:{line}:{column}: {}", error.message))
    })?;
    let overlay_file = shown.join(OVERLAY);
    let overlay = Published::read(&std::fs::read(root.join(&overlay_file))?)
        .map_err(|error| io::Error::other(format!("{}: {}", overlay_file.display(), error.message)))?;
    let record = Record::read(&root.join(shown))?;
    let facts = facts(id, None, &published.root, &overlay.root, &[], record.as_ref());
    import(&published.root, Some(&overlay.root), &facts).map_err(|error| refused(error.to_string()))
}

/// What the bundle is made with, beside the document and the overlay.
pub(super) fn facts(
    id: &str,
    name: Option<&str>,
    document: &Json,
    overlay: &Json,
    only: &[String],
    record: Option<&Record>,
) -> Facts {
    let title = document.at(&["info", "title"]).and_then(Json::as_str).map(str::trim);
    let chosen = match only {
        [] => overlay::only(overlay),
        only => only.to_vec(),
    };
    Facts {
        id: id.to_owned(),
        name: name.or(title).unwrap_or(id).to_owned(),
        only: Only::of(chosen.iter().map(String::as_str)),
        record: record.cloned(),
    }
}

/// What is wrong, with its place in the overlay where it is known.
fn problems(error: &ImportError, file: &Path, overlay: &Published) -> Vec<Problem> {
    let one = |place: &str, message: String, fix: &str| Problem {
        rule: "import",
        path: file.to_owned(),
        position: overlay.position(place),
        place: place.to_owned(),
        message,
        fix: fix.to_owned(),
    };
    match error {
        ImportError::Overlay(faults) => faults
            .iter()
            .map(|OverlayFault { pointer, wrong }| one(pointer, wrong.to_string(), "correct the overlay"))
            .collect(),
        ImportError::Problems(found) => found
            .iter()
            .map(|problem| one("", problem.clone(), "say it in the overlay"))
            .collect(),
        ImportError::Choice => vec![one(
            "/x-only",
            error.to_string(),
            "choose others in `x-only` of the overlay",
        )],
        other => vec![one("", other.to_string(), "import a document of 2.0, 3.0 or 3.1")],
    }
}
