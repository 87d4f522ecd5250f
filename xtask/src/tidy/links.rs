//! Links in pages lead somewhere: files of the tree, and headings of pages.

use super::Finding;
use super::tree::{File, Tree};

/// Checks one file.
pub(super) fn check(file: &File, tree: &Tree, findings: &mut Vec<Finding>) {
    if file.extension() != "md" {
        return;
    }
    let mut fenced = false;
    for (at, line) in file.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for target in targets(line) {
            if let Err(why) = resolve(file, tree, target) {
                findings.push(Finding::new("links", &file.path, at + 1, format!("({target}): {why}")));
            }
        }
    }
}

/// What stands in the round brackets of inline links.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("](").filter_map(move |(at, opening)| {
        let rest = line.get(at + opening.len()..)?;
        rest.split_once(')').map(|(target, _)| target)
    })
}

fn resolve(file: &File, tree: &Tree, target: &str) -> Result<(), String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return Ok(());
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let path = if path.is_empty() { file.path.clone() } else { join(&file.path, path) };
    if !tree.has(&path) {
        return Err(format!("there is no {path}"));
    }
    match anchor {
        Some(anchor) if !anchors(tree.text(&path)).any(|known| known == anchor) => {
            Err(format!("{path} has no heading #{anchor}"))
        }
        _ => Ok(()),
    }
}

/// `link`, seen from the folder of the page `from`.
fn join(from: &str, link: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.trim_end_matches('/').split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// Headings, as links name them: lower case, words tied by hyphens, marks left out.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| line.starts_with('#')).map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        title
            .chars()
            .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'))
            .map(|letter| if letter == ' ' { '-' } else { letter })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_seen_from_its_page() {
        assert_eq!(join("docs/manual/holds.md", "../../README.md"), "README.md");
        assert_eq!(join("README.md", "docs/manual/"), "docs/manual");
        assert_eq!(anchors("# Holds, and answers\n").next().unwrap(), "holds-and-answers");
    }
}
