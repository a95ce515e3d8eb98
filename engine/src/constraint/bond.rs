//! What binds one test, by name: for people who ask why it sits where it sits.

use serde::Serialize;

use super::ConstraintSpec;

/// One constraint as one test sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bond {
    /// What it demands.
    pub kind: BondKind,
    /// The resource or the tag; none for the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The other tests and groups that it speaks of, as they were written.
    pub with: Vec<String>,
}

/// What a constraint demands of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BondKind {
    /// On the same shard as the others.
    Together,
    /// On another shard than each of the others.
    Apart,
    /// On the same shard as the others, after them.
    After,
    /// On the same shard as the others, before them.
    Before,
    /// On the same shard as the others, because they hold the same resource.
    Resource,
    /// Alone on its machine.
    Serial,
    /// Only in pools that carry the tag.
    Tag,
}

impl ConstraintSpec {
    /// What binds a test, named itself or through its group. O(size of the lists).
    ///
    /// ```
    /// use rasher::constraint::{BondKind, ConstraintSpec};
    /// let text = r#"{"before": [["A", "B"]], "resources": {"db": ["x.B", "C"]}}"#;
    /// let spec: ConstraintSpec = serde_json::from_str(text)?;
    /// let bonds = spec.bonds("B", Some("x.B"));
    /// assert_eq!((bonds[0].kind, bonds[0].with[0].as_str()), (BondKind::After, "A"));
    /// assert_eq!((bonds[1].kind, bonds[1].name.as_deref()), (BondKind::Resource, Some("db")));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn bonds(&self, test: &str, group: Option<&str>) -> Vec<Bond> {
        let is_it = |name: &String| name == test || Some(name.as_str()) == group;
        let names_it = |list: &&Vec<String>| list.iter().any(is_it);
        let others = |list: &[String]| list.iter().filter(|name| !is_it(name)).cloned().collect();
        let bond = |kind, name: Option<&String>, with: Vec<String>| Bond {
            kind,
            name: name.cloned(),
            with,
        };
        let mut bonds = Vec::new();
        for (kind, lists) in [(BondKind::Together, &self.together), (BondKind::Apart, &self.apart)]
        {
            bonds.extend(lists.iter().filter(names_it).map(|list| bond(kind, None, others(list))));
        }
        for list in &self.before {
            let Some(at) = list.iter().position(is_it) else { continue };
            let (earlier, later) = (others(&list[..at]), others(&list[at..]));
            for (kind, with) in [(BondKind::After, earlier), (BondKind::Before, later)] {
                bonds.extend((!with.is_empty()).then(|| bond(kind, None, with)));
            }
        }
        for (name, list) in self.resources.iter().filter(|(_, list)| names_it(list)) {
            bonds.push(bond(BondKind::Resource, Some(name), others(list)));
        }
        if names_it(&&self.serial) {
            bonds.push(bond(BondKind::Serial, None, Vec::new()));
        }
        for (tag, _) in self.tags.iter().filter(|(_, list)| names_it(list)) {
            bonds.push(bond(BondKind::Tag, Some(tag), Vec::new()));
        }
        bonds
    }
}
