//! Where each provider says what it does: `[sources.<id>]` of `finrail.toml`, or `specs/sources.toml`.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use finrail_spec::meant::did_you_mean;

use super::Source;
use crate::addresses::Addresses;
use crate::import;
use crate::place::is_address;
use crate::shell::quoted;
use crate::workspace::{self, SETTINGS, Workspace};

/// The addresses of every provider.
#[derive(Clone, Debug)]
pub struct Sources(BTreeMap<String, Addresses>);

impl Sources {
    /// The file beside the specifications, relative to the root.
    #[must_use]
    pub fn path(workspace: &Workspace) -> PathBuf {
        workspace.specs().join("sources.toml")
    }

    /// Reads them. What `finrail.toml` says of a provider counts before the file beside the specifications.
    ///
    /// # Errors
    ///
    /// The file system's, a file that is not in its form, a provider that nobody knows, and what is no address.
    pub fn read(workspace: &Workspace) -> io::Result<Self> {
        let path = Self::path(workspace);
        let wrong = |file: &str, why: String| io::Error::other(format!("{file}: {why}"));
        let file = path.display().to_string();
        let mut all: BTreeMap<String, Addresses> = match workspace.read(&path)? {
            Some(text) => toml::from_str(&text).map_err(|error| wrong(&file, error.to_string()))?,
            None => BTreeMap::new(),
        };
        let known = workspace.providers()?;
        let settings = workspace.sources();
        for (of, sources) in [(file.as_str(), &all), (SETTINGS, settings)] {
            for (provider, addresses) in sources {
                if !known.contains(provider) {
                    let meant = did_you_mean(provider, known.iter().map(String::as_str));
                    return Err(wrong(of, format!("there is no specification of `{provider}`{meant}")));
                }
                let Addresses {
                    docs,
                    openapi,
                    complete: _,
                    metadata,
                } = addresses;
                let all = [("docs", docs), ("openapi", openapi), ("metadata", metadata)];
                let mut all = all
                    .iter()
                    .flat_map(|(flag, places)| places.iter().map(move |place| (flag, place)));
                if let Some((flag, place)) = all.find(|(_, place)| !is_address(place)) {
                    let (command, file) = (workspace.command(), quoted(place));
                    let why = format!(
                        "{provider}: `{place}` is no address: write it with https://, or take it out and compare a file by \
                         `{command} drift {provider} --{flag} {file}`"
                    );
                    return Err(wrong(of, why));
                }
            }
        }
        all.extend(settings.clone());
        Ok(Self(all))
    }

    /// The evidence of a provider. Of what was imported: the address that it came from, where nothing else is named.
    ///
    /// # Errors
    ///
    /// The record of an import that cannot be read.
    pub fn of(&self, workspace: &Workspace, provider: &str) -> io::Result<Vec<Source>> {
        if let Some(addresses) = self.0.get(provider) {
            return Ok(evidence(addresses));
        }
        let workspace::Source::Imported(folder) = workspace.source(provider) else {
            return Ok(Vec::new());
        };
        let record = import::Record::read(&workspace.root().join(folder))?;
        let from = record.map(|record| record.from).filter(|from| is_address(from));
        let openapi = |place| Source::Openapi { place, complete: true };
        Ok(from.into_iter().map(openapi).collect())
    }

    /// Whether the OpenAPI documents of a provider describe everything that there is.
    #[must_use]
    pub fn is_complete(&self, provider: &str) -> bool {
        self.0.get(provider).is_some_and(|addresses| addresses.complete)
    }
}

fn evidence(addresses: &Addresses) -> Vec<Source> {
    let docs = addresses.docs.iter().map(|place| Source::Docs {
        place: place.clone(),
        page: None,
        accept: false,
    });
    let openapi = addresses.openapi.iter().map(|place| Source::Openapi {
        place: place.clone(),
        complete: addresses.complete,
    });
    let metadata = addresses.metadata.iter().cloned().map(Source::Metadata);
    docs.chain(openapi).chain(metadata).collect()
}
