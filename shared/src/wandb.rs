//! A job's run at Weights & Biases, as the OpenAI API's integration `wandb` has it.

use serde::{Deserialize, Serialize};

/// Where a job's curves are to be shown there. Nothing is sent by itself: the run is written for `wandb sync`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Wandb {
    /// The project that the run belongs to.
    pub project: String,
    /// What the run is called there; the job's id unless told.
    #[serde(default)]
    pub name: Option<String>,
    /// The user or team that it belongs to; whoever uploads it unless told.
    #[serde(default)]
    pub entity: Option<String>,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// Characters of a project, a name or an entity at most.
const LONGEST: usize = 128;
/// Characters of a tag at most.
const LONGEST_TAG: usize = 64;
/// Tags at most.
const MOST_TAGS: usize = 32;

impl Wandb {
    /// What Weights & Biases would refuse when the run is uploaded, as the field and what is wrong with it.
    ///
    /// # Errors
    /// The first such field.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let fits = |text: &str, longest: usize| {
            (1..=longest).contains(&text.chars().count()) && !text.chars().any(char::is_control)
        };
        let is_name = |text: &Option<String>| text.as_deref().is_none_or(|text| fits(text, LONGEST));
        if !fits(&self.project, LONGEST) || self.project.contains(['/', '\\', '#', '?', '%', ':']) {
            return Err((
                "project",
                "must have 1 to 128 characters, none of them of `/\\#?%:`",
            ));
        }
        if !is_name(&self.name) {
            return Err(("name", "must have 1 to 128 characters"));
        }
        if !is_name(&self.entity) {
            return Err(("entity", "must have 1 to 128 characters"));
        }
        if self.tags.len() > MOST_TAGS || !self.tags.iter().all(|tag| fits(tag, LONGEST_TAG)) {
            return Err(("tags", "must be at most 32 words of 1 to 64 characters"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Wandb;

    fn of(project: &str) -> Wandb {
        Wandb {
            project: project.to_owned(),
            name: None,
            entity: None,
            tags: Vec::new(),
        }
    }

    #[test]
    fn what_could_not_be_uploaded_is_found_by_its_field() {
        let fault = |wandb: Wandb| wandb.check().err().map(|(field, _)| field);
        assert_eq!(fault(of("my project")), None);
        assert_eq!(fault(of("ü".repeat(128).as_str())), None);
        for project in ["", "a/b", "a\nb", &"a".repeat(129)] {
            assert_eq!(fault(of(project)), Some("project"), "{project}");
        }
        let named = |name: &str| Wandb {
            name: Some(name.to_owned()),
            ..of("p")
        };
        assert_eq!((fault(named("")), fault(named("n"))), (Some("name"), None));
        let owned = Wandb {
            entity: Some(String::new()),
            ..of("p")
        };
        assert_eq!(fault(owned), Some("entity"));
        let tagged = |tags: Vec<String>| Wandb { tags, ..of("p") };
        assert_eq!(fault(tagged(vec!["a".repeat(65)])), Some("tags"));
        assert_eq!(fault(tagged(vec!["a".to_owned(); 33])), Some("tags"));
        assert_eq!(fault(tagged(vec!["a".to_owned(); 32])), None);
    }
}
