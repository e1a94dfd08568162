//! A few names, each once.

use serde::Serialize;

/// A set of names. There are few, so a sorted list does, and spares the browser's module a second kind of tree.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Names(Vec<String>);

impl Names {
    /// Adds a name, unless it is there.
    pub fn insert(&mut self, name: String) {
        if let Err(place) = self.place(&name) {
            self.0.insert(place, name);
        }
    }

    /// Takes a name out, if it is there.
    pub fn remove(&mut self, name: &str) {
        if let Ok(place) = self.place(name) {
            self.0.remove(place);
        }
    }

    /// True where the name is there.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.place(name).is_ok()
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|known| known.as_str().cmp(name))
    }

    /// Takes all names out.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// True where there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn a_name_is_held_once_and_in_order() {
        let mut names = Names::default();
        for name in ["b", "a", "b", "c"] {
            names.insert(name.to_owned());
        }
        assert_eq!(
            serde_json::to_string(&names).ok().as_deref(),
            Some(r#"["a","b","c"]"#)
        );
        assert!(names.contains("b") && !names.contains("d"));
        assert_eq!(names.len(), 3);
        names.clear();
        assert!(names.is_empty());
    }
}
