"""Meltano's tap for HubSpot, unmodified, reads a portal: all of it, then what has changed."""

import requests

import front
from steps import SANDBOX, Tap, equal, finish, step

front.stand_for("api.hubapi.com")

START = "2020-01-01T00:00:00Z"
tap = Tap("hubspot-tap", "tap-hubspot", {"access_token": SANDBOX["token"], "start_date": START})
kept = {}


def post(path, body):
    """What other people do in the portal meanwhile."""
    answer = requests.post(
        f"{SANDBOX['base_url']}{path}", json=body, headers={"authorization": f"Bearer {SANDBOX['token']}"}, timeout=10
    )
    answer.raise_for_status()
    return answer.json()


@step("what there is: each object with its properties")
def _():
    kept["catalog"] = tap.catalog({"contacts", "companies", "deals", "owners", "property_contacts"})
    streams = {each["tap_stream_id"]: each for each in kept["catalog"]["streams"]}
    properties = streams["contacts"]["schema"]["properties"]["properties"]["properties"]
    assert {"email", "firstname", "lastmodifieddate"} <= properties.keys(), properties.keys()
    equal((streams["contacts"]["key_properties"], streams["contacts"]["replication_key"]), (["id"], "lastmodifieddate"))


@step("all records, over several pages")
def _():
    for begin in (0, 100, 200):
        inputs = [{"properties": {"email": f"many{at}@many.example"}} for at in range(begin, begin + 100)]
        kept["last"] = post("/crm/v3/objects/contacts/batch/create", {"inputs": inputs})["results"][-1]["id"]
    post("/crm/v3/objects/companies", {"properties": {"name": "Nordlicht", "domain": "nordlicht.example"}})
    records, kept["state"] = tap.read(kept["catalog"])
    equal(len({each["id"] for each in records["contacts"]}), 300)
    equal([each["properties"]["name"] for each in records["companies"]], ["Nordlicht"])
    assert records["owners"], records.keys()


@step("what has changed since")
def _():
    body = {"inputs": [{"id": kept["last"], "properties": {"jobtitle": "CTO"}}]}
    post("/crm/v3/objects/contacts/batch/update", body)
    records, _ = tap.read(kept["catalog"], kept["state"])
    titles = {each["id"]: each["properties"]["jobtitle"] for each in records["contacts"]}
    equal(titles[kept["last"]], "CTO")


finish("hubspot, meltano-tap-hubspot")
