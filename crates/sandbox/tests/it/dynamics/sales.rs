//! Opportunities with products, and how they, cases and leads end.

use serde_json::{Value as Json, json};

use super::{Org, refused};

/// A price list with one product: ids of list, product, unit.
fn catalogue(org: &mut Org) -> (String, String, String) {
    let schedule = org.create("uomschedules", &json!({"name": "Pieces", "baseuomname": "Piece"}));
    let unit =
        org.rows(&format!("uoms?$filter=_uomscheduleid_value eq {schedule}"))[0]["uomid"].as_str().unwrap().to_owned();
    let product = org.create("products", &json!({"name": "Chair", "productnumber": "P-1", "quantitydecimal": 0,
        "defaultuomid@odata.bind": format!("/uoms({unit})"), "defaultuomscheduleid@odata.bind": format!("/uomschedules({schedule})")}));
    let list = org.create("pricelevels", &json!({"name": "Retail"}));
    org.create(
        "productpricelevels",
        &json!({"amount": 50, "pricelevelid@odata.bind": format!("/pricelevels({list})"),
        "productid@odata.bind": format!("/products({product})"), "uomid@odata.bind": format!("/uoms({unit})")}),
    );
    (list, product, unit)
}

#[test]
fn lines_take_their_price_from_the_list() {
    let mut org = Org::new();
    let (list, product, unit) = catalogue(&mut org);
    let state = org.get(&format!("products({product})"));
    assert_eq!((&state["statecode"], &state["statuscode"]), (&json!(2), &json!(0)), "a draft");
    assert_eq!(
        org.call(
            "POST",
            &format!("products({product})/Microsoft.Dynamics.CRM.PublishProductHierarchy"),
            Some(&json!({}))
        )
        .0,
        204
    );
    assert_eq!(org.get(&format!("products({product})"))["statecode"], 0);
    let deal = org.create("opportunities", &json!({"name": "Deal", "isrevenuesystemcalculated": true, "pricelevelid@odata.bind": format!("/pricelevels({list})")}));
    let line = |more: Json| {
        let mut body = json!({"opportunityid@odata.bind": format!("/opportunities({deal})"), "quantity": 3});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let listed = line(
        json!({"productid@odata.bind": format!("/products({product})"), "uomid@odata.bind": format!("/uoms({unit})")}),
    );
    let id = org.create("opportunityproducts", &listed);
    let row = org.get(&format!("opportunityproducts({id})"));
    assert_eq!(
        (&row["priceperunit"], &row["extendedamount"], &row["productname"]),
        (&json!(50.0), &json!(150.0), &json!("Chair"))
    );
    org.create(
        "opportunityproducts",
        &line(json!({"isproductoverridden": true, "productdescription": "Delivery", "priceperunit": 10})),
    );
    let row = org.get(&format!("opportunities({deal})"));
    assert_eq!((&row["totalamount"], &row["estimatedvalue"]), (&json!(180.0), &json!(180.0)));
    for body in [line(json!({})), line(json!({"isproductoverridden": true})), json!({"quantity": 1})] {
        refused(org.call("POST", "opportunityproducts", Some(&body)), 400, "0x80040203");
    }
    let bare = org.create("opportunities", &json!({"name": "No list"}));
    let unlisted = json!({"opportunityid@odata.bind": format!("/opportunities({bare})"), "quantity": 1,
        "productid@odata.bind": format!("/products({product})"), "uomid@odata.bind": format!("/uoms({unit})")});
    refused(org.call("POST", "opportunityproducts", Some(&unlisted)), 400, "0x80040203");
    org.delete(&format!("opportunityproducts({id})"));
    assert_eq!(org.get(&format!("opportunities({deal})"))["totalamount"], 30.0);
}

#[test]
fn an_opportunity_is_won_or_lost_by_an_action() {
    let mut org = Org::new();
    let account = org.create("accounts", &json!({"name": "A"}));
    let deal = |org: &mut Org| {
        org.create("opportunities", &json!({"name": "Deal", "estimatedvalue": 9, "customerid_account@odata.bind": format!("/accounts({account})")}))
    };
    let won = deal(&mut org);
    let close = |id: &str, status: i64| {
        json!({"Status": status, "OpportunityClose": {"subject": "End",
        "opportunityid@odata.bind": format!("/opportunities({id})"), "actualend": "2026-01-02T00:00:00Z"}})
    };
    let path = format!("opportunities({won})");
    let patched = org.ask("PATCH", &path, &[("if-match", "*")], Some(&json!({"statecode": 1, "statuscode": 3})));
    refused((patched.status, patched.body_json()), 400, "0x80040203");
    refused(org.call("POST", "WinOpportunity", Some(&close(&won, 4))), 400, "0x80048408");
    assert_eq!(org.call("POST", "WinOpportunity", Some(&close(&won, 3))).0, 204);
    let row = org.get(&path);
    assert_eq!((&row["statecode"], &row["statuscode"], &row["actualvalue"]), (&json!(1), &json!(3), &json!(9.0)));
    assert_eq!(row["actualclosedate"], "2026-01-02");
    refused(org.call("POST", "LoseOpportunity", Some(&close(&won, 4))), 400, "0x80040203");
    assert_eq!(org.rows("opportunitycloses").len(), 1, "what was refused left nothing");
    assert_eq!(org.ask("PATCH", &path, &[("if-match", "*")], Some(&json!({"name": "x"}))).status, 400);
    org.patch(&path, &json!({"statecode": 0, "statuscode": 1}));
    let lost = deal(&mut org);
    assert_eq!(org.call("POST", "LoseOpportunity", Some(&close(&lost, 5))).0, 204);
    assert_eq!(org.get(&format!("opportunities({lost})"))["statuscode"], 5);
}

#[test]
fn a_case_is_closed_and_a_lead_qualified() {
    let mut org = Org::new();
    let account = org.create("accounts", &json!({"name": "A"}));
    let case = org.create(
        "incidents",
        &json!({"title": "Broken", "customerid_account@odata.bind": format!("/accounts({account})")}),
    );
    assert!(org.get(&format!("incidents({case})"))["ticketnumber"].as_str().unwrap().starts_with("CAS-"));
    let body = json!({"IncidentResolution": {"subject": "x", "incidentid@odata.bind": format!("/incidents({case})"), "timespent": 1}, "Status": 5});
    assert_eq!(org.call("POST", "CloseIncident", Some(&body)).0, 204);
    assert_eq!(org.get(&format!("incidents({case})"))["statecode"], 1);
    org.patch(&format!("incidents({case})"), &json!({"statecode": 0, "statuscode": 1}));
    let lead = org.create(
        "leads",
        &json!({"subject": "Chairs", "firstname": "Kim", "lastname": "Lee", "companyname": "Lee Ltd"}),
    );
    let body = json!({"CreateAccount": true, "CreateContact": true, "CreateOpportunity": true, "Status": 3});
    let made = org.post(&format!("leads({lead})/Microsoft.Dynamics.CRM.QualifyLead"), &body, 200);
    assert_eq!(made["value"].as_array().unwrap().len(), 3);
    let deal = org.rows("opportunities?$expand=customerid_account($select=name)")[0].clone();
    assert_eq!(
        (&deal["name"], &deal["customerid_account"]["name"], &deal["_originatingleadid_value"]),
        (&json!("Chairs"), &json!("Lee Ltd"), &json!(lead))
    );
    assert_eq!(org.get(&format!("leads({lead})"))["statecode"], 1);
}
