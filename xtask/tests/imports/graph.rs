//! Which imports which, and the picture of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::sources::Sources;
use crate::workspace;

pub(crate) type Graph = BTreeMap<String, BTreeSet<String>>;

/// The rooms of `src/` and which imports which: a room is a top-level module.
pub(crate) fn rooms(sources: &Sources) -> Graph {
    let room = |name: &str| {
        name.split('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".rs")
            .to_owned()
    };
    let mut graph = Graph::new();
    for (file, targets) in sources.graph() {
        let from = room(&file);
        if from == "lib" {
            continue;
        }
        let reached = graph.entry(from.clone()).or_default();
        reached.extend(targets.iter().map(|target| room(target)).filter(|to| *to != from));
    }
    graph
}

/// What can be reached in one step or more.
fn reach(graph: &Graph, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&String> = graph.get(from).into_iter().flatten().collect();
    while let Some(node) = next.pop() {
        if found.insert(node.clone()) {
            next.extend(graph.get(node).into_iter().flatten());
        }
    }
    found
}

/// Nodes that reach each other.
pub(crate) fn circles(graph: &Graph) -> Vec<BTreeSet<String>> {
    let reached: BTreeMap<&String, BTreeSet<String>> = graph.keys().map(|node| (node, reach(graph, node))).collect();
    let mut found: Vec<BTreeSet<String>> = Vec::new();
    for (node, targets) in &reached {
        let circle: BTreeSet<String> = targets
            .iter()
            .filter(|target| reached.get(target).is_some_and(|back| back.contains(*node)))
            .cloned()
            .collect();
        if !circle.is_empty() && !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

/// The edges without which nothing else would be reached less.
pub(crate) fn reduced(graph: &Graph) -> BTreeSet<(String, String)> {
    let mut edges = BTreeSet::new();
    for (from, targets) in graph {
        for to in targets {
            let on_the_way = targets
                .iter()
                .any(|other| other != to && reach(graph, other).contains(to));
            if !on_the_way {
                edges.insert((from.clone(), to.clone()));
            }
        }
    }
    edges
}

/// The edges of the picture of the rooms in ARCHITECTURE.md: `token --> http`, token imports http.
pub(crate) fn drawn() -> BTreeSet<(String, String)> {
    let text = fs::read_to_string(workspace().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let picture = text
        .split("```mermaid")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let picture = picture.expect("a picture of the rooms in ARCHITECTURE.md");
    let node = |text: &str| {
        text.trim()
            .split(['[', '('])
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let edges = picture.lines().filter_map(|line| line.split_once("-->"));
    edges.map(|(from, to)| (node(from), node(to))).collect()
}
