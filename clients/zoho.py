"""Zoho's own client for Python, unmodified, plays an organization's life against the sandbox."""

import csv
import datetime
import io
import pathlib
import tempfile
import time
import zipfile

from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, Initializer, ParameterMap
from zohocrmsdk.src.com.zoho.crm.api import attachments, bulk_read, bulk_write, contact_roles, convert_lead, coql
from zohocrmsdk.src.com.zoho.crm.api import deal_contact_roles, fields, find_and_merge, modules, notes, org, record
from zohocrmsdk.src.com.zoho.crm.api import related_records, tags, users
from zohocrmsdk.src.com.zoho.crm.api.attachments import attachments_operations as attachment_calls
from zohocrmsdk.src.com.zoho.crm.api.bulk_write import bulk_write_operations as bulk_write_calls
from zohocrmsdk.src.com.zoho.crm.api.dc import USDataCenter
from zohocrmsdk.src.com.zoho.crm.api.exception import SDKException
from zohocrmsdk.src.com.zoho.crm.api.fields import fields_operations as field_calls
from zohocrmsdk.src.com.zoho.crm.api.modules import MinifiedModule
from zohocrmsdk.src.com.zoho.crm.api.record import record_operations as record_calls
from zohocrmsdk.src.com.zoho.crm.api.related_records import related_records_operations as related_calls
from zohocrmsdk.src.com.zoho.crm.api.users import users_operations as user_calls
from zohocrmsdk.src.com.zoho.crm.api.util import Choice, StreamWrapper

import front
from steps import SANDBOX, equal, finish, refused, step

front.stand_for("accounts.zoho.com", "www.zohoapis.com", "content.zohoapis.com")

BULK_S = 20
folder = tempfile.TemporaryDirectory()
here = pathlib.Path(folder.name)
ids = {}


def enter(name, **token):
    """Begins with the grants of an app; what the client keeps of it lies in a folder that ends with the scenario."""
    app = OAuthToken(client_id=SANDBOX["client_id"], client_secret=SANDBOX["client_secret"], **token)
    store = FileStore(str(here / f"{name}.txt"))
    Initializer.initialize(USDataCenter.PRODUCTION(), app, store=store, resource_path=folder.name)


def asked(**values):
    """Parameters of a call: the client's own objects with their values."""
    calls, values = values.pop("of"), values
    given = ParameterMap()
    for name, value in values.items():
        given.add(getattr(calls, name), value)
    return given


def a(module_values, keep=None):
    """A record of values; `keep` is the id of one that is there."""
    made = record.Record()
    if keep is not None:
        made.set_id(keep)
    for name, value in module_values.items():
        made.add_key_value(name, value)
    return made


def ref(identity):
    """What a lookup holds."""
    made = record.Record()
    made.set_id(identity)
    return made


def body(*records):
    """Records to write."""
    made = record.BodyWrapper()
    made.set_data(list(records))
    return made


def plain(outcome):
    """An answer to one row: what it was, and its details."""
    details = outcome.get_details() or {}
    return outcome.get_status().get_value(), outcome.get_code().get_value(), details


def done(response):
    """The ids of rows, all of which must have been written."""
    rows = [plain(each) for each in response.get_object().get_data()]
    equal([status for status, _, _ in rows], ["success"] * len(rows))
    return [int(details["id"]) for _, _, details in rows]


def ended(ask):
    """What a job says when it has ended."""
    late = time.monotonic() + BULK_S
    while time.monotonic() < late:
        job = ask()
        state = job.get_state() if hasattr(job, "get_state") else job.get_status()
        if getattr(state, "get_value", lambda: state)() == "COMPLETED":
            return job
        time.sleep(0.1)
    raise AssertionError("the job did not end")


def stored(name, content):
    """A file on disk, which is where the client takes the name from."""
    path = here / name
    path.write_bytes(content)
    return StreamWrapper(file_path=str(path))


def table(stream):
    """The rows of the one CSV file in an archive."""
    with zipfile.ZipFile(io.BytesIO(b"".join(stream))) as archive:
        (name,) = archive.namelist()
        return list(csv.DictReader(io.StringIO(archive.read(name).decode())))


def module_named(name):
    """A module by its name."""
    module = MinifiedModule()
    module.set_api_name(name)
    return module


def mapped(name, index):
    """Which column goes into which field."""
    made = bulk_write.FieldMapping()
    made.set_api_name(name)
    made.set_index(index)
    return made


contacts, accounts, deals = (record.RecordOperations(name) for name in ("Contacts", "Accounts", "Deals"))


@step("a refresh token gives access; who is here")
def _():
    enter("refresh", refresh_token=SANDBOX["refresh_token"])
    people = users.UsersOperations().get_users(asked(of=user_calls.GetUsersParam, type="CurrentUser"))
    (me,) = people.get_object().get_users()
    equal(str(me.get_id()), SANDBOX["user_id"])
    (company,) = org.OrgOperations().get_organization().get_object().get_org()
    equal(company.get_zgid(), SANDBOX["zgid"])


@step("what there is: modules, fields, and one of one's own")
def _():
    found = modules.ModulesOperations().get_modules().get_object().get_modules()
    assert {"Contacts", "Deals"} <= {each.get_api_name() for each in found}
    make = fields.Fields()
    make.set_field_label("Source Key")
    make.set_data_type("text")
    make.set_length(60)
    unique = fields.Unique()
    unique.set_casesensitive("false")
    make.set_unique(unique)
    wanted = fields.BodyWrapper()
    wanted.set_fields([make])
    made = fields.FieldsOperations().create_field(wanted, asked(of=field_calls.CreateFieldParam, module="Contacts"))
    equal(plain(made.get_object().get_fields()[0])[:2], ("success", "SUCCESS"))
    shown = fields.FieldsOperations().get_fields(asked(of=field_calls.GetFieldsParam, module="Contacts"))
    by_name = {each.get_api_name(): each for each in shown.get_object().get_fields()}
    equal((by_name["Source_Key"].get_data_type(), by_name["Source_Key"].get_custom_field()), ("text", True))
    assert by_name["Lead_Source"].get_pick_list_values()


@step("create, read, update, clear")
def _():
    (ids["account"],) = done(accounts.create_records(body(a({"Account_Name": "Nordlicht GmbH"}))))
    person = a({
        "First_Name": "Zoë",
        "Last_Name": "Ångström",
        "Email": "zoe@nordlicht.example",
        "Lead_Source": Choice("Cold Call"),
        "Account_Name": ref(ids["account"]),
        "Date_of_Birth": datetime.date(1990, 2, 3),
    })
    (ids["contact"],) = done(contacts.create_records(body(person)))
    (read,) = contacts.get_record(ids["contact"]).get_object().get_data()
    equal(read.get_key_value("Full_Name"), "Zoë Ångström")
    equal(read.get_key_value("Lead_Source").get_value(), "Cold Call")
    equal(read.get_key_value("Account_Name").get_id(), ids["account"])
    equal(read.get_key_value("Date_of_Birth"), datetime.date(1990, 2, 3))
    done(contacts.update_record(ids["contact"], body(a({"Title": "CTO", "Date_of_Birth": None}))))
    (read,) = contacts.get_record(ids["contact"]).get_object().get_data()
    equal((read.get_key_value("Title"), read.get_key_value("Date_of_Birth")), ("CTO", None))


@step("a batch with bad rows: each has its own answer")
def _():
    rows = [a({"Last_Name": "Good", "Source_Key": "k1"}), a({"First_Name": "Nobody"}), a({"Last_Name": "x" * 200})]
    outcome = contacts.create_records(body(*rows))
    answers = [plain(each) for each in outcome.get_object().get_data()]
    equal([code for _, code, _ in answers], ["SUCCESS", "MANDATORY_NOT_FOUND", "INVALID_DATA"])
    equal(answers[1][2]["api_name"], "Last_Name")
    again = contacts.create_records(body(a({"Last_Name": "Twice", "Source_Key": "k1"})))
    equal(plain(again.get_object().get_data()[0])[1], "DUPLICATE_DATA")
    gone = contacts.get_record(554023000009999999)
    assert gone.get_status_code() in (204, 400, 404), gone.get_status_code()


@step("upsert by a field: found once, made once")
def _():
    request = body(a({"Last_Name": "Found", "Source_Key": "k1"}), a({"Last_Name": "Made", "Source_Key": "k2"}))
    request.set_duplicate_check_fields(["Source_Key"])
    outcome = contacts.upsert_records(request)
    equal([each.get_action().get_value() for each in outcome.get_object().get_data()], ["update", "insert"])
    done(outcome)


@step("lists: page by page with a token, and only what has changed")
def _():
    for begin in range(0, 250, 50):
        done(accounts.create_records(body(*[a({"Account_Name": f"Many {at}"}) for at in range(begin, begin + 50)])))
    ask = {"of": record_calls.GetRecordsParam, "fields": "id,Account_Name", "per_page": 200}
    first = accounts.get_records(asked(**ask)).get_object()
    equal((len(first.get_data()), first.get_info().get_more_records()), (200, True))
    token = first.get_info().get_next_page_token()
    second = accounts.get_records(asked(**ask, page_token=token)).get_object()
    equal((len(second.get_data()), second.get_info().get_more_records()), (51, False))
    header = HeaderMap()
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    header.add(record_calls.GetRecordsHeader.if_modified_since, later.replace(microsecond=0))
    equal(accounts.get_records(asked(**ask), header).get_status_code(), 304)


@step("search, COQL, and counts")
def _():
    search = asked(of=record_calls.SearchRecordsParam, email="zoe@nordlicht.example", fields="Last_Name")
    equal([each.get_id() for each in contacts.search_records(search).get_object().get_data()], [ids["contact"]])
    wanted = "(Account_Name:equals:Many 249)"
    criteria = asked(of=record_calls.SearchRecordsParam, criteria=wanted, fields="Account_Name")
    equal(len(accounts.search_records(criteria).get_object().get_data()), 1)
    none = asked(of=record_calls.SearchRecordsParam, email="nobody@nowhere.example")
    equal(contacts.search_records(none).get_status_code(), 204)
    query = coql.BodyWrapper()
    query.set_select_query("select Last_Name, Account_Name.Account_Name from Contacts where Title = 'CTO' limit 10")
    (found,) = coql.CoqlOperations().get_records(query).get_object().get_data()
    equal(found.get_key_value("Last_Name"), "Ångström")
    query.set_select_query("select Colour from Contacts where id is not null")
    equal(coql.CoqlOperations().get_records(query).get_object().get_code().get_value(), "INVALID_QUERY")
    equal(accounts.record_count().get_object().get_count(), 251)


@step("notes, attachments, tags")
def _():
    parent = notes.ParentId()
    parent.set_id(ids["contact"])
    parent.set_module(module_named("Contacts"))
    note = notes.Note()
    note.set_note_title("Call")
    note.set_note_content("wants an offer")
    note.set_parent_id(parent)
    wanted = notes.BodyWrapper()
    wanted.set_data([note])
    done(notes.NotesOperations().create_notes(wanted))
    ask = asked(of=related_calls.GetRelatedRecordsParam, fields="Note_Title,Note_Content,Parent_Id")
    shown = related_records.RelatedRecordsOperations("Notes", "Contacts").get_related_records(ids["contact"], ask)
    equal([each.get_key_value("Note_Content") for each in shown.get_object().get_data()], ["wants an offer"])
    file = attachments.FileBodyWrapper()
    file.set_file(stored("offer.txt", b"Offer"))
    files = attachments.AttachmentsOperations()
    (identity,) = done(files.upload_attachments(ids["contact"], "Contacts", file))
    listed = asked(of=attachment_calls.GetAttachmentsParam, fields="id,File_Name,Size")
    (one,) = files.get_attachments(ids["contact"], "Contacts", listed).get_object().get_data()
    equal((one.get_file_name(), one.get_id()), ("offer.txt", identity))
    came = files.get_attachment(identity, ids["contact"], "Contacts").get_object().get_file().get_stream()
    equal(b"".join(came), b"Offer")
    done(files.delete_attachment(identity, ids["contact"], "Contacts"))
    tag = tags.Tag()
    tag.set_name("VIP")
    label = tags.NewTagRequestWrapper()
    label.set_tags([tag])
    done(tags.TagsOperations().add_tags("Contacts", ids["contact"], label))
    (read,) = contacts.get_record(ids["contact"]).get_object().get_data()
    equal([each.get_name() for each in read.get_tag()], ["VIP"])


@step("deals with a stage")
def _():
    deal = a({
        "Deal_Name": "Lights",
        "Stage": Choice("Qualification"),
        "Amount": 1250.5,
        "Closing_Date": datetime.date(2026, 12, 31),
        "Account_Name": ref(ids["account"]),
        "Contact_Name": ref(ids["contact"]),
    })
    (made,) = done(deals.create_records(body(deal)))
    (read,) = deals.get_record(made).get_object().get_data()
    equal((read.get_key_value("Amount"), read.get_key_value("Stage").get_value()), (1250.5, "Qualification"))
    done(deals.update_records(body(a({"Stage": Choice("Closed Won")}, keep=made))))


@step("a deal's other contacts have roles")
def _():
    (deal, *_) = deals.get_records(asked(of=record_calls.GetRecordsParam, fields="id")).get_object().get_data()
    (other,) = done(contacts.create_records(body(a({"Last_Name": "Decider"}))))
    (role, *_) = contact_roles.ContactRolesOperations().get_roles().get_object().get_contact_roles()
    chosen = deal_contact_roles.ContactRole()
    chosen.set_id(role.get_id())
    chosen.set_name(role.get_name())
    data = deal_contact_roles.Data()
    data.set_contact_role(chosen)
    wanted = deal_contact_roles.BodyWrapper()
    wanted.set_data([data])
    roles = deal_contact_roles.DealContactRolesOperations()
    done(roles.associate_contact_role_to_deal(other, deal.get_id(), wanted))
    shown = related_records.RelatedRecordsOperations("Contact_Roles", "Deals")
    ask = asked(of=related_calls.GetRelatedRecordsParam, fields="Last_Name")
    people = shown.get_related_records(deal.get_id(), ask).get_object().get_data()
    equal({each.get_key_value("Last_Name") for each in people}, {"Decider", "Ångström"})
    done(roles.delete_contact_role_relation(other, deal.get_id()))


@step("a lead becomes a contact and an account")
def _():
    leads = record.RecordOperations("Leads")
    (lead,) = done(leads.create_records(body(a({"Last_Name": "Hopeful", "Company": "Hope AG"}))))
    how = convert_lead.LeadConverter()
    how.set_overwrite(False)
    how.set_notify_lead_owner(False)
    how.set_notify_new_entity_owner(False)
    wanted = convert_lead.BodyWrapper()
    wanted.set_data([how])
    (made,) = convert_lead.ConvertLeadOperations(lead).convert_lead(wanted).get_object().get_data()
    equal(plain(made)[:2], ("success", "SUCCESS"))
    (read,) = contacts.get_record(int(made.get_details()["Contacts"].get_id())).get_object().get_data()
    equal(read.get_key_value("Account_Name").get_name(), "Hope AG")


@step("two contacts become one")
def _():
    master, child = done(contacts.create_records(body(a({"Last_Name": "One"}), a({"Last_Name": "Two", "Phone": "2"}))))
    field = find_and_merge.DataFields()
    field.set_api_name("Phone")
    loser = find_and_merge.MergeData()
    loser.set_id(child)
    loser.set_fields([field])
    merge = find_and_merge.Merge()
    merge.set_data([loser])
    wanted = find_and_merge.BodyWrapper()
    wanted.set_merge([merge])
    (outcome,) = find_and_merge.FindAndMergeOperations("Contacts", master).merge_records(wanted).get_object().get_merge()
    equal(plain(outcome)[0], "success")
    (read,) = contacts.get_record(master).get_object().get_data()
    equal(read.get_key_value("Phone"), "2")
    equal(contacts.get_record(child).get_status_code(), 204)


@step("bulk read: a file of all accounts")
def _():
    query = bulk_read.Query()
    query.set_module(module_named("Accounts"))
    query.set_fields(["Account_Name"])
    query.set_page(1)
    wanted = bulk_read.BodyWrapper()
    wanted.set_query(query)
    jobs = bulk_read.BulkReadOperations()
    (job,) = done(jobs.create_bulk_read_job(wanted))
    details = ended(lambda: jobs.get_bulk_read_job_details(job).get_object().get_data()[0])
    equal((details.get_result().get_count(), details.get_result().get_more_records()), (252, False))
    rows = table(jobs.download_result(job).get_object().get_file().get_stream())
    equal(len({row["Id"] for row in rows}), 252)


@step("bulk write: a file with a bad row, and what came of each")
def _():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("Contacts.csv", "Last_Name,Source_Key\nBulky,b1\n,b2\n")
    upload = bulk_write.FileBodyWrapper()
    upload.set_file(stored("contacts.zip", packed.getvalue()))
    header = HeaderMap()
    header.add(bulk_write_calls.UploadFileHeader.feature, "bulk-write")
    header.add(bulk_write_calls.UploadFileHeader.x_crm_org, SANDBOX["zgid"])
    jobs = bulk_write.BulkWriteOperations()
    file = jobs.upload_file(upload, header).get_object().get_details()["file_id"]
    part = bulk_write.Resource()
    part.set_type(Choice("data"))
    part.set_module(module_named("Contacts"))
    part.set_file_id(str(file))
    part.set_field_mappings([mapped("Last_Name", 0), mapped("Source_Key", 1)])
    wanted = bulk_write.RequestWrapper()
    wanted.set_operation(Choice("insert"))
    wanted.set_resource([part])
    job = str(jobs.create_bulk_write_job(wanted).get_object().get_details()["id"])
    details = ended(lambda: jobs.get_bulk_write_job_details(job).get_object())
    (outcome,) = details.get_resource()
    counts = outcome.get_file()
    equal((counts.get_total_count(), counts.get_added_count(), counts.get_skipped_count()), (2, 1, 1))
    download = jobs.download_bulk_write_result(details.get_result().get_download_url())
    rows = table(download.get_object().get_file().get_stream())
    equal([row["STATUS"] for row in rows], ["ADDED", "SKIPPED"])


@step("delete, and the feed of what was deleted")
def _():
    done(contacts.delete_record(ids["contact"]))
    equal(contacts.get_record(ids["contact"]).get_status_code(), 204)
    feed = contacts.get_deleted_records(asked(of=record_calls.GetDeletedRecordsParam, type="all")).get_object()
    assert ids["contact"] in [each.get_id() for each in feed.get_data()]
    refusal = contacts.delete_record(ids["contact"]).get_object()
    rows = refusal.get_data() if hasattr(refusal, "get_data") else [refusal]
    equal(plain(rows[0])[1], "INVALID_DATA")


@step("an access token that nobody gave is refused")
def _():
    enter("wrong", access_token="1000.wrong")
    ask = asked(of=record_calls.GetRecordsParam, fields="id")
    refusal = refused(SDKException, lambda: contacts.get_records(ask))
    assert "INVALID_TOKEN" in str(refusal), refusal


finish("zoho, zohocrmsdk8-0")
