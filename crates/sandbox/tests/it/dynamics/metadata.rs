//! Definitions: what they tell, and what can be added.

use serde_json::{Value as Json, json};

use super::{Org, refused};

#[test]
fn tables_tell_of_themselves() {
    let mut org = Org::new();
    let table = org.get("EntityDefinitions(LogicalName='opportunity')?$select=EntitySetName,PrimaryIdAttribute,PrimaryNameAttribute,ChangeTrackingEnabled");
    assert_eq!(
        (
            &table["EntitySetName"],
            &table["PrimaryIdAttribute"],
            &table["PrimaryNameAttribute"],
            &table["ChangeTrackingEnabled"]
        ),
        (&json!("opportunities"), &json!("opportunityid"), &json!("name"), &json!(true))
    );
    assert_eq!(table.get("SchemaName"), None);
    let list = org.rows(
        "EntityDefinitions?$select=LogicalName,EntitySetName&$filter=IsActivity eq true and LogicalName ne 'task'",
    );
    assert!(
        list.iter().any(|one| one["EntitySetName"] == "phonecalls")
            && !list.iter().any(|one| one["LogicalName"] == "task")
    );
    assert_eq!(
        org.rows("EntityDefinitions?$select=EntitySetName&$filter=LogicalName eq 'account'")[0]["EntitySetName"],
        "accounts"
    );
    assert_eq!(org.call("GET", "EntityDefinitions(LogicalName='nothing')", None).0, 404);
    assert_eq!(org.call("GET", "EntityDefinitions?$select=Colour", None).0, 400);
    let id = table["MetadataId"].as_str().unwrap().to_owned();
    assert_eq!(org.get(&format!("EntityDefinitions({id})"))["LogicalName"], "opportunity");
    let csdl = org.ask("GET", "$metadata", &[], None);
    let text = String::from_utf8(csdl.body).unwrap();
    assert!(text.contains(
        "<EntityType Name=\"account\" BaseType=\"mscrm.crmbaseentity\"><Key><PropertyRef Name=\"accountid\" /></Key>"
    ));
    assert!(text.contains("<Property Name=\"_primarycontactid_value\" Type=\"Edm.Guid\" />"));
}

#[test]
fn columns_tell_their_kinds() {
    let mut org = Org::new();
    let base = "EntityDefinitions(LogicalName='account')/Attributes";
    let all = org.rows(base);
    let find = |name: &str| all.iter().find(|one| one["LogicalName"] == name).unwrap().clone();
    let name = find("name");
    assert_eq!(
        (&name["AttributeType"], &name["MaxLength"], &name["IsPrimaryName"]),
        (&json!("String"), &json!(160), &json!(true))
    );
    assert_eq!(name["RequiredLevel"]["Value"], "ApplicationRequired");
    assert_eq!(name["DisplayName"]["UserLocalizedLabel"]["Label"], "Name");
    let on = |name: &str, property: &str| find(name)[property].clone();
    assert_eq!(
        (on("createdon", "IsValidForCreate"), on("overriddencreatedon", "IsValidForUpdate")),
        (json!(false), json!(false))
    );
    assert_eq!(on("overriddencreatedon", "IsValidForCreate"), true);
    assert_eq!(on("ownerid", "AttributeType"), "Owner");
    assert_eq!(on("primarycontactid", "Targets"), json!(["contact"]));
    assert_eq!(on("revenue", "PrecisionSource"), 2);
    assert_eq!(
        (on("primarycontactidname", "AttributeOf"), on("industrycodename", "AttributeType")),
        (json!("primarycontactid"), json!("Virtual"))
    );
    assert_eq!(org.call("GET", "accounts?$select=industrycodename", None).0, 400, "beside, never read");
    let hidden = org.get("EntityDefinitions(LogicalName='lead')/Attributes(LogicalName='isprivate')");
    assert_eq!(hidden["IsValidForRead"], false);
    assert_eq!(org.call("GET", "leads?$select=isprivate", None).0, 400);
    let picks = org.rows(&format!(
        "{base}/Microsoft.Dynamics.CRM.PicklistAttributeMetadata?$select=LogicalName&$expand=OptionSet,GlobalOptionSet"
    ));
    let industry = picks.iter().find(|one| one["LogicalName"] == "industrycode").unwrap();
    assert_eq!(industry["OptionSet"]["Options"][0]["Label"]["UserLocalizedLabel"]["Label"], "Accounting");
    let states = org.rows("EntityDefinitions(LogicalName='lead')/Attributes/Microsoft.Dynamics.CRM.StatusAttributeMetadata?$expand=OptionSet");
    let lost =
        states[0]["OptionSet"]["Options"].as_array().unwrap().iter().find(|one| one["Value"] == 4).unwrap().clone();
    assert_eq!((&lost["State"], &lost["Label"]["LocalizedLabels"][0]["Label"]), (&json!(2), &json!("Lost")));
    let state = org.rows("EntityDefinitions(LogicalName='lead')/Attributes/Microsoft.Dynamics.CRM.StateAttributeMetadata?$expand=OptionSet");
    assert_eq!(state[0]["OptionSet"]["Options"][1]["DefaultStatus"], 3);
    let flags = org
        .rows(&format!("{base}/Microsoft.Dynamics.CRM.BooleanAttributeMetadata?$select=LogicalName&$expand=OptionSet"));
    assert_eq!(flags[0]["OptionSet"]["TrueOption"]["Value"], 1);
    assert_eq!(org.call("GET", &format!("{base}/Microsoft.Dynamics.CRM.EnumAttributeMetadata"), None).0, 404);
    assert_eq!(org.call("GET", &format!("{base}?$expand=OptionSet"), None).0, 400, "without a cast");
    let one = org.get(&format!("{base}(LogicalName='industrycode')/Microsoft.Dynamics.CRM.PicklistAttributeMetadata?$select=LogicalName&$expand=OptionSet"));
    assert_eq!(one["OptionSet"]["IsGlobal"], false);
}

#[test]
fn relationships_name_their_navigation() {
    let mut org = Org::new();
    let whole = org.get("EntityDefinitions(LogicalName='contact')?$select=LogicalName&$expand=ManyToOneRelationships,Keys,ManyToManyRelationships($select=SchemaName)");
    let many = whole["ManyToOneRelationships"].as_array().unwrap();
    let parent = many
        .iter()
        .find(|one| one["ReferencingAttribute"] == "parentcustomerid" && one["ReferencedEntity"] == "account")
        .unwrap();
    assert_eq!(parent["ReferencingEntityNavigationPropertyName"], "parentcustomerid_account");
    assert_eq!(parent["ReferencedEntityNavigationPropertyName"], "contact_customer_accounts");
    assert_eq!(parent["CascadeConfiguration"]["Delete"], "Cascade");
    assert!(
        whole["ManyToManyRelationships"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["SchemaName"] == "listcontact_association")
    );
    let about =
        org.rows("EntityDefinitions(LogicalName='lead')/OneToManyRelationships?$filter=ReferencingEntity eq 'task'");
    assert_eq!(about[0]["ReferencingEntityNavigationPropertyName"], "regardingobjectid_lead_task");
}

const AT: &str = "EntityDefinitions(LogicalName='account')/Attributes";

/// The definition of a column.
fn column(name: &str, kind: &str, more: Json) -> Json {
    let mut body = json!({"@odata.type": format!("Microsoft.Dynamics.CRM.{kind}AttributeMetadata"), "SchemaName": name,
        "RequiredLevel": {"Value": "None"}, "DisplayName": {"LocalizedLabels": [{"Label": "Source Id", "LanguageCode": 1033}]}});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn columns_and_keys_are_added() {
    let mut org = Org::new();
    let at = AT;
    let made = org.ask(
        "POST",
        at,
        &[("mscrm.solutionuniquename", "mysol")],
        Some(&column("new_SourceId", "String", json!({"MaxLength": 20}))),
    );
    assert_eq!(made.status, 204, "{}", made.body_json());
    assert!(made.header("odata-entityid").unwrap().contains("/Attributes("));
    let id = org.create("accounts", &json!({"name": "A", "new_sourceid": "A-1"}));
    refused(
        org.call("POST", "accounts", Some(&json!({"name": "A", "new_sourceid": "x".repeat(21)}))),
        400,
        "0x80044331",
    );
    assert_eq!(
        org.get(&format!("{at}(LogicalName='new_sourceid')"))["DisplayName"]["UserLocalizedLabel"]["Label"],
        "Source Id"
    );
    for (body, why) in [
        (column("SourceId", "String", json!({})), "no prefix"),
        (column("new_sourceid", "String", json!({})), "taken"),
        (column("new_Long", "String", json!({"MaxLength": 5000})), "too long"),
        (column("new_Odd", "Colour", json!({})), "no kind"),
    ] {
        assert_eq!(org.call("POST", at, Some(&body)).0, 400, "{why}");
    }
    let options = json!({"OptionSet": {"OptionSetType": "Picklist", "IsGlobal": false, "Options": [
        {"Label": {"LocalizedLabels": [{"Label": "Gold", "LanguageCode": 1033}]}}]}});
    assert_eq!(org.call("POST", at, Some(&column("new_Tier", "Picklist", options))).0, 204);
    org.patch(&format!("accounts({id})"), &json!({"new_tier": 100_000_000}));
    let more = json!({"EntityLogicalName": "account", "AttributeLogicalName": "new_tier",
        "Label": {"LocalizedLabels": [{"Label": "Silver", "LanguageCode": 1033}]}});
    assert_eq!(org.post("InsertOptionValue", &more, 200)["NewOptionValue"], 100_000_001);
    org.patch(&format!("accounts({id})"), &json!({"new_tier": 100_000_001}));
    let key = json!({"SchemaName": "new_SourceKey", "KeyAttributes": ["new_sourceid"], "DisplayName": {}});
    let keys = "EntityDefinitions(LogicalName='account')/Keys";
    assert_eq!(org.call("POST", keys, Some(&key)).0, 204);
    assert_eq!(org.rows(keys)[0]["EntityKeyIndexStatus"], "Pending");
    refused(org.call("GET", "accounts(new_sourceid='A-1')", None), 400, "0x8005f100");
    org.wait(10);
    assert_eq!(org.rows(keys)[0]["EntityKeyIndexStatus"], "Active");
    assert_eq!(org.get("accounts(new_sourceid='a-1')")["accountid"], json!(id));
    for name in ["B", "C"] {
        org.create("accounts", &json!({"name": name, "telephone1": "1"}));
    }
    let failing = json!({"SchemaName": "new_PhoneKey", "KeyAttributes": ["telephone1"]});
    assert_eq!(org.call("POST", keys, Some(&failing)).0, 204);
    assert_eq!(org.rows(keys)[1]["EntityKeyIndexStatus"], "Failed");
}

#[test]
fn columns_share_their_choices() {
    let mut org = Org::new();
    let id = org.create("accounts", &json!({"name": "A"}));
    let label = json!({"LocalizedLabels": [{"Label": "North", "LanguageCode": 1033}]});
    assert_eq!(
        org.call(
            "POST",
            "GlobalOptionSetDefinitions",
            Some(&json!({"Name": "new_region", "Options": [{"Value": 1, "Label": label}]}))
        )
        .0,
        204
    );
    let shared = column(
        "new_Region",
        "Picklist",
        json!({"GlobalOptionSet@odata.bind": "/GlobalOptionSetDefinitions(Name='new_region')"}),
    );
    assert_eq!(org.call("POST", AT, Some(&shared)).0, 204);
    assert_eq!(
        org.post("InsertOptionValue", &json!({"OptionSetName": "new_region", "Value": 2, "Label": label}), 200)["NewOptionValue"],
        2
    );
    org.patch(&format!("accounts({id})"), &json!({"new_region": 2}));
}

#[test]
fn tables_and_lookups_are_added() {
    let mut org = Org::new();
    let label = |text: &str| json!({"LocalizedLabels": [{"Label": text, "LanguageCode": 1033}]});
    let table = json!({"SchemaName": "new_Project", "DisplayName": label("Project"), "DisplayCollectionName": label("Projects"),
        "OwnershipType": "UserOwned", "HasNotes": true, "HasActivities": true, "ChangeTrackingEnabled": true,
        "Attributes": [{"@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata", "SchemaName": "new_Name",
            "IsPrimaryName": true, "MaxLength": 100, "DisplayName": label("Name")}]});
    assert_eq!(org.call("POST", "EntityDefinitions", Some(&table)).0, 204);
    assert_eq!(org.call("POST", "EntityDefinitions", Some(&table)).0, 400, "taken");
    let half = json!({"SchemaName": "new_Half", "Attributes": [{"@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata",
        "SchemaName": "new_Name", "IsPrimaryName": true}, {"SchemaName": "new_Odd"}]});
    assert_eq!(org.call("POST", "EntityDefinitions", Some(&half)).0, 400);
    assert_eq!(org.call("GET", "EntityDefinitions(LogicalName='new_half')", None).0, 404, "nothing is left of it");
    let lookup = json!({"@odata.type": "Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata", "SchemaName": "new_account_projects",
        "ReferencedEntity": "account", "ReferencingEntity": "new_project", "CascadeConfiguration": {"Delete": "Cascade"},
        "Lookup": {"@odata.type": "Microsoft.Dynamics.CRM.LookupAttributeMetadata", "SchemaName": "new_CustomerId", "DisplayName": label("Customer")}});
    assert_eq!(org.call("POST", "RelationshipDefinitions", Some(&lookup)).0, 204);
    let account = org.create("accounts", &json!({"name": "A"}));
    let wrong = json!({"new_name": "P", "new_customerid@odata.bind": format!("/accounts({account})")});
    refused(org.call("POST", "new_projects", Some(&wrong)), 400, "0x80048d19");
    let project = org.create(
        "new_projects",
        &json!({"new_name": "P", "new_CustomerId@odata.bind": format!("/accounts({account})")}),
    );
    let about = format!("/new_projects({project})");
    org.create("tasks", &json!({"subject": "t", "regardingobjectid_new_project_task@odata.bind": about}));
    org.create("annotations", &json!({"subject": "n", "objectid_new_project@odata.bind": about}));
    assert_eq!(org.rows(&format!("accounts({account})/new_account_projects")).len(), 1);
    org.delete(&format!("accounts({account})"));
    assert!(org.rows("new_projects").is_empty() && org.rows("tasks").is_empty());
    let pairs = json!({"@odata.type": "Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata", "SchemaName": "new_project_contact",
        "Entity1LogicalName": "new_project", "Entity2LogicalName": "contact"});
    assert_eq!(org.call("POST", "RelationshipDefinitions", Some(&pairs)).0, 204);
    let project = org.create("new_projects", &json!({"new_name": "Q"}));
    let contact = org.create("contacts", &json!({"lastname": "Lee"}));
    let link = json!({"@odata.id": format!("/contacts({contact})")});
    let path = format!("new_projects({project})/new_project_contact");
    assert_eq!(org.call("POST", &format!("{path}/$ref"), Some(&link)).0, 204);
    assert_eq!(org.texts("lastname", &path), ["Lee"]);
    org.delete(&format!("{path}({contact})/$ref"));
    assert!(org.rows(&path).is_empty());
}
