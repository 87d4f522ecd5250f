// HubSpot's own client for Node.js, unmodified, plays a portal's life against the sandbox.

import assert from "node:assert/strict";

import { Client } from "@hubspot/api-client";

import { finish, refused, sandbox, step } from "./steps.mjs";

const client = (accessToken) => new Client({ accessToken, basePath: sandbox.base_url });
const hub = client(sandbox.token);
const { contacts, companies, deals, associations, properties, owners, pipelines, objects } = hub.crm;

const HUBSPOT = "HUBSPOT_DEFINED";
const CONTACT_TO_COMPANY = 279;
const NOTE_TO_CONTACT = 202;
const ids = {};

await step("properties: a unique key, a choice, and what they are refused for", async () => {
    const key = await properties.coreApi.create("contacts", {
        groupName: "contactinformation",
        name: "source_key",
        label: "Source key",
        type: "string",
        fieldType: "text",
        hasUniqueValue: true,
    });
    assert.equal(key.name, "source_key");
    assert.equal(key.hasUniqueValue, true);
    const option = (value, displayOrder) => ({ label: value.toUpperCase(), value, displayOrder, hidden: false });
    const made = await properties.coreApi.create("contacts", {
        groupName: "contactinformation",
        name: "region",
        label: "Region",
        type: "enumeration",
        fieldType: "select",
        options: [option("north", 0), option("south", 1)],
    });
    assert.deepEqual(made.options.map((each) => each.value), ["north", "south"]);
    const more = await properties.coreApi.update("contacts", "region", { options: [...made.options, option("east", 2)] });
    assert.equal(more.options.length, 3);
    const again = await refused(() => properties.coreApi.create("contacts", { ...key, options: undefined }));
    assert.equal(again.code, 409);
    assert.equal(again.body.category, "OBJECT_ALREADY_EXISTS");
    const all = await properties.coreApi.getAll("contacts");
    const email = all.results.find((property) => property.name === "email");
    assert.equal(email.modificationMetadata.readOnlyValue, false);
    const unknown = await refused(() => properties.coreApi.getByName("contacts", "no_such_thing"));
    assert.equal(unknown.code, 404);
});

await step("owners", async () => {
    const page = await owners.ownersApi.getPage(undefined, undefined, 100, false);
    assert.ok(page.results.length > 0);
    ids.owner = page.results[0].id;
    const one = await owners.ownersApi.getPage(page.results[0].email);
    assert.equal(one.results.length, 1);
    assert.equal(one.results[0].id, ids.owner);
});

await step("pipelines", async () => {
    const all = await pipelines.pipelinesApi.getAll("deals");
    assert.ok(all.results.some((pipeline) => pipeline.id === "default"));
    const made = await pipelines.pipelinesApi.create("deals", {
        label: "Renewals",
        displayOrder: 1,
        stages: [
            { label: "Due", displayOrder: 0, metadata: { probability: "0.5" } },
            { label: "Renewed", displayOrder: 1, metadata: { probability: "1.0" } },
        ],
    });
    assert.equal(made.stages.length, 2);
    ids.pipeline = made.id;
    ids.stage = made.stages[0].id;
});

await step("a company, a contact with it, a deal", async () => {
    const company = await companies.basicApi.create({ properties: { name: "Nordlicht GmbH", domain: "nordlicht.example" } });
    ids.company = company.id;
    const contact = await contacts.basicApi.create({
        properties: { email: "zoe@nordlicht.example", firstname: "Zoë", lastname: "Ångström", hubspot_owner_id: ids.owner, region: "north" },
        associations: [{ to: { id: ids.company }, types: [{ associationCategory: HUBSPOT, associationTypeId: CONTACT_TO_COMPANY }] }],
    });
    assert.equal(contact.properties.firstname, "Zoë");
    assert.ok(contact.createdAt instanceof Date);
    ids.contact = contact.id;
    const deal = await deals.basicApi.create({
        properties: { dealname: "Beleuchtung", amount: "1250.50", pipeline: ids.pipeline, dealstage: ids.stage, closedate: "2024-05-06T07:08:09Z" },
    });
    assert.equal(deal.properties.amount, "1250.50");
    ids.deal = deal.id;
    const read = await contacts.basicApi.getById(ids.contact, ["email", "region"], undefined, ["companies"]);
    assert.equal(read.properties.region, "north");
    assert.equal(read.associations.companies.results[0].id, ids.company);
    const byEmail = await contacts.basicApi.getById("zoe@nordlicht.example", ["email"], undefined, undefined, false, "email");
    assert.equal(byEmail.id, ids.contact);
});

await step("an update, a cleared value, and its history", async () => {
    const changed = await contacts.basicApi.update(ids.contact, { properties: { jobtitle: "CTO" } });
    assert.equal(changed.properties.jobtitle, "CTO");
    await contacts.basicApi.update(ids.contact, { properties: { jobtitle: "" } });
    const read = await contacts.basicApi.getById(ids.contact, ["jobtitle"], ["jobtitle"]);
    assert.ok(!read.properties.jobtitle);
    assert.deepEqual(read.propertiesWithHistory.jobtitle.map((each) => each.value), ["", "CTO"]);
});

await step("a batch is created; with traces the good rows land", async () => {
    const row = (n, email) => ({ objectWriteTraceId: `row-${n}`, properties: { email, source_key: `A:${n}` }, associations: [] });
    const whole = await contacts.batchApi.create({ inputs: [row(1, "p1@many.example"), row(2, "p2@many.example")] });
    assert.equal(whole.status, "COMPLETE");
    assert.deepEqual(whole.results.map((each) => each.properties.email).sort(), ["p1@many.example", "p2@many.example"]);
    const mixed = await contacts.batchApi.create({ inputs: [row(3, "p3@many.example"), row(4, "zoe@nordlicht.example")] });
    assert.equal(mixed.results.length, 1);
    assert.equal(mixed.numErrors, 1);
    assert.deepEqual(mixed.errors[0].context.objectWriteTraceId, ["row-4"]);
    const untraced = await refused(() =>
        contacts.batchApi.create({ inputs: [{ properties: { email: "p5@many.example" }, associations: [] }, { properties: { email: "zoe@nordlicht.example" }, associations: [] }] }),
    );
    assert.equal(untraced.code, 409);
});

await step("a batch is read; what is missing is said", async () => {
    const inputs = ["A:1", "A:2", "A:99"].map((id) => ({ id }));
    const read = await contacts.batchApi.read({ idProperty: "source_key", properties: ["email", "source_key"], propertiesWithHistory: [], inputs });
    assert.equal(read.results.length, 2);
    assert.equal(read.numErrors, 1);
    ids.many = read.results.map((each) => each.id);
});

await step("a batch is updated", async () => {
    const inputs = ids.many.map((id, n) => ({ id, objectWriteTraceId: `u-${n}`, properties: { lastname: `Many ${n}` } }));
    const done = await contacts.batchApi.update({ inputs });
    assert.equal(done.results.length, 2);
    const mixed = await contacts.batchApi.update({
        inputs: [inputs[0], { id: ids.many[1], objectWriteTraceId: "u-bad", properties: { region: "nowhere" } }],
    });
    assert.equal(mixed.numErrors, 1);
    assert.deepEqual(mixed.errors[0].context.objectWriteTraceId, ["u-bad"]);
});

await step("a batch is upserted on a unique key", async () => {
    const row = (n) => ({ id: `A:${n}`, idProperty: "source_key", objectWriteTraceId: `s-${n}`, properties: { firstname: `Upsert ${n}` } });
    const done = await contacts.batchApi.upsert({ inputs: [row(1), row(7)] });
    assert.equal(done.results.length, 2);
    const fresh = Object.fromEntries(done.results.map((each) => [each.objectWriteTraceId, each._new]));
    assert.deepEqual(fresh, { "s-1": false, "s-7": true });
    const wrong = await refused(() =>
        companies.batchApi.upsert({ inputs: [{ id: "nordlicht.example", idProperty: "domain", properties: { name: "N" } }] }),
    );
    assert.equal(wrong.code, 400);
    assert.match(wrong.body.message, /non-unique 0-2 property domain/);
});

await step("all contacts by pages, each once", async () => {
    const seen = [];
    let after;
    do {
        const page = await contacts.basicApi.getPage(2, after, ["email"]);
        seen.push(...page.results.map((each) => each.id));
        after = page.paging?.next?.after;
    } while (after);
    assert.equal(new Set(seen).size, seen.length);
    assert.ok(seen.includes(ids.contact) && seen.length === 5);
    const all = await contacts.getAll(2);
    assert.equal(all.length, seen.length);
});

await step("search", async () => {
    const found = await contacts.searchApi.doSearch({
        filterGroups: [{ filters: [{ propertyName: "email", operator: "CONTAINS_TOKEN", value: "many.example" }] }],
        sorts: ["email"],
        properties: ["email"],
        limit: 2,
        after: "0",
    });
    assert.equal(found.total, 3);
    assert.equal(found.results.length, 2);
    assert.equal(found.paging.next.after, "2");
    const later = await contacts.searchApi.doSearch({
        filterGroups: [{ filters: [{ propertyName: "lastmodifieddate", operator: "GTE", value: "0" }, { propertyName: "hs_object_id", operator: "GT", value: ids.contact }] }],
        sorts: [{ propertyName: "hs_object_id", direction: "ASCENDING" }],
        properties: ["email"],
        limit: 200,
    });
    const numbers = later.results.map((each) => Number(each.id));
    assert.deepEqual(numbers, [...numbers].sort((left, right) => left - right));
    const deep = await refused(() => contacts.searchApi.doSearch({ filterGroups: [], properties: [], limit: 100, after: "10000" }));
    assert.equal(deep.code, 400);
});

await step("associations: labels, batches, and records without any", async () => {
    const labels = await associations.v4.schema.definitionsApi.create("contacts", "companies", { label: "Adviser", name: "adviser" });
    const adviser = labels.results[0].typeId;
    const made = await associations.v4.batchApi.create("contacts", "companies", {
        inputs: [
            {
                _from: { id: ids.many[0] },
                to: { id: ids.company },
                types: [
                    { associationCategory: HUBSPOT, associationTypeId: CONTACT_TO_COMPANY },
                    { associationCategory: "USER_DEFINED", associationTypeId: adviser },
                ],
            },
        ],
    });
    assert.equal(made.results.length, 1);
    const read = await associations.v4.batchApi.getPage("contacts", "companies", { inputs: [{ id: ids.many[0] }, { id: ids.many[1] }] });
    assert.equal(read.results.length, 1);
    assert.equal(String(read.results[0].to[0].toObjectId), ids.company);
    assert.ok(read.results[0].to[0].associationTypes.some((type) => type.label === "Adviser"));
    assert.equal(read.errors[0].subCategory, "crm.associations.NO_ASSOCIATIONS_FOUND");
    const page = await associations.v4.basicApi.getPage("contacts", ids.contact, "companies");
    assert.equal(String(page.results[0].toObjectId), ids.company);
    const plain = await associations.v4.basicApi.createDefault("deals", ids.deal, "contacts", ids.contact);
    assert.equal(plain.status, "COMPLETE");
    await associations.v4.basicApi.archive("contacts", ids.many[0], "companies", ids.company);
    const left = await associations.v4.basicApi.getPage("contacts", ids.many[0], "companies");
    assert.equal(left.results.length, 0);
});

await step("a file goes up, a note carries it, a signed address gives it back", async () => {
    const bytes = Buffer.from("Angebot Nr. 7\n");
    const file = await hub.files.filesApi.upload(
        { data: bytes, name: "angebot.txt" },
        undefined,
        "/handover",
        "angebot.txt",
        undefined,
        JSON.stringify({ access: "PRIVATE" }),
    );
    assert.equal(file.name, "angebot");
    assert.equal(file.extension, "txt");
    assert.equal(file.size, bytes.length);
    const note = await objects.notes.basicApi.create({
        properties: { hs_timestamp: "2022-01-02T03:04:05Z", hs_note_body: "<p>See the offer.</p>", hs_attachment_ids: file.id },
        associations: [{ to: { id: ids.contact }, types: [{ associationCategory: HUBSPOT, associationTypeId: NOTE_TO_CONTACT }] }],
    });
    assert.equal(new Date(note.properties.hs_timestamp).toISOString(), "2022-01-02T03:04:05.000Z");
    const linked = await associations.v4.basicApi.getPage("notes", note.id, "contacts");
    assert.equal(String(linked.results[0].toObjectId), ids.contact);
    const signed = await hub.files.filesApi.getSignedUrl(file.id);
    const got = await fetch(signed.url);
    assert.equal(await got.text(), bytes.toString());
});

await step("two contacts become one, and the old ids still lead to it", async () => {
    const merged = await contacts.basicApi.merge({ primaryObjectId: ids.contact, objectIdToMerge: ids.many[1] });
    const read = await contacts.basicApi.getById(ids.many[1], ["email", "hs_merged_object_ids"]);
    assert.equal(read.id, merged.id);
    assert.equal(read.properties.email, "zoe@nordlicht.example");
    ids.contact = merged.id;
});

await step("a contact that exists is a conflict that names it", async () => {
    const answer = await refused(() => contacts.basicApi.create({ properties: { email: "ZOE@nordlicht.example" } }));
    assert.equal(answer.code, 409);
    assert.equal(answer.body.category, "CONFLICT");
    assert.match(answer.body.message, new RegExp(`Existing ID: ${ids.contact}`));
});

await step("unknown properties and options are refused", async () => {
    const unknown = await refused(() => contacts.basicApi.update(ids.contact, { properties: { colour: "red" } }));
    assert.equal(unknown.code, 400);
    assert.equal(unknown.body.category, "VALIDATION_ERROR");
    assert.match(JSON.stringify(unknown.body), /PROPERTY_DOESNT_EXIST/);
    const option = await refused(() => contacts.basicApi.update(ids.contact, { properties: { region: "west" } }));
    assert.match(JSON.stringify(option.body), /INVALID_OPTION/);
});

await step("what is archived is gone, and listed as archived", async () => {
    const made = await contacts.basicApi.create({ properties: { email: "gone@many.example" } });
    await contacts.basicApi.archive(made.id);
    const answer = await refused(() => contacts.basicApi.getById(made.id));
    assert.equal(answer.code, 404);
    const archived = await contacts.basicApi.getPage(10, undefined, ["email"], undefined, undefined, true);
    assert.ok(archived.results.some((each) => each.id === made.id && each.archived));
});

await step("a strange token is 401, a missing scope 403", async () => {
    const stranger = await refused(() => client("pat-eu1-nobody").crm.contacts.basicApi.getPage());
    assert.equal(stranger.code, 401);
    const narrow = client("pat-eu1-companies");
    assert.ok((await narrow.crm.companies.basicApi.getPage()).results.length > 0);
    const answer = await refused(() => narrow.crm.contacts.basicApi.getPage());
    assert.equal(answer.code, 403);
    assert.equal(answer.body.category, "MISSING_SCOPES");
});

await step("OAuth: a code, then a refresh, and a bad refresh token", async () => {
    const { client_id: id, client_secret: secret } = sandbox.oauth;
    const first = await hub.oauth.tokensApi.create("authorization_code", sandbox.oauth.code, "http://localhost/back", id, secret);
    assert.equal(first.expiresIn, 1800);
    assert.ok((await client(first.accessToken).crm.contacts.basicApi.getPage(1)).results.length > 0);
    const second = await hub.oauth.tokensApi.create("refresh_token", undefined, undefined, id, secret, first.refreshToken);
    assert.notEqual(second.accessToken, first.accessToken);
    assert.ok((await client(second.accessToken).crm.contacts.basicApi.getPage(1)).results.length > 0);
    const info = await hub.oauth.accessTokensApi.get(second.accessToken);
    assert.equal(info.hubId, sandbox.portal_id);
    const answer = await refused(() => hub.oauth.tokensApi.create("refresh_token", undefined, undefined, id, secret, "nonsense"));
    assert.equal(answer.code, 400);
    assert.equal(answer.body.status, "BAD_REFRESH_TOKEN");
});

finish("hubspot");
