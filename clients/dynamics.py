"""Microsoft's own client for Python, unmodified, plays an environment's life against the sandbox."""

import enum

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError, MetadataError
from PowerPlatform.Dataverse.models import UpsertItem, col

import front
from steps import SANDBOX, equal, finish, refused, step

HOST = "sandbox.crm.dynamics.com"
front.stand_for(HOST, "login.microsoftonline.com")


def environment(secret):
    """A client of an app that Entra ID knows by this secret."""
    app = ClientSecretCredential(SANDBOX["tenant_id"], SANDBOX["client_id"], secret)
    return DataverseClient(f"https://{HOST}", app)


web = environment(SANDBOX["client_secret"])
ids = {}


class Tier(enum.IntEnum):
    Gold = 100000000
    Silver = 100000001


@step("an app gets its token from Entra ID, or not")
def _():
    equal(web.records.list("account", select=["name"]).records, [])
    refused(ClientAuthenticationError, lambda: environment("wrong").records.list("account"))


@step("columns of one's own: texts, numbers, times, choices, a lookup")
def _():
    equal(web.tables.get("new_Nothing"), None)
    table = web.tables.get("new_Project")
    equal((table["entity_set_name"], table["primary_name_attribute"]), ("new_projects", "new_name"))
    columns = {"new_Budget": "decimal", "new_Start": "datetime", "new_Tier": Tier,
               "new_SourceId": {"type": "string", "max_length": 60}}
    equal(web.tables.add_columns("new_Project", columns), list(columns))
    lookup = web.tables.create_lookup_field(
        referencing_table="new_project",
        lookup_field_name="new_ClientId",
        referenced_table="account",
        display_name="Client",
    )
    assert lookup.relationship_id, lookup
    kinds = {each["LogicalName"]: each["AttributeType"] for each in web.tables.list_columns("new_Project")}
    equal([kinds[name] for name in ("new_budget", "new_tier", "new_clientid")], ["Decimal", "Picklist", "Lookup"])


@step("an alternate key")
def _():
    web.tables.add_columns("account", {"new_SourceId": "string"})
    made = web.tables.create_alternate_key("account", "new_SourceKey", ["new_sourceid"])
    assert made.metadata_id, made
    (key,) = [each for each in web.tables.get_alternate_keys("account") if each.schema_name == "new_SourceKey"]
    equal((key.key_attributes, key.status), (["new_sourceid"], "Active"))


@step("create, retrieve, update")
def _():
    ids["account"] = web.records.create("account", {"name": "Contoso & Söhne", "new_sourceid": "a"})
    equal(len(ids["account"]), 36)
    web.records.update("account", ids["account"], {"telephone1": "555", "revenue": 20000.5})
    read = web.records.retrieve("account", ids["account"], select=["name", "telephone1", "revenue"])
    equal((read["name"], read["telephone1"], read["revenue"]), ("Contoso & Söhne", "555", 20000.5))
    equal(web.records.retrieve("account", "11111111-0000-0000-0000-000000000000"), None)
    contact = {"lastname": "Lind", "parentcustomerid_account@odata.bind": f"/accounts({ids['account']})"}
    ids["contact"] = web.records.create("contact", contact)
    project = {"new_name": "Lights", "new_tier": Tier.Silver, "new_ClientId@odata.bind": f"/accounts({ids['account']})"}
    ids["project"] = web.records.create("new_project", project)


@step("refusals say what was wrong, and with what")
def _():
    unknown = refused(HttpError, lambda: web.records.create("account", {"name": "x", "colour": "red"}))
    equal((unknown.status_code, unknown.details["service_error_code"]), (400, "0x80048d19"))
    again = refused(HttpError, lambda: web.records.create("account", {"name": "x", "new_sourceid": "a"}))
    equal((again.status_code, again.is_transient), (412, False))
    refused(MetadataError, lambda: web.records.create("new_nothing", {"name": "x"}))


@step("many at once: made, changed, and all or nothing")
def _():
    made = web.records.create("account", [{"name": f"Many {at}", "numberofemployees": at} for at in range(30)])
    equal(len(set(made)), 30)
    web.records.update("account", made, {"description": "the same"})
    one = [{"description": "one"}, {"description": "two"}]
    web.records.update("account", made[:2], one)
    equal(web.records.retrieve("account", made[1], select=["description"])["description"], "two")
    bad = [{"name": "Good"}, {"name": "x" * 200}]
    equal(refused(HttpError, lambda: web.records.create("account", bad)).status_code, 400)
    equal(web.records.list("account", filter="name eq 'Good'").records, [])


@step("upsert by a key: one and many")
def _():
    item = UpsertItem(alternate_key={"new_sourceid": "a"}, record={"name": "Contoso 2"})
    web.records.upsert("account", [item])
    equal(web.records.retrieve("account", ids["account"], select=["name"])["name"], "Contoso 2")
    new = UpsertItem(alternate_key={"new_sourceid": "z"}, record={"name": "Zed"})
    web.records.upsert("account", [UpsertItem(alternate_key={"new_sourceid": "a"}, record={"name": "Contoso 3"}), new])
    keyed = web.records.list("account", filter="new_sourceid ne null", orderby=["new_sourceid"])
    equal([each["name"] for each in keyed], ["Contoso 3", "Zed"])


@step("queries: built, paged, with parents and formatted values")
def _():
    found = (
        web.query.builder("account")
        .select("name", "numberofemployees")
        .where((col("numberofemployees") >= 10) & col("name").like("Many%"))
        .order_by("numberofemployees", descending=True)
        .top(3)
        .execute()
    )
    equal([each["numberofemployees"] for each in found], [29, 28, 27])
    some = web.query.builder("account").select("name").where(col("numberofemployees").in_([1, 5])).execute()
    equal(sorted(each["name"] for each in some), ["Many 1", "Many 5"])
    pages = web.query.builder("account").select("name").where(col("name").like("Many%")).page_size(12).execute_pages()
    equal([len(page.records) for page in pages], [12, 12, 6])
    (person,) = web.records.list("contact", expand=["parentcustomerid_account"], include_annotations="*")
    equal(person["parentcustomerid_account"]["name"], "Contoso 3")
    equal(person["statecode@OData.Community.Display.V1.FormattedValue"], "Active")


@step("FetchXML, page by page, and a data frame")
def _():
    xml = '<fetch count="20"><entity name="account"><attribute name="name"/><filter>' \
        '<condition attribute="name" operator="like" value="Many%"/></filter><order attribute="name"/></entity></fetch>'
    equal(len(web.query.fetchxml(xml).execute().records), 30)
    equal([len(page.records) for page in web.query.fetchxml(xml).execute_pages()], [20, 10])
    frame = web.query.fetchxml(xml).execute().to_dataframe()
    equal(frame["name"].nunique(), 30)


@step("a batch: a change set is all or nothing, the others stand alone")
def _():
    batch = web.batch.new()
    with batch.changeset() as together:
        account = together.records.create("account", {"name": "Together"})
        together.records.create("contact", {"lastname": "Together", "parentcustomerid_account@odata.bind": account})
    done = batch.execute()
    equal([each.status_code for each in done.responses], [204, 204])
    (person,) = web.records.list("contact", filter="lastname eq 'Together'", select=["_parentcustomerid_value"])
    equal(person["_parentcustomerid_value"], done.entity_ids[0])
    batch = web.batch.new()
    batch.records.create("account", {"name": "Alone 1"})
    batch.records.create("account", {"name": "x", "colour": "red"})
    batch.records.create("account", {"name": "Alone 2"})
    done = batch.execute(continue_on_error=True)
    equal([each.status_code for each in done.responses], [204, 400, 204])
    equal(done.failed[0].error_code, "0x80048d19")
    batch = web.batch.new()
    batch.records.retrieve("account", ids["account"], select=["name"])
    equal(batch.execute().responses[0].data["name"], "Contoso 3")


@step("relationships: found by name and by table")
def _():
    one = web.tables.get_relationship("contact_customer_accounts")
    equal(one.relationship_type, "one_to_many")
    assert web.tables.list_table_relationships("new_project")
    project = web.records.retrieve("new_project", ids["project"], select=["new_tier", "_new_clientid_value"])
    equal((project["new_tier"], project["_new_clientid_value"]), (Tier.Silver, ids["account"]))


@step("delete: one, and some")
def _():
    web.records.delete("contact", ids["contact"])
    equal(web.records.retrieve("contact", ids["contact"]), None)
    equal(refused(HttpError, lambda: web.records.delete("contact", ids["contact"])).status_code, 404)
    made = web.records.create("lead", [{"subject": "x", "lastname": "a"}, {"subject": "y", "lastname": "b"}])
    web.records.delete("lead", made, use_bulk_delete=False)
    equal(web.records.list("lead").records, [])


web.close()
finish("dynamics, PowerPlatform-Dataverse-Client")
