"""Singer's tap for Salesforce, unmodified, reads an organization: all of it, then what has changed."""

from simple_salesforce import Salesforce

import front
from steps import SANDBOX, Tap, equal, finish, step

front.stand_for("login.salesforce.com")

org = Salesforce(instance="login.salesforce.com", session_id=SANDBOX["token"], version="61.0")
tap = Tap(
    "salesforce-tap",
    "tap-salesforce",
    {
        "refresh_token": SANDBOX["refresh_token"],
        "client_id": SANDBOX["client_id"],
        "client_secret": SANDBOX["client_secret"],
        "start_date": "2020-01-01T00:00:00Z",
        "api_type": "REST",
        "select_fields_by_default": True,
    },
)
kept = {}


@step("what there is: each object with its key and what tells its changes")
def _():
    kept["catalog"] = tap.catalog({"Account", "Contact", "User"})
    streams = {each["tap_stream_id"]: each for each in kept["catalog"]["streams"]}
    assert {"Account", "Contact", "Opportunity", "Task"} <= streams.keys(), streams.keys()
    (table,) = [each["metadata"] for each in streams["Account"]["metadata"] if each["breadcrumb"] == []]
    equal((table["table-key-properties"], table["valid-replication-keys"]), (["Id"], ["SystemModstamp"]))
    equal(streams["Account"]["schema"]["properties"]["Src_Id__c"]["type"], ["null", "string"])


@step("all records, over several pages")
def _():
    for begin in range(0, 2_200, 200):
        batch = [{"attributes": {"type": "Account"}, "Name": f"Many {at}"} for at in range(begin, begin + 200)]
        made = org.restful("composite/sobjects", method="POST", json={"allOrNone": True, "records": batch})
        kept["last"] = made[-1]["id"]
    org.Contact.create({"LastName": "Lind", "AccountId": kept["last"]})
    records, kept["state"] = tap.read(kept["catalog"], option="properties")
    equal(len({each["Id"] for each in records["Account"]}), 2_200)
    equal([(each["LastName"], each["AccountId"]) for each in records["Contact"]], [("Lind", kept["last"])])
    assert records["User"], records.keys()


@step("what has changed since, and what was deleted")
def _():
    gone = org.Account.create({"Name": "Gone"})["id"]
    org.Account.delete(gone)
    org.Account.update(kept["last"], {"Site": "Kiel"})
    records, _ = tap.read(kept["catalog"], kept["state"], option="properties")
    rows = {each["Id"]: each for each in records["Account"]}
    equal((rows[kept["last"]]["Site"], rows[gone]["IsDeleted"]), ("Kiel", True))


finish("salesforce, tap-salesforce")
