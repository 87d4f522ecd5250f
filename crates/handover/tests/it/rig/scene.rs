//! A small company in one CRM, an account of the other, and the project that `init` proposes for them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use handover::config;
use handover::init::{SystemView, optional, propose};
use handover_connect::{Connector, Credentials, Driver, NoKeeper, Read, Settings, VirtualClock, Which};
use handover_engine::{Drift, Error, People, Project, Ready, Setup};
use handover_local::LocalTransport;
use handover_model::SystemName;
use handover_sandbox::{Platform, Sandbox, sample};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value as Json, json};

use super::wire::{Mortal, Wire};
use super::{Death, load};

/// Which way a migration goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Pipedrive to HubSpot.
    ToHubspot,
    /// HubSpot to Pipedrive.
    ToPipedrive,
}

impl Way {
    pub(crate) fn platforms(self) -> [&'static str; 2] {
        match self {
            Self::ToHubspot => ["pipedrive", "hubspot"],
            Self::ToPipedrive => ["hubspot", "pipedrive"],
        }
    }
}

/// Where every migration of one way begins.
pub(crate) struct Scene {
    /// Of the two companies which one; none between worlds of a test's own.
    company: Option<Way>,
    /// The old system's and the new one's.
    pub(crate) platforms: [&'static str; 2],
    pub(crate) old: Json,
    pub(crate) new: Json,
    pub(crate) project: config::Project,
    _folder: tempfile::TempDir,
    pub(crate) start: Timestamp,
    /// By what the flows say of deletions and merges.
    compiled: Mutex<BTreeMap<String, Compiled>>,
}

/// Flows, ready to work, and the users of their systems.
type Compiled = (Vec<Arc<Ready>>, People);

impl Scene {
    /// The scene of a way, made once.
    pub(crate) fn of(way: Way) -> &'static Self {
        static SCENES: [OnceLock<Scene>; 2] = [OnceLock::new(), OnceLock::new()];
        SCENES[way as usize].get_or_init(|| Self::make(way, &[], &|_| {}))
    }

    /// The same with these flows going both ways, made once for each way.
    pub(crate) fn both_ways(way: Way) -> &'static Self {
        static SCENES: [OnceLock<Scene>; 2] = [OnceLock::new(), OnceLock::new()];
        let flows: &[&str] = match way {
            Way::ToHubspot => &["organizations", "persons", "deals"],
            Way::ToPipedrive => &["companies", "contacts", "deals"],
        };
        SCENES[way as usize].get_or_init(|| Self::make(way, flows, &|_| {}))
    }

    /// A scene of its own, whose project is edited in its folder.
    pub(crate) fn edited(way: Way, both_ways: &[&str], edit: &dyn Fn(&Path)) -> &'static Self {
        Box::leak(Box::new(Self::make(way, both_ways, edit)))
    }

    /// A scene of its own between these two worlds.
    pub(crate) fn between(platforms: [&'static str; 2], old: Json, new: Json) -> &'static Self {
        Box::leak(Box::new(Self::over(None, platforms, (old, new), &[], &|_| {})))
    }

    /// Which way the company goes.
    pub(crate) fn way(&self) -> Way {
        self.company.expect("a scene of one of the two companies")
    }

    fn make(way: Way, both_ways: &[&str], edit: &dyn Fn(&Path)) -> Self {
        Self::over(Some(way), way.platforms(), worlds(way), both_ways, edit)
    }

    fn over(
        way: Option<Way>,
        platforms: [&'static str; 2],
        (old, new): (Json, Json),
        both_ways: &[&str],
        edit: &dyn Fn(&Path),
    ) -> Self {
        // As the sandbox itself writes it down.
        let old = world(platforms[0], old).unwrap().world();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (new, start) = runtime.block_on(write_project(platforms, &old, new, folder.path()));
        for flow in both_ways {
            let file = folder.path().join("mappings").join(format!("{flow}.yaml"));
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::write(file, text.replace("direction: one_way", "direction: both_ways")).unwrap();
        }
        edit(folder.path());
        let project = load(folder.path());
        Self { company: way, platforms, old, new, project, _folder: folder, start, compiled: Mutex::default() }
    }

    /// What a pass needs. Rules are compiled once for all lives; the systems describe themselves in each.
    pub(crate) async fn setup(&self, project: Project) -> Result<Setup, Error> {
        let rules: Vec<String> = project.flows.iter().map(|flow| format!("{:?}", flow.removals)).collect();
        let rules = rules.join("; ");
        let compiled = self.compiled.lock().unwrap().get(&rules).cloned();
        let Some((flows, people)) = compiled else {
            let setup = Setup::prepare(project).await?;
            self.compiled.lock().unwrap().insert(rules, (setup.flows.clone(), setup.people.clone()));
            return Ok(setup);
        };
        let ends = project.flows.iter().flat_map(|flow| [&flow.source, &flow.target]);
        for (system, object) in ends.map(|end| (&end.system, &end.object)).collect::<BTreeSet<_>>() {
            let described = project.system(system)?.describe(object).await;
            described.map_err(|fault| Error::System { system: system.clone(), fault })?;
        }
        Ok(Setup { project, flows, people, drift: Drift::default() })
    }

    /// Both systems over one wire.
    pub(crate) fn connect(
        &self,
        sandboxes: &[Arc<Mutex<Sandbox>>; 2],
        clock: &Arc<VirtualClock>,
        wire: &Arc<Wire>,
    ) -> BTreeMap<SystemName, Arc<dyn Connector>> {
        connect(self.platforms, sandboxes, clock, wire)
    }
}

/// The two companies. Notes and activities are thinned out: each costs a call on Pipedrive.
fn worlds(way: Way) -> (Json, Json) {
    match way {
        Way::ToHubspot => {
            let company = sample::small(1);
            let (mut old, mut new) = (company.pipedrive, company.hubspot);
            for object in ["notes", "activities"] {
                thin(&mut old[object], 4);
            }
            twin_files(&mut old["files"], json!(9001));
            new["settings"]["partial_write_on_refusal"] = json!(true);
            (old, new)
        }
        Way::ToPipedrive => {
            let company = sample::hubspot_company_scaled(1, sample::Scale::small());
            let (mut old, mut new) = (company.hubspot, company.pipedrive);
            for (object, keep) in [("contacts", 4), ("deals", 2), ("calls", 4), ("meetings", 4), ("tasks", 4)] {
                thin(&mut old["objects"][object], keep);
            }
            thin_notes(&mut old["objects"]["notes"]);
            cut_loose_ends(&mut old);
            twin_files(&mut old["files"], json!(79_000_000_001_u64));
            twin_notes(&mut old);
            new["settings"]["contact_sync"] = json!(true);
            (old, new)
        }
    }
}

/// Keeps every n-th record.
fn thin(records: &mut Json, n: usize) {
    let records = records.as_array_mut().unwrap();
    let mut at = 0;
    records.retain(|_| {
        at += 1;
        (at - 1) % n == 0
    });
}

/// Keeps every eighth note and those with files.
fn thin_notes(notes: &mut Json) {
    let mut at = 0;
    notes.as_array_mut().unwrap().retain(|note| {
        at += 1;
        (at - 1) % 8 == 0 || note["properties"].get("hs_attachment_ids").is_some()
    });
}

/// A file with the name of the last one and other bytes.
fn twin_files(files: &mut Json, id: Json) {
    let mut twin = files.as_array().unwrap().last().unwrap().clone();
    twin["id"] = id;
    twin["content_base64"] = json!("b3RoZXIgYnl0ZXM=");
    if twin.get("file_size").is_some() {
        twin["file_size"] = json!(11);
    }
    files.as_array_mut().unwrap().push(twin);
}

/// A note beside one of the same parents that says the same, and the second file on the note of the first.
fn twin_notes(world: &mut Json) {
    let links = world["associations"].clone();
    let linked = |id: &Json| links.as_array().unwrap().iter().any(|link| link["toId"] == *id || link["fromId"] == *id);
    let notes = world["objects"]["notes"].as_array_mut().unwrap();
    let with_file = notes.iter_mut().rev().find(|note| note["properties"].get("hs_attachment_ids").is_some()).unwrap();
    let files = with_file["properties"]["hs_attachment_ids"].as_str().unwrap().to_owned() + ";79000000001";
    with_file["properties"]["hs_attachment_ids"] = json!(files);
    let plain = |note: &&Json| note["properties"].get("hs_attachment_ids").is_none() && linked(&note["id"]);
    let mut twin = notes.iter().find(plain).unwrap().clone();
    let of = twin["id"].clone();
    twin["id"] = json!("59000000001");
    notes.push(twin);
    let links = world["associations"].as_array_mut().unwrap();
    let mut more: Vec<Json> = links.iter().filter(|link| link["toId"] == of || link["fromId"] == of).cloned().collect();
    for link in &mut more {
        for end in ["toId", "fromId"] {
            if link[end] == of {
                link[end] = json!("59000000001");
            }
        }
    }
    links.extend(more);
}

/// Takes away associations with records that are not there.
fn cut_loose_ends(world: &mut Json) {
    let there: BTreeSet<(String, String)> = world["objects"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(object, records)| {
            records
                .as_array()
                .unwrap()
                .iter()
                .map(move |record| (object.clone(), record["id"].as_str().unwrap().to_owned()))
        })
        .collect();
    let end = |link: &Json, object: &str, id: &str| {
        (link[object].as_str().unwrap().to_owned(), link[id].as_str().unwrap().to_owned())
    };
    world["associations"].as_array_mut().unwrap().retain(|link| {
        there.contains(&end(link, "fromType", "fromId")) && there.contains(&end(link, "toType", "toId"))
    });
}

/// A platform's world.
pub(crate) fn world(platform: &str, world: Json) -> Result<Box<dyn Platform>, handover_sandbox::Refused> {
    handover_sandbox::world(platform, Some(world), 1)
}

fn connect(
    platforms: [&'static str; 2],
    sandboxes: &[Arc<Mutex<Sandbox>>; 2],
    clock: &Arc<VirtualClock>,
    wire: &Arc<Wire>,
) -> BTreeMap<SystemName, Arc<dyn Connector>> {
    let mut systems: BTreeMap<SystemName, Arc<dyn Connector>> = BTreeMap::new();
    for ((name, platform), sandbox) in ["old", "new"].into_iter().zip(platforms).zip(sandboxes) {
        let platform = handover_platforms::platform(platform).unwrap();
        let token = sandbox.lock().unwrap().platform().credentials()["token"].as_str().unwrap().to_owned();
        let settings = Settings { reserve: 0.2, ..Settings::at(format!("http://{name}.sandbox.test")) };
        let transport = Mortal { below: LocalTransport::new(sandbox.clone(), clock.clone()), wire: wire.clone() };
        let credentials = Credentials::Token(SecretString::from(token));
        let driver = Driver::new(
            (platform.dialect)(),
            Arc::new(transport),
            clock.clone(),
            Arc::new(NoKeeper),
            credentials,
            settings,
        );
        systems.insert(name.into(), Arc::new(driver));
    }
    systems
}

/// Proposes and writes the project, creates its fields; gives the target with them, and the time.
async fn write_project(platforms: [&'static str; 2], old: &Json, new: Json, dir: &Path) -> (Json, Timestamp) {
    let clock = Arc::new(VirtualClock::new("2026-11-02T08:00:00Z".parse().unwrap()));
    let [from, to] = platforms;
    let sandbox = |platform, json: Json| Arc::new(Mutex::new(Sandbox::new(world(platform, json).unwrap())));
    let sandboxes = [sandbox(from, old.clone()), sandbox(to, new)];
    let wire = Arc::new(Wire::new(Death::No, None));
    let systems = connect(platforms, &sandboxes, &clock, &wire);
    let proposal = propose(&view("old", from, &systems).await, &view("new", to, &systems).await);
    for (path, text) in &proposal.files {
        let file = dir.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let mut created = Vec::new();
    for (system, object, field) in &proposal.create_fields {
        let made = systems[system].create_field(object, field).await.unwrap();
        created.push(config::Created {
            system: system.clone(),
            object: object.clone(),
            name: field.name.clone(),
            created_as: made.name,
        });
    }
    config::record_created(dir, &created).unwrap();
    let world = sandboxes[1].lock().unwrap().platform().world();
    use handover_connect::Clock as _;
    (world, clock.now())
}

async fn view(name: &str, platform: &str, systems: &BTreeMap<SystemName, Arc<dyn Connector>>) -> SystemView {
    let system = &systems[name];
    let mut schemas = Vec::new();
    for object in system.objects() {
        schemas.extend(system.describe(&object).await.ok());
    }
    let mut counts = BTreeMap::new();
    for (object, asked) in optional(platform) {
        let read = Read { object: asked.into(), fields: Arc::from([]), which: Which::Live, since: None };
        if system.page(&read, None).await.unwrap().records.is_empty() {
            counts.insert(object.into(), 0);
        }
    }
    SystemView {
        name: name.into(),
        platform: platform.to_owned(),
        account: system.account().await.unwrap(),
        schemas,
        custom: system.custom_objects().await.ok(),
        counts,
        users: system.users().await.unwrap(),
    }
}
