// dynamics-web-api, unmodified, plays an environment's life against the sandbox.

import assert from "node:assert/strict";

import { DynamicsWebApi } from "dynamics-web-api";

import { finish, refused, sandbox, step } from "./steps.mjs";

const environment = (token) =>
    new DynamicsWebApi({ serverUrl: sandbox.base_url, dataApi: { version: "9.2" }, onTokenRefresh: async () => token });
const web = environment(sandbox.token);
const ids = {};
const FORMATTED = "@OData.Community.Display.V1.FormattedValue";
const label = (text) => ({
    "@odata.type": "Microsoft.Dynamics.CRM.Label",
    LocalizedLabels: [{ "@odata.type": "Microsoft.Dynamics.CRM.LocalizedLabel", Label: text, LanguageCode: 1033 }],
});
const column = (type, name, more) => ({
    "@odata.type": `Microsoft.Dynamics.CRM.${type}AttributeMetadata`,
    SchemaName: name,
    RequiredLevel: { Value: "None" },
    DisplayName: label(name),
    ...more,
});

await step("who am I, and who is nobody", async () => {
    const me = await web.callFunction({ functionName: "WhoAmI" });
    assert.equal(me.UserId, sandbox.user_id);
    const nobody = await refused(() => environment("wrong").callFunction("WhoAmI"));
    assert.equal(nobody.status, 401);
});

await step("metadata: tables, columns, choices", async () => {
    const tables = await web.retrieveEntities({ select: ["LogicalName", "EntitySetName"], filter: "LogicalName eq 'account'" });
    assert.equal(tables.value[0].EntitySetName, "accounts");
    ids.table = tables.value[0].MetadataId;
    const strings = await web.retrieveAttributes({
        entityKey: "LogicalName='account'",
        castType: "Microsoft.Dynamics.CRM.StringAttributeMetadata",
        select: ["LogicalName", "MaxLength"],
    });
    assert.equal(strings.value.find((each) => each.LogicalName === "name").MaxLength, 160);
    const state = await web.retrieveAttribute({
        entityKey: "LogicalName='account'",
        attributeKey: "LogicalName='statuscode'",
        castType: "Microsoft.Dynamics.CRM.StatusAttributeMetadata",
        select: ["LogicalName"],
        expand: [{ property: "OptionSet" }],
    });
    assert.deepEqual(state.OptionSet.Options.map((each) => each.State), [0, 1]);
});

await step("a column of one's own", async () => {
    await web.createAttribute({
        entityKey: ids.table,
        data: column("String", "new_SourceId", { MaxLength: 100, FormatName: { Value: "Text" } }),
    });
    const made = await web.retrieveAttribute({ entityKey: "LogicalName='account'", attributeKey: "LogicalName='new_sourceid'" });
    assert.equal(made.SchemaName, "new_SourceId");
    assert.equal(made.IsCustomAttribute, true);
});

await step("create: by id alone, and with what came of it", async () => {
    const id = await web.create({ collection: "accounts", data: { name: "Contoso", accountnumber: "A-1" } });
    assert.match(id, /^[0-9a-f-]{36}$/);
    ids.account = id;
    const contact = await web.create({
        collection: "contacts",
        data: { firstname: "Zoë", lastname: "Ångström", "parentcustomerid_account@odata.bind": `/accounts(${id})` },
        returnRepresentation: true,
        select: ["fullname", "_parentcustomerid_value"],
    });
    assert.equal(contact.fullname, "Zoë Ångström");
    assert.equal(contact._parentcustomerid_value, id);
    ids.contact = contact.contactid;
});

await step("retrieve: with a parent, with what a value is shown as", async () => {
    const read = await web.retrieve({
        collection: "contacts",
        key: ids.contact,
        select: ["lastname", "statecode", "_parentcustomerid_value"],
        expand: [{ property: "parentcustomerid_account", select: ["name"] }],
        includeAnnotations: "*",
    });
    assert.equal(read.parentcustomerid_account.name, "Contoso");
    assert.equal(read[`statecode${FORMATTED}`], "Active");
    assert.equal(read[`_parentcustomerid_value${FORMATTED}`], "Contoso");
    assert.equal(read["_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"], "account");
});

await step("update: whole, one property, only when unchanged", async () => {
    const before = await web.retrieve({ collection: "accounts", key: ids.account, select: ["name"] });
    await web.update({ collection: "accounts", key: ids.account, data: { websiteurl: "https://contoso.example", revenue: 20000.5 } });
    await web.updateSingleProperty({ collection: "accounts", key: ids.account, fieldValuePair: { telephone1: "1" } });
    const read = await web.retrieve({ collection: "accounts", key: ids.account, select: ["websiteurl", "revenue", "telephone1"] });
    assert.deepEqual([read.websiteurl, read.revenue, read.telephone1], ["https://contoso.example", 20000.5, "1"]);
    const stale = await web.update({
        collection: "accounts",
        key: ids.account,
        data: { name: "Late" },
        ifmatch: before["@odata.etag"],
    });
    assert.equal(stale, false);
    await web.deleteRecord({ collection: "accounts", key: ids.account, property: "telephone1" });
    const cleared = await web.retrieve({ collection: "accounts", key: ids.account, select: ["name", "telephone1"] });
    assert.deepEqual([cleared.name, cleared.telephone1], ["Contoso", null]);
});

await step("upsert: made, found, only made, only found", async () => {
    const id = "11111111-2222-3333-4444-555555555555";
    const made = await web.upsert({ collection: "accounts", key: id, data: { name: "Chosen" }, returnRepresentation: true });
    assert.equal(made.accountid, id);
    const found = await web.upsert({ collection: "accounts", key: id, data: { name: "Chosen 2" }, returnRepresentation: true });
    assert.equal(found.name, "Chosen 2");
    assert.equal(await web.upsert({ collection: "accounts", key: id, data: { name: "x" }, ifnonematch: "*" }), null);
    const other = "11111111-2222-3333-4444-666666666666";
    assert.equal(await web.upsert({ collection: "accounts", key: other, data: { name: "x" }, ifmatch: "*" }), null);
    ids.chosen = id;
});

await step("refusals: an unknown column, an unknown record, a value too long", async () => {
    const unknown = await refused(() => web.create({ collection: "accounts", data: { name: "x", colour: "red" } }));
    assert.equal(unknown.status, 400);
    assert.match(unknown.message, /colour/);
    const gone = await refused(() => web.retrieve({ collection: "accounts", key: "11111111-0000-0000-0000-000000000000" }));
    assert.deepEqual([gone.status, gone.code], [404, "0x80040217"]);
    const long = await refused(() => web.create({ collection: "accounts", data: { name: "x".repeat(161) } }));
    assert.deepEqual([long.status, long.code], [400, "0x80044331"]);
});

await step("queries: filter, order, count, pages", async () => {
    for (let at = 0; at < 25; at += 1) {
        await web.create({ collection: "leads", data: { subject: `Many ${at}`, lastname: "Lee", numberofemployees: at } });
    }
    const some = await web.retrieveMultiple({
        collection: "leads",
        select: ["subject", "numberofemployees"],
        filter: "numberofemployees ge 20 and startswith(subject,'Many')",
        orderBy: ["numberofemployees desc"],
        count: true,
    });
    assert.equal(some.oDataCount, 5);
    assert.deepEqual(some.value.map((each) => each.numberofemployees), [24, 23, 22, 21, 20]);
    const first = await web.retrieveMultiple({ collection: "leads", select: ["subject"], maxPageSize: 10 });
    assert.equal(first.value.length, 10);
    const second = await web.retrieveMultiple({ collection: "leads", maxPageSize: 10 }, first.oDataNextLink);
    assert.equal(second.value.length, 10);
    const all = await web.retrieveAll({ collection: "leads", select: ["subject"], maxPageSize: 10 });
    assert.equal(new Set(all.value.map((each) => each.leadid)).size, 25);
    assert.equal(await web.count({ collection: "leads" }), 25);
});

await step("FetchXML, page by page", async () => {
    const xml = '<fetch><entity name="lead"><attribute name="subject"/><order attribute="subject"/></entity></fetch>';
    const first = await web.fetch({ collection: "leads", fetchXml: xml.replace("<fetch>", '<fetch count="10">') });
    assert.equal(first.value.length, 10);
    assert.equal(first.PagingInfo.nextPage, 2);
    const all = await web.fetchAll({ collection: "leads", fetchXml: xml.replace("<fetch>", '<fetch count="10">') });
    assert.equal(all.value.length, 25);
});

await step("changes since a token, and what was deleted", async () => {
    const first = await web.retrieveMultiple({ collection: "accounts", select: ["name"], trackChanges: true });
    assert.equal(first.value.length, 2);
    await web.update({ collection: "accounts", key: ids.account, data: { name: "Contoso 2" } });
    await web.deleteRecord({ collection: "accounts", key: ids.chosen });
    const then = await web.retrieveMultiple({ collection: "accounts", select: ["name"] }, first.oDataDeltaLink);
    assert.deepEqual(then.value.map((each) => each.name ?? each.reason), ["Contoso 2", "deleted"]);
});

await step("a link, and away again", async () => {
    await web.associateSingleValued({
        collection: "accounts",
        primaryKey: ids.account,
        navigationProperty: "primarycontactid",
        relatedCollection: "contacts",
        relatedKey: ids.contact,
    });
    const linked = await web.retrieve({ collection: "accounts", key: ids.account, select: ["_primarycontactid_value"] });
    assert.equal(linked._primarycontactid_value, ids.contact);
    await web.disassociateSingleValued({ collection: "accounts", primaryKey: ids.account, navigationProperty: "primarycontactid" });
    const none = await web.retrieve({ collection: "accounts", key: ids.account, select: ["_primarycontactid_value"] });
    assert.equal(none._primarycontactid_value, null);
});

await step("links of many to many, and one of them away again", async () => {
    const campaign = await web.create({ collection: "campaigns", data: { name: "Fair" } });
    const link = (relatedKey) => ({
        collection: "campaigns",
        primaryKey: campaign,
        relationshipName: "campaignlist_association",
        relatedCollection: "lists",
        relatedKey,
    });
    const lists = [];
    for (const listname of ["North", "South"]) {
        lists.push(await web.create({ collection: "lists", data: { listname, createdfromcode: 2, type: false } }));
        await web.associate(link(lists.at(-1)));
    }
    const linked = async () => {
        const expand = [{ property: "campaignlist_association", select: ["listname"] }];
        const read = await web.retrieve({ collection: "campaigns", key: campaign, select: ["name"], expand });
        return read.campaignlist_association.map((each) => each.listname).sort();
    };
    assert.deepEqual(await linked(), ["North", "South"]);
    await web.disassociate(link(lists[0]));
    assert.deepEqual(await linked(), ["South"]);
});

await step("a change set is all or nothing; other parts of a batch stand alone", async () => {
    web.startBatch();
    web.create({ collection: "accounts", data: { name: "Together" }, contentId: "1", inChangeSet: true });
    web.create({
        collection: "contacts",
        data: { lastname: "Together", "parentcustomerid_account@odata.bind": "$1" },
        inChangeSet: true,
    });
    const [account, contact] = await web.executeBatch();
    const read = await web.retrieve({ collection: "contacts", key: contact, select: ["_parentcustomerid_value"] });
    assert.equal(read._parentcustomerid_value, account);
    web.startBatch();
    web.create({ collection: "accounts", data: { name: "Rolled back" }, inChangeSet: true });
    web.create({ collection: "accounts", data: { name: "x", colour: "red" }, inChangeSet: true });
    const [wrong] = await refused(() => web.executeBatch());
    assert.deepEqual([wrong.status, wrong.error.code], [400, "0x80048d19"]);
    const none = await web.retrieveMultiple({ collection: "accounts", filter: "name eq 'Rolled back'" });
    assert.equal(none.value.length, 0);
    web.startBatch();
    web.create({ collection: "accounts", data: { name: "Good 1" }, inChangeSet: false });
    web.create({ collection: "accounts", data: { name: "x", colour: "red" }, inChangeSet: false });
    web.create({ collection: "accounts", data: { name: "Good 2" }, inChangeSet: false });
    const parts = await web.executeBatch({ continueOnError: true });
    assert.deepEqual(parts.map((each) => each.status ?? "made"), ["made", 400, "made"]);
    const good = await web.retrieveMultiple({ collection: "accounts", filter: "startswith(name,'Good')", orderBy: ["name"] });
    assert.deepEqual(good.value.map((each) => each.name), ["Good 1", "Good 2"]);
});

await step("notes with files, and activities with parties", async () => {
    const note = await web.create({
        collection: "annotations",
        data: {
            subject: "Offer",
            filename: "offer.txt",
            mimetype: "text/plain",
            isdocument: true,
            documentbody: Buffer.from("Offer").toString("base64"),
            "objectid_account@odata.bind": `/accounts(${ids.account})`,
        },
    });
    const read = await web.retrieve({ collection: "annotations", key: note, select: ["documentbody", "filesize"] });
    assert.equal(Buffer.from(read.documentbody, "base64").toString(), "Offer");
    assert.equal(read.filesize, 5);
    const call = await web.create({
        collection: "phonecalls",
        data: {
            subject: "Call back",
            phonecall_activity_parties: [
                { "partyid_systemuser@odata.bind": `/systemusers(${sandbox.user_id})`, participationtypemask: 1 },
                { "partyid_contact@odata.bind": `/contacts(${ids.contact})`, participationtypemask: 2 },
            ],
            "regardingobjectid_account_phonecall@odata.bind": `/accounts(${ids.account})`,
        },
    });
    const shown = await web.retrieve({
        collection: "phonecalls",
        key: call,
        select: ["subject"],
        expand: [{ property: "phonecall_activity_parties", select: ["participationtypemask"] }],
    });
    const parties = shown.phonecall_activity_parties.map((each) => each.participationtypemask);
    assert.deepEqual(parties.sort(), [1, 2, 8, 9], "the parent and the owner are parties too");
});

await step("actions: winning an opportunity, merging two accounts", async () => {
    const opportunity = await web.create({
        collection: "opportunities",
        data: { name: "Lights", "customerid_account@odata.bind": `/accounts(${ids.account})` },
    });
    await web.callAction({
        actionName: "WinOpportunity",
        action: {
            Status: 3,
            OpportunityClose: { subject: "Won", "opportunityid@odata.bind": `/opportunities(${opportunity})` },
        },
    });
    const won = await web.retrieve({ collection: "opportunities", key: opportunity, select: ["statecode", "statuscode"] });
    assert.deepEqual([won.statecode, won.statuscode], [1, 3]);
    const loser = await web.create({ collection: "accounts", data: { name: "Twin" } });
    await web.callAction({
        actionName: "Merge",
        action: {
            Target: { "@odata.type": "Microsoft.Dynamics.CRM.account", accountid: ids.account },
            Subordinate: { "@odata.type": "Microsoft.Dynamics.CRM.account", accountid: loser },
            UpdateContent: { "@odata.type": "Microsoft.Dynamics.CRM.account", description: "merged" },
            PerformParentingChecks: false,
        },
    });
    const lost = await web.retrieve({ collection: "accounts", key: loser, select: ["merged", "_masterid_value"] });
    assert.deepEqual([lost.merged, lost._masterid_value], [true, ids.account]);
});

await step("delete: gone, and again is not found", async () => {
    await web.deleteRecord({ collection: "contacts", key: ids.contact });
    const again = await refused(() => web.deleteRecord({ collection: "contacts", key: ids.contact }));
    assert.equal(again.status, 404);
});

finish("dynamics, dynamics-web-api");
