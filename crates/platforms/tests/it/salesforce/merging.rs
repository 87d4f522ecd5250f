//! Merging by SOAP: the envelope, and what answers mean.

use handover_connect::{Body, Connector as _, Credentials, Dialect as _, FaultKind, Operation, Piece, WriteOutcome};
use handover_platforms::salesforce::Salesforce;
use secrecy::SecretString;
use serde_json::{Value as Json, json};

use super::live::{Live, id, live};
use super::{CONTACT, ONE, TWO, decoded, outcomes, reply, text, then, written};
use crate::lists::rest;

fn merge() -> Operation {
    Operation::Merge { object: "Account".into(), survivor: ONE.into(), other: TWO.into() }
}

#[test]
fn the_envelope_is_that_of_the_partner_interface() {
    let dialect = Salesforce::new();
    let mut request = dialect.encode(&merge(), None).unwrap();
    assert!(!request.idempotent);
    dialect.authorize(&mut request, &Credentials::Token(SecretString::from("00D!a<b&c")));
    assert!(request.headers.iter().all(|(name, _)| name != "authorization"));
    assert_eq!((request.path.as_str(), request.headers[0].0.as_str()), ("/services/Soap/u/66.0", "soapaction"));
    let Body::Pieces { kind, pieces } = &request.body else { panic!("{:?}", request.body) };
    assert_eq!(kind, "text/xml; charset=UTF-8");
    let parts: Vec<&str> = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            piece @ Piece::Base64 { .. } => panic!("{piece:?}"),
        })
        .collect();
    assert_eq!(
        parts.concat(),
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:p=\"urn:partner.soap.sforce.com\" xmlns:o=\"urn:sobject.partner.soap.sforce.com\"><e:Header>\
             <p:SessionHeader><p:sessionId>00D!a&lt;b&amp;c</p:sessionId></p:SessionHeader><p:CallOptions>\
             <p:client>handover</p:client></p:CallOptions></e:Header><e:Body><p:merge><p:request><p:masterRecord>\
             <o:type>Account</o:type><o:Id>{ONE}</o:Id></p:masterRecord><p:recordToMergeIds>{TWO}</p:recordToMergeIds>\
             </p:request></p:merge></e:Body></e:Envelope>"
        )
    );
}

fn answer(result: &str) -> handover_connect::Reply {
    text(
        200,
        &format!(
            "<?xml version=\"1.0\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns=\"urn:partner.soap.sforce.com\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Header>\
             <LimitInfoHeader><limitInfo><current>1</current></limitInfo></LimitInfoHeader></soapenv:Header><soapenv:Body>\
             <mergeResponse><result>{result}</result></mergeResponse></soapenv:Body></soapenv:Envelope>"
        ),
    )
}

fn refused(code: &str, message: &str) -> handover_connect::Reply {
    answer(&format!(
        "<errors><fields>Name</fields><message>{message}</message><statusCode>{code}</statusCode></errors>\
         <id xsi:nil=\"true\"/><success>false</success>"
    ))
}

fn fault(code: &str, message: &str) -> handover_connect::Reply {
    text(
        500,
        &format!(
            "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:sf=\"urn:fault.partner.soap.sforce.com\"><soapenv:Body><soapenv:Fault><faultcode>{code}</faultcode><faultstring>{message}</faultstring>\
             </soapenv:Fault></soapenv:Body></soapenv:Envelope>"
        ),
    )
}

#[test]
fn what_answers_mean() {
    let done = |id: &str, loser: &str| {
        answer(&format!(
            "<id>{id}</id><mergedRecordIds>{loser}</mergedRecordIds><success>true</success>\
             <updatedRelatedIds>{CONTACT}</updatedRelatedIds>"
        ))
    };
    let told = |reply: &handover_connect::Reply| match decoded(&merge(), None, reply) {
        Ok(step) => outcomes(&written(step)).concat(),
        Err(fault) => format!("fault {:?}", fault.kind),
    };
    // Ids of 15 characters and of 18 are one.
    assert_eq!(told(&done(ONE, TWO)), format!("{ONE} {ONE} Some(false)"));
    assert_eq!(told(&done(&ONE[..15], &TWO[..15])), format!("{ONE} {ONE} Some(false)"));
    let all = [
        (done(TWO, ONE), "fault Malformed".to_owned()),
        (answer(""), "fault Malformed".to_owned()),
        (text(200, "<html>"), "fault Malformed".to_owned()),
        (text(503, "<html>"), "fault Unavailable".to_owned()),
        (refused("ENTITY_IS_DELETED", "entity is deleted"), format!("{ONE} NotFound ENTITY_IS_DELETED")),
        (refused("INVALID_CROSS_REFERENCE_KEY", "x"), format!("{ONE} Invalid INVALID_CROSS_REFERENCE_KEY")),
        (refused("MERGE_FAILED", "x"), format!("{ONE} Invalid MERGE_FAILED")),
        (refused("ENTITY_IS_LOCKED", "x"), format!("{ONE} Denied ENTITY_IS_LOCKED")),
        (refused("UNKNOWN_EXCEPTION", "x"), format!("{ONE} ? Unavailable")),
        (refused("", ""), format!("{ONE} ? Malformed")),
        (fault("sf:INVALID_SESSION_ID", "INVALID_SESSION_ID: x"), "fault Auth".to_owned()),
        (fault("sf:REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), "fault Limited".to_owned()),
        (fault("sf:API_DISABLED_FOR_ORG", "x"), "fault Denied".to_owned()),
        (fault("sf:UNKNOWN_EXCEPTION", "x"), "fault Unavailable".to_owned()),
        (fault("soapenv:Server", "x"), "fault Unavailable".to_owned()),
        (fault("soapenv:Client", "x"), "fault Unsupported".to_owned()),
        (fault("sf:INVALID_ID_FIELD", "x"), format!("{ONE} Invalid INVALID_ID_FIELD")),
        (reply(401, &json!([{"errorCode": "INVALID_SESSION_ID", "message": "x"}])), "fault Auth".to_owned()),
    ];
    for (reply, expected) in all {
        assert_eq!(told(&reply), expected, "{}", String::from_utf8_lossy(&reply.body));
    }
    // A rule's own words, in whatever language.
    let rule = refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Grün &amp; &lt;blau&gt;");
    let told = written(decoded(&merge(), None, &rule).unwrap()).remove(0).outcome;
    let WriteOutcome::Refused(fault) = told else { panic!("{told:?}") };
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Invalid, "Grün & <blau>"));
    assert_eq!(fault.field.unwrap(), "Name");
}

#[test]
fn a_record_that_somebody_holds_is_waited_for() {
    let lock = || refused("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access");
    let (mut place, mut waited) = then(&merge(), None, &lock());
    for _ in 0..3 {
        let (next, wait_ms) = then(&merge(), Some(&place), &lock());
        assert!(wait_ms > waited);
        (place, waited) = (next, wait_ms);
    }
    // Its transaction was given up, so it is refused and not unknown.
    assert_eq!(
        outcomes(&written(decoded(&merge(), Some(&place), &lock()).unwrap())),
        [format!("{ONE} Unavailable UNABLE_TO_LOCK_ROW")]
    );
}

fn world(settings: Json) -> Json {
    let accounts: Vec<Json> = (1..=4).map(|n| json!({"Id": id("001", n), "Name": format!("A {n}")})).collect();
    let contact = json!({"Id": id("003", 1), "LastName": "Lee", "AccountId": id("001", 2)});
    json!({"settings": settings, "records": {"Account": accounts, "Contact": [contact]}})
}

#[tokio::test]
async fn what_hangs_on_the_other_record_moves() {
    let org = Live::of(world(json!({"lock_every": 2})), Salesforce::new).await;
    let merge = async |survivor: usize, other: usize| {
        let before = org.sent();
        let (survivor, other) = (id("001", survivor).into(), id("001", other).into());
        let outcome = org.driver.merge(&"Account".into(), &survivor, &other).await.unwrap();
        assert!(matches!(&outcome, WriteOutcome::Applied { id, .. } if *id == survivor), "{outcome:?}");
        org.sent() - before
    };
    // Every second write meets a lock, and is sent again.
    assert_eq!((merge(1, 2).await, merge(1, 3).await), (1, 2));
    let accounts = rest(&org.driver, &live("Account", &["Name"]), None).await;
    assert_eq!(accounts.len(), 2);
    let contacts = rest(&org.driver, &live("Contact", &["AccountId"]), None).await;
    assert_eq!(contacts[0].fields.get("AccountId").unwrap().display(), id("001", 1));
}

#[tokio::test]
async fn a_session_that_ended_is_bought_anew() {
    let org = Live::by_app(world(json!({"session_s": 600})), Salesforce::new).await;
    org.wait(3_000).await;
    let before = org.sent();
    let outcome = org.driver.merge(&"Account".into(), &id("001", 1).into(), &id("001", 2).into()).await.unwrap();
    assert!(matches!(outcome, WriteOutcome::Applied { .. }), "{outcome:?}");
    let soap = "POST /services/Soap/u/66.0";
    assert_eq!(org.paths(before), [soap, "POST /services/oauth2/token", soap]);
}
