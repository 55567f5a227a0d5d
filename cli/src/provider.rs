//! A provider as its specification describes it, with what `regen` demands of every one.

use std::collections::BTreeMap;

use finrail_spec::json::Json;
use finrail_spec::model::{Fault, Operation, Specification, Wrong};
use finrail_spec::vocabulary::{self as v, Oauth};
use serde_json::Value;

/// What a bundle says about a provider.
#[derive(Clone, Debug)]
pub struct Provider {
    /// What it describes.
    pub specification: Specification,
    /// The authorization server.
    pub oauth: v::Oauth,
    /// The operations, in the bundle's order.
    pub calls: Vec<Call>,
}

/// An operation that says where it is known from.
#[derive(Clone, Debug)]
pub struct Call {
    /// What it is.
    pub operation: Operation,
    /// Where it comes from.
    pub provenance: v::Provenance,
}

impl Provider {
    /// Reads a bundle that `regen` has validated.
    ///
    /// # Errors
    ///
    /// In words, what the bundle lacks.
    pub fn read(bundle: &Value) -> Result<Self, String> {
        let specification = Specification::read(Json::from(bundle))
            .map_err(|faults| faults.first().map_or_else(String::new, in_words))?;
        // A bank of keys alone has none.
        let oauth = specification.oauth.clone().or_else(Oauth::none);
        let oauth = oauth.ok_or("there is no `x-oauth`")?;
        let calls = specification.operations.iter().map(call).collect::<Result<_, _>>()?;
        Ok(Self {
            specification,
            oauth,
            calls,
        })
    }

    /// Its id: the name of its module, of its files and of its keys in a store.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.specification.provider.id
    }

    /// The operation of the authorization server that a role of `x-oauth.operations` names.
    #[must_use]
    pub fn endpoint(&self, role: &str) -> Option<&Operation> {
        let id = match role {
            "authorize" => self.oauth.operations.authorize.as_deref()?,
            "token" => &self.oauth.operations.token,
            "revoke" => self.oauth.operations.revoke.as_deref()?,
            _ => return None,
        };
        self.specification.operation(id)
    }

    /// How many operations of each grade there are.
    #[must_use]
    pub fn grades(&self) -> BTreeMap<v::Grade, usize> {
        let mut grades = BTreeMap::new();
        for call in &self.calls {
            *grades.entry(call.provenance.grade).or_insert(0) += 1;
        }
        grades
    }
}

fn call(operation: &Operation) -> Result<Call, String> {
    let provenance = operation.provenance.clone();
    Ok(Call {
        operation: operation.clone(),
        provenance: provenance.ok_or_else(|| format!("{}: there is no `x-provenance`", operation.id))?,
    })
}

/// A fault in few words: the file and what to do are said around it.
fn in_words(fault: &Fault) -> String {
    let what = match &fault.wrong {
        Wrong::NoProvider => "there is no `x-provider`".to_owned(),
        Wrong::Extension { name, why } => format!("`{name}`: {why}"),
        other => other.to_string(),
    };
    match &fault.operation {
        Some(id) => format!("{id}: {what}"),
        None => what,
    }
}
