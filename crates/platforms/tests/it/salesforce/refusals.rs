//! What refusals mean, and that they repeat no value.

use handover_connect::{FaultKind, Operation};
use serde_json::json;

use super::{ONE, create, decoded, list, reply, text, written};

#[test]
fn statuses_and_codes_decide() {
    let list = list("Account", &["Name"]);
    let all = [
        (401, "INVALID_SESSION_ID", "Session expired or invalid", FaultKind::Auth),
        (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", FaultKind::Limited),
        (403, "INSUFFICIENT_ACCESS", "no", FaultKind::Denied),
        (403, "API_CURRENTLY_DISABLED", "no", FaultKind::Denied),
        (400, "INVALID_FIELD", "No such column 'foo' on entity 'Account'", FaultKind::Invalid),
        (400, "INVALID_TYPE", "sObject type 'Account' is not supported.", FaultKind::Denied),
        (400, "QUERY_TIMEOUT", "no", FaultKind::Unavailable),
        (400, "WHATEVER_ELSE", "no", FaultKind::Invalid),
        (404, "NOT_FOUND", "no", FaultKind::NotFound),
        (405, "METHOD_NOT_ALLOWED", "no", FaultKind::Unsupported),
        (410, "GONE", "no", FaultKind::Unsupported),
        (412, "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE", "no", FaultKind::Conflict),
        (500, "UNKNOWN_EXCEPTION", "no", FaultKind::Unavailable),
    ];
    for (status, code, message, kind) in all {
        let fault =
            decoded(&list, None, &reply(status, &json!([{"errorCode": code, "message": message}]))).unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str(), fault.status), (kind, code, status));
    }
    // Overloaded instances answer with pages for people.
    for status in [500, 502, 503, 504] {
        assert_eq!(decoded(&list, None, &text(status, "<html>")).unwrap_err().kind, FaultKind::Unavailable);
    }
    assert_eq!(decoded(&list, None, &text(200, "<html>")).unwrap_err().kind, FaultKind::Malformed);
    assert_eq!(decoded(&list, None, &text(420, "")).unwrap_err().kind, FaultKind::Unavailable);
}

#[test]
fn a_day_is_spent_and_a_crowd_passes() {
    let list = list("Account", &["Name"]);
    let limited = |message: &str| {
        let body = json!([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": message}]);
        decoded(&list, None, &reply(403, &body)).unwrap_err()
    };
    assert!(limited("TotalRequests Limit exceeded.").is_daily_limit());
    let crowd = limited("ConcurrentRequests (Concurrent API Requests) Limit exceeded.");
    assert!(!crowd.is_daily_limit() && crowd.detail.limited.unwrap().wait_ms.is_some());
}

#[test]
fn rows_name_their_field_and_no_value() {
    let secret = "Zq7 secret";
    let all = [
        (
            "STRING_TOO_LONG",
            format!("Name: data value too large: {secret} (max length=255)"),
            vec!["Name"],
            FaultKind::Invalid,
        ),
        ("INVALID_EMAIL_ADDRESS", format!("Email: invalid email address: {secret}"), vec!["Email"], FaultKind::Invalid),
        (
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            format!("bad value for restricted picklist field: {secret}"),
            vec!["Type"],
            FaultKind::Invalid,
        ),
        (
            "INVALID_FIELD",
            format!("Foreign key external ID: {secret} not found for field Src_Id__c in entity Account"),
            vec![],
            FaultKind::Invalid,
        ),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", format!("trigger failed on {secret}"), vec![], FaultKind::Invalid),
        (
            "INVALID_CROSS_REFERENCE_KEY",
            format!("invalid cross reference id {secret}"),
            vec!["OwnerId"],
            FaultKind::Invalid,
        ),
    ];
    for (code, message, fields, kind) in all {
        let row = json!([{"success": false, "errors": [{"statusCode": code, "message": message, "fields": fields}]}]);
        let new = create("Account", &[&[("Name", "a".into())]]);
        let told = written(decoded(&new, None, &reply(200, &row)).unwrap());
        let handover_connect::WriteOutcome::Refused(fault) = &told[0].outcome else { panic!("{told:?}") };
        assert_eq!((fault.kind, fault.field.as_ref().map(|name| name.as_str())), (kind, fields.first().copied()));
        assert!(!format!("{fault:?}").contains(secret) && fault.message.contains(code), "{fault:?}");
    }
}

#[test]
fn what_people_wrote_and_whom_it_clashes_with_is_told() {
    let new = create("Account", &[&[("Name", "a".into())]]);
    let fault = |row: serde_json::Value| {
        let told = written(decoded(&new, None, &reply(200, &json!([row]))).unwrap());
        match told[0].outcome.clone() {
            handover_connect::WriteOutcome::Refused(fault) => fault,
            other => panic!("{other:?}"),
        }
    };
    let of = |code: &str, message: &str| json!({"success": false, "errors": [{"statusCode": code, "message": message, "fields": []}]});
    let rule = fault(of("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Bitte eine Branche wählen."));
    assert_eq!(rule.message, "Bitte eine Branche wählen.");
    let taken = fault(of(
        "DUPLICATE_VALUE",
        &format!("duplicate value found: Src__c duplicates value on record with id: {ONE}"),
    ));
    assert_eq!((taken.kind, taken.detail.clashing), (FaultKind::Conflict, vec![ONE.to_owned()]));
    let mut like = of("DUPLICATES_DETECTED", "You're creating a duplicate record.");
    like["errors"][0]["duplicateResult"] =
        json!({"matchResults": [{"matchRecords": [{"record": {"Id": ONE, "Name": "N"}}]}]});
    assert_eq!(fault(like).detail.clashing, [ONE]);
    let country = "There's a problem with this country, even though it may appear correct. Please select a country from the \
                   list of valid countries.: Mailing Country";
    let mut row = of("FIELD_INTEGRITY_EXCEPTION", country);
    row["errors"][0]["fields"] = json!(["MailingCountry"]);
    let told = fault(row);
    assert_eq!((told.kind, told.message.as_str()), (FaultKind::Invalid, country));
    assert_eq!(told.field.unwrap(), "MailingCountry");
    let kind = "Record Type ID: this ID value isn't valid for the user: 0125g000000XyZAAA0";
    let mut row = of("INVALID_CROSS_REFERENCE_KEY", kind);
    row["errors"][0]["fields"] = json!(["RecordTypeId"]);
    let told = fault(row);
    assert!(told.kind == FaultKind::Invalid && told.message.contains("profile does not allow"), "{told}");
    let owner = fault(of(
        "INACTIVE_OWNER_OR_USER",
        "operation performed with inactive user [005D0000001AbCd] as owner of account",
    ));
    assert!(owner.kind == FaultKind::Invalid && owner.message.contains("inactive user"), "{owner}");
    let missing = fault(of("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]"));
    assert_eq!(missing.field.unwrap(), "LastName");
    let gone = fault(of("INVALID_FIELD", "No such column 'Old__c' on sobject of type Account"));
    assert_eq!(gone.field.unwrap(), "Old__c");
}

#[test]
fn what_it_cannot_do_is_refused() {
    let operations = [
        Operation::Automations,
        Operation::Merge { object: "Opportunity".into(), survivor: ONE.into(), other: ONE.into() },
        Operation::Merge { object: "Account".into(), survivor: ONE.into(), other: "<x>".into() },
        Operation::History { object: "Account".into(), fields: [].into(), ids: vec![ONE.into()] },
        Operation::Delete { object: "ContentVersion".into(), ids: vec![ONE.into()] },
        Operation::Describe("Folder".into()),
    ];
    for operation in operations {
        assert!(super::encoded(&operation, None).starts_with("refused: "), "{operation:?}");
    }
}
