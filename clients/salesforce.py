"""simple-salesforce, unmodified, plays an organization's life against the sandbox."""

import csv
import datetime
import io
import pathlib
import tempfile

from simple_salesforce import Salesforce, SalesforceLogin, SFType
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

import front
from steps import SANDBOX, equal, finish, refused, step

front.stand_for("login.salesforce.com", "handover.my.salesforce.com")

VERSION = "66.0"
INSTANCE = "handover.my.salesforce.com"
org = Salesforce(instance=INSTANCE, session_id=SANDBOX["token"], version=VERSION)
ids = {}


def rows(text):
    """The rows of a CSV that a bulk job gave."""
    return list(csv.DictReader(io.StringIO(text)))


def by_name(rows_of_a_job):
    """Rows in an order of ours: a job gives them in any."""
    return sorted(rows_of_a_job, key=lambda row: row["Name"])


@step("login by SOAP, and not with a wrong password")
def _():
    person = {"username": SANDBOX["username"], "sf_version": VERSION}
    session, instance = SalesforceLogin(password=SANDBOX["password"], security_token="", **person)
    assert session
    equal(instance, "login.salesforce.com")
    wrong = refused(SalesforceAuthenticationFailed, lambda: SalesforceLogin(password="no", security_token="", **person))
    equal(wrong.code, "INVALID_LOGIN")


@step("an app gets a session, and renews it by itself when it has ended")
def _():
    app = {"consumer_key": SANDBOX["client_id"], "consumer_secret": SANDBOX["client_secret"]}
    service = Salesforce(domain="handover.my", version=VERSION, **app)
    equal(service.sf_instance, INSTANCE)
    service.headers["Authorization"] = "Bearer ended"
    assert service.query("SELECT COUNT() FROM User")["totalSize"] > 0
    ended = Salesforce(instance=INSTANCE, session_id="ended", version=VERSION)
    error = refused(SalesforceExpiredSession, lambda: ended.query("SELECT Id FROM User"))
    equal(error.content[0]["errorCode"], "INVALID_SESSION_ID")


@step("what there is: objects, fields, limits, what was used")
def _():
    names = [each["name"] for each in org.describe()["sobjects"]]
    assert "Opportunity" in names and "Account" in names
    fields = {field["name"]: field for field in org.Account.describe()["fields"]}
    equal(fields["Src_Id__c"]["externalId"], True)
    equal(org.Account.metadata()["objectDescribe"]["keyPrefix"], "001")
    assert org.limits()["DailyApiRequests"]["Max"] > 0
    assert org.api_usage["api-usage"].used > 0
    equal(org.is_sandbox(), True)


@step("create, get, get by an external id, update, upsert")
def _():
    made = org.Account.create({"Name": "Acme", "Src_Id__c": "a/1"})
    equal((made["success"], made["errors"]), (True, []))
    ids["account"] = made["id"]
    equal(org.Account.update(made["id"], {"Site": "Kiel", "Fax": None}), 204)
    equal(org.Account.get(made["id"])["Site"], "Kiel")
    equal(org.Account.get_by_custom_id("Src_Id__c", "a/1")["Id"], made["id"])
    equal(org.Account.upsert("Src_Id__c/a%2F1", {"Name": "Acme & Co"}), 200)
    equal(org.Account.upsert("Src_Id__c/b", {"Name": "Birch"}), 201)
    equal(org.Account.get(made["id"])["Name"], "Acme & Co")


@step("refusals have their code and their fields")
def _():
    nameless = refused(SalesforceMalformedRequest, lambda: org.Account.create({"Site": "nowhere"}))
    equal(nameless.content[0]["errorCode"], "REQUIRED_FIELD_MISSING")
    equal(nameless.content[0]["fields"], ["Name"])
    unknown = refused(SalesforceMalformedRequest, lambda: org.Account.create({"Name": "x", "Colour": "red"}))
    equal(unknown.content[0]["errorCode"], "INVALID_FIELD")
    again = refused(SalesforceMalformedRequest, lambda: org.Account.create({"Name": "x", "Src_Id__c": "b"}))
    equal(again.content[0]["errorCode"], "DUPLICATE_VALUE")
    gone = refused(SalesforceResourceNotFound, lambda: org.Account.get("001000000000000AAA"))
    equal(gone.content[0]["errorCode"], "NOT_FOUND")
    broken = refused(SalesforceMalformedRequest, lambda: org.query("SELECT FROM Account"))
    equal(broken.content[0]["errorCode"], "MALFORMED_QUERY")


@step("collections: each row has its own answer, in its place")
def _():
    some = [{"attributes": {"type": "Account"}, "Name": "Cedar"}, {"attributes": {"type": "Account"}, "Site": "x"}]
    answer = org.restful("composite/sobjects", method="POST", json={"allOrNone": False, "records": some})
    equal([each["success"] for each in answer], [True, False])
    equal(answer[1]["errors"][0]["statusCode"], "REQUIRED_FIELD_MISSING")
    none = org.restful("composite/sobjects", method="POST", json={"allOrNone": True, "records": some})
    equal([each["success"] for each in none], [False, False])
    equal(none[0]["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK")
    wanted = {"ids": f"{ids['account']},001000000000000AAA", "fields": "Id,Name"}
    found = org.restful("composite/sobjects/Account", params=wanted)
    equal(found[0]["Name"], "Acme & Co")
    equal(found[1], None)


@step("a composite request refers to what it has just made")
def _():
    parts = [
        {"method": "POST", "url": f"/services/data/v{VERSION}/sobjects/Account", "referenceId": "it",
         "body": {"Name": "Dogwood"}},
        {"method": "POST", "url": f"/services/data/v{VERSION}/sobjects/Contact", "referenceId": "person",
         "body": {"LastName": "Lind", "AccountId": "@{it.id}"}},
        {"method": "GET", "url": f"/services/data/v{VERSION}/sobjects/Contact/@{{person.id}}?fields=AccountId",
         "referenceId": "read"},
    ]
    answer = org.restful("composite", method="POST", json={"allOrNone": True, "compositeRequest": parts})
    made, person, read = answer["compositeResponse"]
    equal([made["httpStatusCode"], person["httpStatusCode"], read["httpStatusCode"]], [201, 201, 200])
    equal(read["body"]["AccountId"], made["body"]["id"])
    ids["parent"] = made["body"]["id"]


@step("a tree of records, and a batch of requests that know nothing of each other")
def _():
    person = {"attributes": {"type": "Contact", "referenceId": "person"}, "LastName": "Tree"}
    root = {"attributes": {"type": "Account", "referenceId": "root"}, "Name": "Elm", "Contacts": {"records": [person]}}
    made = org.restful("composite/tree/Account", method="POST", json={"records": [root]})
    equal((made["hasErrors"], {each["referenceId"] for each in made["results"]}), (False, {"root", "person"}))
    requests = [
        {"method": "GET", "url": f"v{VERSION}/query?q=SELECT+Account.Name+FROM+Contact+WHERE+LastName='Tree'"},
        {"method": "GET", "url": f"v{VERSION}/sobjects/Account/001000000000000AAA"},
    ]
    answer = org.restful("composite/batch", method="POST", json={"batchRequests": requests})
    found, gone = answer["results"]
    equal((found["statusCode"], gone["statusCode"], answer["hasErrors"]), (200, 404, True))
    equal(found["result"]["records"][0]["Account"]["Name"], "Elm")


@step("queries: parents, children, pages, what was deleted")
def _():
    people = org.query("SELECT LastName, Account.Name FROM Contact WHERE Account.Name = 'Dogwood'")
    equal(people["records"][0]["Account"]["Name"], "Dogwood")
    nested = org.query(f"SELECT (SELECT LastName FROM Contacts) FROM Account WHERE Id = '{ids['parent']}'")
    equal(nested["records"][0]["Contacts"]["records"][0]["LastName"], "Lind")
    batch = [{"attributes": {"type": "Account"}, "Name": f"Many {at}"} for at in range(200)]
    for _ in range(2):
        org.restful("composite/sobjects", method="POST", json={"allOrNone": True, "records": batch})
    pages = {"headers": {"Sforce-Query-Options": "batchSize=200"}}
    first = org.query("SELECT Id FROM Account WHERE Name LIKE 'Many %'", **pages)
    equal((first["totalSize"], first["done"], len(first["records"])), (400, False, 200))
    rest = org.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    equal((rest["done"], len(rest["records"])), (True, 200))
    every = [each["Id"] for each in org.query_all_iter("SELECT Id FROM Account WHERE Name LIKE 'Many %'", **pages)]
    equal(len(set(every)), 400)
    equal(org.Account.delete(every[0]), 204)
    equal(org.query("SELECT COUNT() FROM Account WHERE Name LIKE 'Many %'")["totalSize"], 399)
    gone = "SELECT COUNT() FROM Account WHERE Name LIKE 'Many %' AND IsDeleted = true"
    equal(org.query(gone, include_deleted=True)["totalSize"], 1)
    ids["deleted"] = every[0]


@step("feeds of what changed and of what was deleted")
def _():
    now = datetime.datetime.now(datetime.timezone.utc)
    span = (now - datetime.timedelta(hours=1), now + datetime.timedelta(minutes=2))
    assert ids["account"] in org.Account.updated(*span)["ids"]
    equal([each["id"] for each in org.Account.deleted(*span)["deletedRecords"]], [ids["deleted"]])


@step("a file goes up, hangs on an account, and comes down again")
def _():
    content = {"Title": "Offer", "PathOnClient": "offer.txt", "VersionData": "T2ZmZXI=",
               "FirstPublishLocationId": ids["account"]}
    version = org.ContentVersion.create(content)["id"]
    equal(org.ContentVersion.get_base64(version, "VersionData"), b"Offer")
    linked = org.query(f"SELECT ContentDocumentId FROM ContentDocumentLink WHERE LinkedEntityId = '{ids['account']}'")
    equal(linked["totalSize"], 1)
    attachments = SFType("Attachment", SANDBOX["token"], INSTANCE, sf_version=VERSION)
    made = attachments.create({"ParentId": ids["account"], "Name": "old.txt", "Body": "b2xk"})
    equal(attachments.get_base64(made["id"]), b"old")


@step("bulk 2.0 inserts: what failed comes back with its reason and its row")
def _():
    records = [{"Name": "Bulky", "Site": "x"}, {"Name": "", "Site": "y"}, {"Name": 'Quoted, "twice"', "Site": "z"}]
    (job,) = org.bulk2.Account.insert(records=records, wait=0)
    equal((job["numberRecordsProcessed"], job["numberRecordsFailed"], job["numberRecordsTotal"]), (3, 1, 3))
    done = org.bulk2.Account.get_all_ingest_records(job["job_id"])
    good = by_name(done["successfulRecords"])
    equal([each["Name"] for each in good], ["Bulky", 'Quoted, "twice"'])
    equal([each["sf__Created"] for each in good], ["true", "true"])
    equal([each["Site"] for each in done["failedRecords"]], ["y"])
    assert done["failedRecords"][0]["sf__Error"].startswith("REQUIRED_FIELD_MISSING:")
    equal(done["unprocessedRecords"], [])
    ids["bulky"] = good[0]["sf__Id"]


@step("bulk 2.0 upserts, updates and deletes")
def _():
    (job,) = org.bulk2.Account.upsert(
        records=[{"Src_Id__c": "b", "Name": "Birch 2"}, {"Src_Id__c": "new", "Name": "New"}],
        external_id_field="Src_Id__c",
        wait=0,
    )
    equal(job["numberRecordsFailed"], 0)
    done = by_name(rows(org.bulk2.Account.get_successful_records(job["job_id"])))
    equal([each["sf__Created"] for each in done], ["false", "true"])
    (job,) = org.bulk2.Account.update(records=[{"Id": ids["bulky"], "Site": "moved"}], wait=0)
    equal(job["numberRecordsFailed"], 0)
    equal(org.Account.get(ids["bulky"])["Site"], "moved")
    (job,) = org.bulk2.Account.delete(records=[{"Id": ids["bulky"]}, {"Id": "001000000000000AAA"}], wait=0)
    equal(job["numberRecordsFailed"], 1)
    refused(SalesforceResourceNotFound, lambda: org.Account.get(ids["bulky"]))


@step("bulk 2.0 queries, page by page and into a file")
def _():
    soql = "SELECT Id, Name FROM Account WHERE Name LIKE 'Many %'"
    pages = [rows(page) for page in org.bulk2.Account.query(soql, max_records=300, wait=0)]
    equal([len(page) for page in pages], [300, 99])
    with_deleted = [rows(page) for page in org.bulk2.Account.query_all(soql, wait=0)]
    equal(sum(len(page) for page in with_deleted), 400)
    with tempfile.TemporaryDirectory() as folder:
        (part,) = org.bulk2.Account.download(soql, path=folder, wait=0)
        equal(part["number_of_records"], 399)
        equal(len(rows(pathlib.Path(part["file"]).read_text(encoding="utf-8"))), 399)


finish("salesforce, simple-salesforce")
