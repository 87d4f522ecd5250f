//! What `init` proposes, read back by the same parser that every command uses.

mod accounts;
mod lookups;
mod made;
mod products;
mod to_hubspot;
mod to_pipedrive;

use handover::config::Project;
use handover::init::{Proposal, SystemView, propose};
use handover::problem;
use handover_engine::transform::{Program, Tables};
use handover_model::{Flow, From, Rule, Writable};

/// A proposal, its files read back as a project.
struct Proposed {
    proposal: Proposal,
    project: Project,
    _folder: tempfile::TempDir,
}

fn proposed(from: &SystemView, to: &SystemView) -> Proposed {
    let proposal = propose(from, to);
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in &proposal.files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let project = Project::load(&folder.path().join("handover.yaml"))
        .unwrap_or_else(|problems| panic!("{}", problem::render(&problems, false)));
    Proposed { proposal, project, _folder: folder }
}

impl Proposed {
    fn flow(&self, name: &str) -> &Flow {
        self.project.flow(&name.into()).unwrap_or_else(|| panic!("no flow {name}"))
    }

    fn rule(&self, flow: &str, target: &str) -> &Rule {
        let rules = &self.flow(flow).rules;
        rules.iter().find(|rule| rule.target == *target).unwrap_or_else(|| panic!("{flow} has no rule for {target}"))
    }

    fn file(&self, path: &str) -> &str {
        &self.proposal.files[std::path::Path::new(path)]
    }

    /// The source fields of a rule; empty for expressions.
    fn from(&self, flow: &str, target: &str) -> Vec<&str> {
        match &self.rule(flow, target).from {
            From::Fields(fields) => fields.iter().map(|field| field.as_str()).collect(),
            From::Expression(_) | From::Constant(_) => Vec::new(),
        }
    }

    /// The rows of a table; blank ones are in the file only.
    fn rows(&self, table: &str) -> Vec<(&str, &str)> {
        self.project.tables[table].rows.iter().map(|(from, row)| (from.as_str(), row.to.as_str())).collect()
    }

    fn codes(&self) -> Vec<&str> {
        self.proposal.findings.iter().map(|finding| finding.code.as_str()).collect()
    }
}

/// Compiles every flow against both accounts, the proposed fields created: what `check` does first.
fn check_compiles(proposed: &Proposed, from: &SystemView, to: &SystemView) {
    let tables = Tables(proposed.project.tables.clone());
    for flow in &proposed.project.flows {
        let source = from.schema(flow.source.object.as_str()).unwrap();
        let mut target = to.schema(flow.target.object.as_str()).unwrap().clone();
        let created = proposed.proposal.create_fields.iter().filter(|(_, object, _)| *object == target.object);
        target.fields.extend(created.map(|(.., field)| field.clone()));
        if let Err(findings) = Program::compile(flow, source, &target, &tables) {
            let problems = problem::Problem::from_findings(&findings, &proposed.project.sources);
            panic!("{}:\n{}", flow.name, problem::render(&problems, false));
        }
    }
}

/// What must hold of every proposal: each source field is mapped or excluded with a reason, custom ones
/// are mapped; each target field exists or is proposed, can be written, and has one rule.
fn check_whole(proposed: &Proposed, from: &SystemView, to: &SystemView) {
    for flow in &proposed.project.flows {
        let source = from.schema(flow.source.object.as_str()).unwrap();
        let target = to.schema(flow.target.object.as_str()).unwrap();
        let named = |name: &str| {
            flow.rules.iter().any(|rule| match &rule.from {
                From::Fields(fields) => fields.iter().any(|field| *field == *name),
                From::Expression(text) => {
                    let path: String = name.split('.').map(|part| format!(".{part}")).collect();
                    let quoted: String = name.split('.').map(|part| format!(".\"{part}\"")).collect();
                    text.contains(&path) || text.contains(&quoted)
                }
                From::Constant(_) => false,
            })
        };
        for field in &source.fields {
            let name = field.name.as_str();
            let excluded = flow.excluded.contains_key(name);
            assert!(named(name) || excluded, "{}: {name} is neither mapped nor excluded", flow.name);
            let takes = proposed.proposal.create_fields.iter().any(|(_, object, _)| *object == flow.target.object);
            assert!(!(field.custom && excluded && takes), "{}: the custom field {name} is excluded", flow.name);
        }
        for rule in &flow.rules {
            let there = target.field(rule.target.as_str());
            let wanted = proposed
                .project
                .create_fields
                .iter()
                .any(|wanted| wanted.object == flow.target.object && wanted.field.name == rule.target);
            assert!(there.is_some() || wanted, "{}: {} does not exist", flow.name, rule.target);
            assert!(there.is_none_or(|field| field.writable != Writable::Never), "{}: {}", flow.name, rule.target);
            for field in match &rule.from {
                From::Fields(fields) => fields.as_slice(),
                _ => &[],
            } {
                assert!(*field == "id" || source.field(field.as_str()).is_some(), "{}: {field}", flow.name);
            }
        }
        for field in target.fields.iter().filter(|field| field.required) {
            assert!(
                flow.rules.iter().any(|rule| rule.target == field.name),
                "{}: {} has no source",
                flow.name,
                field.name
            );
        }
        let in_file = flow.key.as_ref().is_none_or(|key| {
            target.field(key.as_str()).is_some()
                || proposed
                    .project
                    .create_fields
                    .iter()
                    .any(|wanted| wanted.object == target.object && wanted.field.name == *key)
        });
        assert!(in_file, "{}: the key field is not proposed", flow.name);
    }
    let in_files = proposed.project.create_fields.iter().map(|wanted| (&wanted.system, &wanted.object, &wanted.field));
    let given = proposed.proposal.create_fields.iter().map(|(system, object, field)| (system, object, field));
    assert!(in_files.eq(given), "fields.yaml says what the proposal says");
}
