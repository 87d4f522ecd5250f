"""activecampaign-python, unmodified, plays an account's life against the sandbox.

The client gives back whatever body came, also of refusals; so those are told apart by what stands in them."""

from activecampaign.client import Client

from steps import SANDBOX, equal, finish, step

account = Client(SANDBOX["base_url"], SANDBOX["token"])
ids = {}


@step("who is here, and who is nobody")
def _():
    me = account.users.retrieve_logged_in_user()["user"]
    equal(str(me["id"]), str(SANDBOX["user_id"]))
    equal(account.users.retrieve_a_user_by_email(me["email"])["user"]["id"], me["id"])
    refusal = Client(SANDBOX["base_url"], "wrong").users.list_all_users()
    assert "users" not in refusal, refusal


@step("contacts: made, read, changed; an e-mail address is there once")
def _():
    person = {"email": "zoe@nordlicht.example", "firstName": "Zoë", "lastName": "Ångström", "phone": "1"}
    made = account.contacts.create_a_contact({"contact": person})["contact"]
    ids["contact"] = made["id"]
    assert isinstance(made["id"], str), made
    account.contacts.update_a_contact(made["id"], {"contact": {"lastName": "Lind"}})
    read = account.contacts.retrieve_a_contact(made["id"])["contact"]
    equal((read["firstName"], read["lastName"], read["phone"]), ("Zoë", "Lind", "1"))
    again = account.contacts.create_a_contact({"contact": person})
    equal(again["errors"][0]["code"], "duplicate")
    broken = account.contacts.create_a_contact({"contact": {"email": "no address"}})
    equal(broken["errors"][0]["source"]["pointer"], "/data/attributes/email")
    gone = account.contacts.retrieve_a_contact(999999)
    assert gone["message"].startswith("No Result found"), gone


@step("sync: found once, made once")
def _():
    sync = account.contacts.create_or_update_contact
    equal(sync({"contact": {"email": "zoe@nordlicht.example", "phone": "2"}})["contact"]["id"], ids["contact"])
    equal(account.contacts.retrieve_a_contact(ids["contact"])["contact"]["phone"], "2")
    assert sync({"contact": {"email": "new@nordlicht.example"}})["contact"]["id"] != ids["contact"]


@step("custom fields, their choices and their values")
def _():
    region = {"title": "Region", "type": "dropdown", "visible": 1, "perstag": "REGION"}
    ids["field"] = account.contacts.create_a_custom_field({"field": region})["field"]["id"]
    related = {"fieldRel": {"field": ids["field"], "relid": 0}}
    equal(str(account.contacts.create_a_custom_field_relationship_to_list(related)["fieldRel"]["field"]), ids["field"])
    option = {"field": ids["field"], "label": "North", "value": "north", "orderid": 1, "isdefault": False}
    made = account.contacts.create_custom_field_options({"fieldOptions": [option]})["fieldOptions"]
    equal([each["value"] for each in made], ["north"])
    value = {"contact": ids["contact"], "field": ids["field"], "value": "north"}
    equal(account.contacts.create_a_custom_field_value({"fieldValue": value})["fieldValue"]["value"], "north")
    shown = account.contacts.retrieve_a_contacts_field_values(ids["contact"])["fieldValues"]
    equal([(each["field"], each["value"]) for each in shown], [(ids["field"], "north")])
    beside = account.contacts.list_all_custom_fields()
    equal([(each["field"], each["value"]) for each in beside["fieldOptions"]], [(ids["field"], "north")])


@step("lists: page by page, filtered, in order")
def _():
    for at in range(45):
        account.contacts.create_a_contact({"contact": {"email": f"many{at}@many.example"}})
    first = account.contacts.list_all_contacts(limit=20, offset=0, **{"orders[id]": "ASC"})
    equal((len(first["contacts"]), first["meta"]["total"]), (20, "47"))
    seen = [each["id"] for each in first["contacts"]]
    for offset in (20, 40):
        page = account.contacts.list_all_contacts(limit=20, offset=offset, **{"orders[id]": "ASC"})
        seen += [each["id"] for each in page["contacts"]]
    equal(len(set(seen)), 47)
    one = account.contacts.list_all_contacts(email="many7@many.example")
    equal([each["email"] for each in one["contacts"]], ["many7@many.example"])
    since = account.contacts.list_all_contacts(**{"filters[updated_after]": "2099-01-01"})
    equal(since["contacts"], [])


@step("tags, and lists that one subscribes to")
def _():
    tag = account.tags.create_a_tag({"tag": {"tag": "VIP", "tagType": "contact", "description": ""}})["tag"]["id"]
    linked = account.contacts.add_a_tag_to_contact({"contactTag": {"contact": ids["contact"], "tag": tag}})
    shown = account.contacts.retrieve_contact_tags(ids["contact"])["contactTags"]
    equal([each["tag"] for each in shown], [tag])
    account.contacts.remove_a_tag_from_a_contact(linked["contactTag"]["id"])
    equal(account.contacts.retrieve_contact_tags(ids["contact"])["contactTags"], [])
    news = {"name": "News", "stringid": "news", "sender_url": "https://n.example", "sender_reminder": "You asked."}
    newsletter = account.lists.create_a_list({"list": news})["list"]["id"]
    wanted = {"contactList": {"list": newsletter, "contact": ids["contact"], "status": 1}}
    equal(str(account.contacts.update_list_status_for_a_contact(wanted)["contactList"]["status"]), "1")


@step("deals in a pipeline, with notes and tasks")
def _():
    (pipeline, *_) = account.deals.list_all_pipelines()["dealGroups"]
    stages = [each for each in account.deals.list_all_stages()["dealStages"] if each["group"] == pipeline["id"]]
    deal = {"title": "Lights", "contact": ids["contact"], "value": "125050", "currency": "eur", "group": pipeline["id"],
            "stage": stages[0]["id"], "owner": "1", "status": 0}
    ids["deal"] = account.deals.create_a_deal({"deal": deal})["deal"]["id"]
    account.deals.update_a_deal(ids["deal"], {"deal": {"status": 1}})
    read = account.deals.retrieve_a_deal(ids["deal"])["deal"]
    equal((read["value"], str(read["status"]), read["contact"]), ("125050", "1", ids["contact"]))
    none = account.deals.create_a_deal({"deal": {**deal, "contact": "999999"}})
    assert none["errors"], none
    account.deals.create_a_deal_note(ids["deal"], {"note": {"note": "wants an offer"}})
    note = {"note": "called", "relid": ids["contact"], "reltype": "Subscriber"}
    ids["note"] = account.notes.create_a_note({"note": note})["note"]["id"]
    equal(account.notes.retrieve_a_note(ids["note"])["note"]["note"], "called")
    task = {"title": "Call", "dealTasktype": "1", "ownerType": "deal", "relid": ids["deal"], "status": 0,
            "duedate": "2026-12-01T10:00:00-05:00", "edate": "2026-12-01T10:15:00-05:00"}
    ids["task"] = account.tasks.create_a_task({"dealTask": task})["dealTask"]["id"]
    account.tasks.update_a_task(ids["task"], {"dealTask": {"status": 1}})
    equal(str(account.tasks.retrieve_a_task(ids["task"])["dealTask"]["status"]), "1")


@step("records of a schema of one's own")
def _():
    labels = {"singular": "Name", "plural": "Names"}
    text = {"id": "name", "slug": "name", "labels": labels, "type": "text", "required": True}
    schema = {"slug": "contract", "labels": {"singular": "Contract", "plural": "Contracts"}, "fields": [text],
              "relationships": [{"id": "primary-contact", "labels": {"singular": "Contact", "plural": "Contacts"},
                                 "namespace": "contacts", "hasMany": False}]}
    made = account.customobjects.create_a_schema({"schema": schema})
    key = made["schema"]["id"]
    record = {"externalId": "k1", "fields": [{"id": "name", "value": "Lights 2026"}],
              "relationships": {"primary-contact": [int(ids["contact"])]}}
    first = account.customobjects.create_or_update_record(key, {"record": record})["record"]
    again = account.customobjects.create_or_update_record(key, {"record": record})["record"]
    equal(again["id"], first["id"])
    equal(account.customobjects.retrieve_a_record_by_external_id(key, "k1")["record"]["id"], first["id"])
    found = account.customobjects.list_all_records(key, contact_id=ids["contact"])["records"]
    equal([each["externalId"] for each in found], ["k1"])
    account.customobjects.delete_a_record(key, first["id"])
    equal(account.customobjects.list_all_records(key, contact_id=ids["contact"])["records"], [])


@step("delete: gone, and again is not found")
def _():
    account.tasks.delete_a_task(ids["task"])
    account.notes.delete_a_note(ids["note"])
    account.deals.delete_a_deal(ids["deal"])
    assert "message" in account.deals.retrieve_a_deal(ids["deal"])
    account.contacts.delete_a_contact(ids["contact"])
    assert "message" in account.contacts.retrieve_a_contact(ids["contact"])
    assert "message" in account.contacts.delete_a_contact(ids["contact"])


finish("activecampaign, activecampaign-python")
