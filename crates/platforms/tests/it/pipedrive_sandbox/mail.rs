//! Synced e-mail through the real driver: whose mail is asked for, and what a message says.

use super::*;

fn party(address: &str, person: Option<u64>) -> Json {
    json!({"email_address": address, "name": format!("Name of {address}"), "linked_person_id": person})
}

/// 21 hangs on the open deal and two persons, 22 on the archived deal, 23 and 24 on a person alone; 24 has no
/// text.
fn with_mail() -> Json {
    let message = |id: u64, deal: Option<u64>, to: Json, body: Option<&str>| {
        json!({"id": id, "mail_thread_id": id, "subject": format!("S{id}"), "snippet": "Begin", "user_id": 1,
            "deal_id": deal, "from": [party("ana@x.test", None)], "to": to, "cc": [], "bcc": [], "body": body,
            "sent_flag": 1, "draft_flag": 0, "message_time": "2023-05-01T08:00:00.000Z",
            "update_time": "2023-05-01T08:01:00.000Z"})
    };
    let mut world = world();
    world["mail_messages"] = json!([
        message(21, Some(1), json!([party("ada@y.test", Some(1)), party("bo@y.test", Some(2))]), Some("<p>21</p>")),
        message(22, Some(3), json!([party("nobody@y.test", None)]), Some("<p>22</p>")),
        message(23, None, json!([party("bo@y.test", Some(2))]), Some("<p>23</p>")),
        message(24, None, json!([party("bo@y.test", Some(2))]), None),
    ]);
    world
}

fn mail_stage(world: Json) -> Stage {
    stage_of(world, Credentials::Token(SecretString::from("api")))
}

fn paths(stage: &Stage, from: usize) -> Vec<String> {
    let sandbox = stage.sandbox.lock().unwrap();
    sandbox.journal().entries().iter().skip(from).map(|entry| entry.path.clone()).collect()
}

#[tokio::test]
async fn only_records_that_have_mail_are_asked_for_it() {
    let stage = mail_stage(with_mail());
    stage.schema("mail_messages").await;
    let before = paths(&stage, 0).len();
    let fields = names(&["subject", "deal_id", "linked_person_id", "from", "to", "message_time", "sent_flag"]);
    let records = stage.all("mail_messages", &fields, Which::Live).await;
    assert_eq!(
        paths(&stage, before),
        [
            "/api/v2/deals",
            "/v1/deals/1/mailMessages",
            "/api/v2/deals/archived",
            "/v1/deals/3/mailMessages",
            "/api/v2/persons",
            "/v1/persons/1/mailMessages",
            "/v1/persons/2/mailMessages",
        ]
    );
    let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids, ["21", "22", "21", "21", "23", "24"], "a message comes with everything that it hangs on");
    let deal = |at: usize| records[at].fields.get("deal_id").cloned();
    assert_eq!((deal(0), deal(1), deal(4)), (Some("1".into()), Some("3".into()), Some(Value::Null)));
    let first = &records[0].fields;
    assert_eq!(first.get("linked_person_id"), Some(&Value::List(vec!["1".into(), "2".into()])));
    assert_eq!(records[1].fields.get("linked_person_id"), Some(&Value::Null));
    assert_eq!(first.get("sent_flag"), Some(&Value::Bool(true)));
    let Some(Value::List(to)) = first.get("to") else { panic!("recipients are a list") };
    let Some(Value::Map(ada)) = to.first() else { panic!("a recipient has an address and a name") };
    assert_eq!((&ada["value"], &ada["label"]), (&"ada@y.test".into(), &"Name of ada@y.test".into()));
    assert_eq!(records[0].modified, Some("2023-05-01T08:01:00Z".parse().unwrap()));
}

#[tokio::test]
async fn the_text_is_read_message_by_message_where_there_is_one() {
    let stage = mail_stage(with_mail());
    let schema = stage.schema("mail_messages").await;
    let handover_model::ReadCost::Extra { per_call: 1, opt_in: true, only_above: Some(_) } =
        &schema.field("body").unwrap().read
    else {
        panic!("the text is read in calls of its own, on request")
    };
    let records = stage.all("mail_messages", &names(&["subject", "body"]), Which::Live).await;
    let told = |id: &str| records.iter().find(|record| record.id == *id).unwrap().fields.get("body").cloned();
    assert_eq!((told("23"), told("24")), (None, Some(Value::Null)), "no call for a message without text");
    let ids: Vec<RecordId> = vec!["21".into(), "23".into(), "99".into()];
    let texts = stage.driver.enrich(&"mail_messages".into(), &"body".into(), &ids).await.unwrap();
    let texts: Vec<(&str, String)> =
        texts.iter().map(|one| (one.id.as_str(), one.fields.get("body").unwrap().display())).collect();
    assert_eq!(texts, [("21", "<p>21</p>".to_owned()), ("23", "<p>23</p>".to_owned())]);
    let fetched = stage.driver.fetch(&"mail_messages".into(), &names(&["subject"]), &["22".into()]).await.unwrap();
    assert_eq!(fetched[0].fields.get("subject"), Some(&"S22".into()));
}

#[tokio::test]
async fn a_record_deleted_on_the_way_takes_no_others_along() {
    let stage = mail_stage(with_mail());
    stage.schema("mail_messages").await;
    stage.faults(json!([{"when": {"path": "/v1/deals/1/mailMessages", "nth": 1},
        "fault": {"kind": "disturb", "before": true,
            "disturbance": {"object": "deal", "which": {"id": "1"}, "action": "delete"}}}]));
    let records = stage.all("mail_messages", &names(&["subject", "deal_id"]), Which::Live).await;
    let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(ids, ["22", "21", "21", "23", "24"], "its mail comes with the people");
}

#[tokio::test]
async fn a_token_without_the_scope_is_denied() {
    let credentials = Credentials::Oauth {
        client_id: "app".to_owned(),
        client_secret: Some(SecretString::from("s")),
        refresh_token: SecretString::from("first"),
        access: None,
    };
    let stage = stage_of(with_mail(), credentials);
    stage.schema("mail_messages").await;
    let read = Read { object: "mail_messages".into(), fields: names(&["subject"]), which: Which::Live, since: None };
    assert_eq!(stage.driver.page(&read, None).await.unwrap_err().kind, FaultKind::Denied);
}
