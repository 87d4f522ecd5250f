//! Relations that are taken away, where the account makes it hard.

use handover_sandbox::journal::Action;

use super::*;

fn participants(pairs: &[(&str, &str)]) -> LinkBatch {
    let links = pairs.iter().map(|(from, to)| Link { from: (*from).into(), to: (*to).into() }).collect();
    LinkBatch { object: "deals".into(), field: "participants".into(), to_object: "persons".into(), links }
}

async fn people(stage: &Stage, deal: &str) -> Vec<String> {
    let read = stage.driver.enrich(&"deals".into(), &"participants".into(), &[deal.into()]).await.unwrap();
    read[0].fields.get("participants").unwrap().ids().into_iter().map(str::to_owned).collect()
}

fn calls(stage: &Stage) -> usize {
    stage.sandbox.lock().unwrap().journal().entries().len()
}

#[tokio::test]
async fn the_main_person_is_a_field_and_stays() {
    let stage = stage();
    stage.schema("deals").await;
    assert_eq!(people(&stage, "1").await, ["1", "2"]);
    let outcomes = stage.driver.unlink(&participants(&[("1", "1"), ("1", "2"), ("1", "3")])).await.unwrap();
    let refused = outcomes[0].result.as_ref().unwrap_err();
    assert_eq!(refused.kind, FaultKind::Invalid, "{refused}");
    assert!(outcomes[1].result.is_ok() && outcomes[2].result.is_ok(), "{outcomes:?}");
    assert_eq!(people(&stage, "1").await, ["1"]);
}

#[tokio::test]
async fn relations_of_a_record_are_read_once_for_all_its_links() {
    let stage = stage();
    stage.schema("deals").await;
    let both = participants(&[("2", "1"), ("2", "3")]);
    stage.driver.link(&both).await.unwrap();
    let before = calls(&stage);
    let outcomes = stage.driver.unlink(&both).await.unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()));
    assert_eq!(calls(&stage) - before, 3, "one list, two deletions");
    assert_eq!(people(&stage, "2").await, ["2"]);
    assert_eq!(stage.sandbox.lock().unwrap().journal().count("deal_participant", Action::Unlinked), 2);
}

#[tokio::test]
async fn equal_relations_go_together_and_others_stay() {
    let stage = stage();
    stage.schema("organizations").await;
    let relate = |kind: &str, owner: u64, linked: u64| {
        let body = json!({"type": kind, "rel_owner_org_id": owner, "rel_linked_org_id": linked});
        let request = handover_sandbox::Request::new("POST", "/v1/organizationRelationships")
            .with_header("x-api-token", "api")
            .with_json(&body);
        stage.sandbox.lock().unwrap().handle(&request, stage.clock.now());
    };
    // The same parent twice, a relation of another kind, and one in the other direction.
    for (kind, owner, linked) in [("parent", 1, 2), ("parent", 1, 2), ("related", 1, 2), ("parent", 2, 1)] {
        relate(kind, owner, linked);
    }
    let link = Link { from: "2".into(), to: "1".into() };
    let batch = LinkBatch {
        object: "organizations".into(),
        field: "parent".into(),
        to_object: "organizations".into(),
        links: [link].into(),
    };
    assert!(stage.driver.unlink(&batch).await.unwrap()[0].result.is_ok());
    let parent = |id: &'static str| {
        let stage = &stage;
        async move {
            let read = stage.driver.enrich(&"organizations".into(), &"parent".into(), &[id.into()]).await.unwrap();
            read[0].fields.get("parent").cloned().unwrap()
        }
    };
    assert!(parent("2").await == Value::Null && parent("1").await == Value::from("2"));
    assert_eq!(stage.sandbox.lock().unwrap().journal().count("organization_relationship", Action::Unlinked), 2);
}
