// Pipedrive's own client for Node.js, unmodified, plays an account's life against the sandbox.

import assert from "node:assert/strict";
import { File } from "node:buffer";

import { v1, v2 } from "pipedrive";

import { finish, listener, refused, sandbox, step } from "./steps.mjs";

const at = (version) => ({ apiKey: sandbox.token, basePath: `${sandbox.base_url}/api/${version}` });
const one = new v1.Configuration(at("v1"));
const two = new v2.Configuration(at("v2"));

const activities = new v2.ActivitiesApi(two);
const deals = new v2.DealsApi(two);
const items = new v2.ItemSearchApi(two);
const organizations = new v2.OrganizationsApi(two);
const persons = new v2.PersonsApi(two);

const keys = {};
const ids = {};

await step("the token's user", async () => {
    const { data } = await new v1.UsersApi(one).getCurrentUser();
    assert.equal(data.company_domain, sandbox.company_domain);
    assert.ok(data.access.some((access) => access.admin));
    const all = await new v1.UsersApi(one).getUsers();
    assert.ok(all.data.some((user) => user.id === data.id));
    ids.user = data.id;
});

await step("pipelines, stages, currencies, types of activities", async () => {
    const pipelines = await new v2.PipelinesApi(two).getPipelines();
    ids.pipeline = pipelines.data[0].id;
    const stages = await new v2.StagesApi(two).getStages({ pipeline_id: ids.pipeline });
    assert.ok(stages.data.every((stage) => stage.pipeline_id === ids.pipeline));
    ids.stage = stages.data[1].id;
    const currencies = await new v1.CurrenciesApi(one).getCurrencies();
    assert.ok(currencies.data.some((currency) => currency.code === "EUR"));
    const types = await new v1.ActivityTypesApi(one).getActivityTypes();
    assert.ok(types.data.some((type) => type.key_string === "call"));
});

await step("a pipeline and its stages are created and removed", async () => {
    const made = await new v2.PipelinesApi(two).addPipeline({ AddPipelineRequest: { name: "Renewals" } });
    const stage = await new v2.StagesApi(two).addStage({ AddStageRequest: { name: "Due", pipeline_id: made.data.id } });
    assert.equal(stage.data.pipeline_id, made.data.id);
    await new v2.StagesApi(two).deleteStage({ id: stage.data.id });
    await new v2.PipelinesApi(two).deletePipeline({ id: made.data.id });
});

await step("fields of persons and deals, with options", async () => {
    const fields = new v2.PersonFieldsApi(two);
    const region = await fields.addPersonField({
        AddPersonFieldRequest: { field_name: "Region", field_type: "enum", options: [{ label: "North" }, { label: "South" }] },
    });
    assert.match(region.data.field_code, /^[0-9a-f]{40}$/);
    assert.deepEqual(region.data.options.map((option) => option.label), ["North", "South"]);
    keys.region = region.data;
    const more = await fields.addPersonFieldOptions({ field_code: keys.region.field_code, AddDealFieldOptionsRequestInner: [{ label: "East" }] });
    assert.equal(more.data[0].label, "East");
    const key = await fields.addPersonField({ AddPersonFieldRequest: { field_name: "Source key", field_type: "varchar" } });
    keys.source = key.data.field_code;
    const made = await new v2.DealFieldsApi(two).addDealField({
        AddDealFieldRequest: { field_name: "Products", field_type: "set", options: [{ label: "A" }, { label: "B" }] },
    });
    keys.products = made.data;
    const read = await fields.getPersonField({ field_code: keys.region.field_code });
    assert.deepEqual(read.data.options.map((option) => option.label).sort(), ["East", "North", "South"]);
});

await step("all fields by pages", async () => {
    const codes = new Set();
    let cursor;
    do {
        const page = await new v2.PersonFieldsApi(two).getPersonFields({ limit: 5, cursor });
        assert.ok(page.data.length <= 5);
        page.data.forEach((field) => codes.add(field.field_code));
        cursor = page.additional_data.next_cursor;
    } while (cursor);
    assert.ok(codes.has("name") && codes.has(keys.source));
});

await step("an organization", async () => {
    const { data } = await organizations.addOrganization({
        AddOrganizationRequest: {
            name: "Nordlicht GmbH",
            owner_id: ids.user,
            add_time: "2021-03-04T05:06:07Z",
            address: { value: "Hafenstraße 1, Kiel" },
            website: "https://nordlicht.example",
        },
    });
    assert.equal(data.name, "Nordlicht GmbH");
    assert.equal(data.add_time, "2021-03-04T05:06:07Z");
    assert.equal(data.address.value, "Hafenstraße 1, Kiel");
    ids.organization = data.id;
});

await step("a person", async () => {
    const north = keys.region.options.find((option) => option.label === "North").id;
    const { data } = await persons.addPerson({
        AddPersonRequest: {
            name: "Zoë Ångström",
            org_id: ids.organization,
            emails: [{ value: "zoe@nordlicht.example", primary: true, label: "work" }, { value: "zoe@home.example" }],
            phones: [{ value: "+49 431 1234567" }],
            custom_fields: { [keys.region.field_code]: north, [keys.source]: "A-1" },
        },
    });
    assert.equal(data.org_id, ids.organization);
    assert.equal(data.emails.length, 2);
    assert.equal(data.emails.filter((email) => email.primary).length, 1);
    assert.equal(data.custom_fields[keys.region.field_code], north);
    ids.person = data.id;
});

await step("a deal, and how it is won", async () => {
    const a = keys.products.options[0].id;
    const { data } = await deals.addDeal({
        AddDealRequest: {
            title: "Beleuchtung",
            person_id: ids.person,
            org_id: ids.organization,
            pipeline_id: ids.pipeline,
            stage_id: ids.stage,
            value: 1250.5,
            currency: "EUR",
            custom_fields: { [keys.products.field_code]: [a] },
        },
    });
    assert.equal(data.status, "open");
    assert.equal(data.value, 1250.5);
    assert.deepEqual(data.custom_fields[keys.products.field_code], [a]);
    ids.deal = data.id;
    const won = await deals.updateDeal({ id: ids.deal, UpdateDealRequest: { status: "won", won_time: "2024-05-06T07:08:09Z" } });
    assert.equal(won.data.status, "won");
    assert.equal(won.data.won_time, "2024-05-06T07:08:09Z");
});

await step("a note", async () => {
    const notes = new v1.NotesApi(one);
    const made = await notes.addNote({ AddNoteRequest: { content: "<p>Called back.</p>", deal_id: ids.deal, add_time: "2022-01-02 03:04:05" } });
    assert.equal(made.data.deal_id, ids.deal);
    assert.equal(made.data.add_time, "2022-01-02 03:04:05");
    const changed = await notes.updateNote({ id: made.data.id, NoteRequest: { content: "<p>Called twice.</p>" } });
    assert.equal(changed.data.content, "<p>Called twice.</p>");
    const all = await notes.getNotes({ deal_id: ids.deal, start: 0, limit: 10 });
    assert.deepEqual(all.data.map((note) => note.id), [made.data.id]);
    assert.equal(all.additional_data.pagination.more_items_in_collection, false);
});

await step("an activity with its person", async () => {
    const { data } = await activities.addActivity({
        AddActivityRequest: {
            subject: "Call Zoë",
            type: "call",
            due_date: "2024-02-29",
            due_time: "14:30:00",
            duration: "00:15:00",
            deal_id: ids.deal,
            participants: [{ person_id: ids.person, primary: true }],
        },
    });
    assert.equal(data.person_id, ids.person);
    // The client calls the body of an update by the name of the body of a creation.
    const done = await activities.updateActivity({ id: data.id, AddActivityRequest: { done: true } });
    assert.equal(done.data.done, true);
});

await step("a file goes up and comes down again", async () => {
    const files = new v1.FilesApi(one);
    const bytes = Buffer.from("Angebot Nr. 7\n€ 1.250,50\n");
    const made = await files.addFile({ file: new File([bytes], "angebot.txt", { type: "text/plain" }), deal_id: ids.deal });
    assert.equal(made.data.file_name.endsWith(".txt"), true);
    assert.equal(made.data.file_size, bytes.length);
    const got = await files.downloadFile({ id: made.data.id });
    assert.equal(Buffer.from(got).toString(), bytes.toString());
    const renamed = await files.updateFile({ id: made.data.id, name: "Angebot 7" });
    assert.equal(renamed.data.name, "Angebot 7");
});

await step("all persons by pages, each once", async () => {
    for (let n = 0; n < 11; n += 1) {
        await persons.addPerson({ AddPersonRequest: { name: `Person ${n}`, emails: [{ value: `p${n}@many.example` }] } });
    }
    const seen = [];
    let cursor;
    do {
        const page = await persons.getPersons({ limit: 5, cursor, sort_by: "id", sort_direction: "asc" });
        seen.push(...page.data.map((person) => person.id));
        cursor = page.additional_data.next_cursor;
    } while (cursor);
    assert.equal(seen.length, 12);
    assert.equal(new Set(seen).size, 12);
    const some = await persons.getPersons({ ids: seen.slice(0, 3).join(",") });
    assert.equal(some.data.length, 3);
});

await step("changes since", async () => {
    const { data } = await deals.getDeals({ updated_since: "2020-01-01T00:00:00Z", sort_by: "update_time", sort_direction: "asc" });
    assert.deepEqual(data.map((deal) => deal.id), [ids.deal]);
    const answer = await refused(() => deals.getDeals({ updated_since: "2020-01-01T00:00:00.000Z" }));
    assert.equal(answer.success, false);
});

await step("search", async () => {
    const byName = await persons.searchPersons({ term: "Ångström", fields: "name" });
    assert.equal(byName.data.items[0].item.id, ids.person);
    const byEmail = await persons.searchPersons({ term: "zoe@nordlicht.example", fields: "email", exact_match: true });
    assert.equal(byEmail.data.items.length, 1);
    const all = await items.searchItem({ term: "Nordlicht", item_types: "organization,person" });
    assert.ok(all.data.items.some((found) => found.item.type === "organization" && found.item.id === ids.organization));
    const byField = await items.searchItemByField({ term: "A-1", entity_type: "person", field: keys.source, match: "exact" });
    assert.equal(byField.data[0].id, ids.person);
});

await step("leads", async () => {
    const leads = new v1.LeadsApi(one);
    const made = await leads.addLead({ AddLeadRequest: { title: "Neubau", person_id: ids.person, value: { amount: 99, currency: "EUR" } } });
    assert.match(made.data.id, /^[0-9a-f-]{36}$/);
    const changed = await leads.updateLead({ id: made.data.id, UpdateLeadRequest: { title: "Neubau II" } });
    assert.equal(changed.data.title, "Neubau II");
    const all = await leads.getLeads({ limit: 10 });
    assert.deepEqual(all.data.map((lead) => lead.id), [made.data.id]);
    await leads.deleteLead({ id: made.data.id });
});

await step("products of a deal", async () => {
    const products = new v2.ProductsApi(two);
    const lamp = await products.addProduct({ AddProductRequest: { name: "Lamp", code: "L-1", prices: [{ currency: "EUR", price: 100 }] } });
    const deal = await deals.addDeal({ AddDealRequest: { title: "Lamps" } });
    const row = await new v2.DealProductsApi(two).addDealProduct({
        id: deal.data.id,
        AddDealProductRequest: { product_id: lamp.data.id, item_price: 90, quantity: 3 },
    });
    assert.equal(row.data.sum, 270);
    const read = await deals.getDeal({ id: deal.data.id });
    assert.equal(read.data.value, 270);
    await deals.deleteDeal({ id: deal.data.id });
});

await step("two persons become one", async () => {
    const twin = await persons.addPerson({ AddPersonRequest: { name: "Zoe Angstrom", emails: [{ value: "zoe2@nordlicht.example" }] } });
    const merged = await new v1.PersonsApi(one).mergePersons({ id: twin.data.id, MergePersonsRequest: { merge_with_id: ids.person } });
    assert.equal(merged.data.id, ids.person);
    const left = await persons.getPerson({ id: ids.person });
    assert.ok(left.data.emails.some((email) => email.value === "zoe2@nordlicht.example"));
    const all = await persons.getPersons({ limit: 500 });
    assert.ok(!all.data.some((person) => person.id === twin.data.id));
});

await step("the history of a deal", async () => {
    const { data } = await new v1.DealsApi(one).getDealChangelog({ id: ids.deal });
    assert.ok(data.some((change) => change.field_key === "status" && change.new_value === "won"));
});

await step("participants and relations", async () => {
    const other = await persons.addPerson({ AddPersonRequest: { name: "Participant" } });
    await new v1.DealsApi(one).addDealParticipant({ id: ids.deal, AddDealParticipantRequest: { person_id: other.data.id } });
    const read = await new v1.DealsApi(one).getDealParticipants({ id: ids.deal });
    assert.ok(read.data.some((row) => row.person_id === other.data.id || row.person_id?.value === other.data.id));
    const daughter = await organizations.addOrganization({ AddOrganizationRequest: { name: "Nordlicht Süd" } });
    const made = await new v1.OrganizationRelationshipsApi(one).addOrganizationRelationship({
        AddOrganizationRelationshipRequest: { type: "parent", rel_owner_org_id: ids.organization, rel_linked_org_id: daughter.data.id },
    });
    assert.equal(made.data.type, "parent");
    const all = await new v1.OrganizationRelationshipsApi(one).getOrganizationRelationships({ org_id: ids.organization });
    assert.equal(all.data.length, 1);
});

await step("webhooks are created, called, listed and removed", async () => {
    const webhooks = new v1.WebhooksApi(one);
    const ear = await listener();
    try {
        const made = await webhooks.addWebhook({
            AddWebhookRequest: {
                subscription_url: ear.url,
                event_action: "create",
                event_object: "person",
                name: "news",
                http_auth_user: "hook",
                http_auth_password: "secret",
            },
        });
        assert.equal(made.status, "ok");
        const person = await persons.addPerson({ AddPersonRequest: { name: "Heard" } });
        const call = await ear.next();
        assert.equal(call.headers.authorization, `Basic ${Buffer.from("hook:secret").toString("base64")}`);
        assert.equal(call.body.meta.action, "create");
        assert.equal(call.body.meta.entity, "person");
        assert.equal(Number(call.body.meta.entity_id), person.data.id);
        assert.equal(call.body.data.name, "Heard");
        const all = await webhooks.getWebhooks();
        assert.deepEqual(all.data.map((hook) => hook.id), [made.data.id]);
        await webhooks.deleteWebhook({ id: made.data.id });
        assert.equal((await webhooks.getWebhooks()).data.length, 0);
    } finally {
        ear.close();
    }
});

await step("an unknown key is refused", async () => {
    const answer = await refused(() => deals.addDeal({ AddDealRequest: { title: "Strict", colour: "red" } }));
    assert.equal(answer.code, "ERR_SCHEMA_VALIDATION_FAILED");
    assert.match(answer.error, /colour/);
});

await step("a wrong type is refused", async () => {
    const answer = await refused(() => deals.addDeal({ AddDealRequest: { title: "Strict", value: "12" } }));
    assert.equal(answer.success, false);
    assert.match(answer.error, /value/);
});

await step("an unknown option is refused", async () => {
    const answer = await refused(() =>
        persons.addPerson({ AddPersonRequest: { name: "Nowhere", custom_fields: { [keys.region.field_code]: 999999 } } }),
    );
    assert.equal(answer.success, false);
});

await step("what is not there is not found", async () => {
    const answer = await refused(() => persons.getPerson({ id: 999999 }));
    assert.equal(answer.success, false);
    assert.match(answer.error, /not found/i);
});

await step("a strange token is refused", async () => {
    const stranger = new v2.Configuration({ apiKey: "0".repeat(40), basePath: two.basePath });
    const answer = await refused(() => new v2.DealsApi(stranger).getDeals());
    assert.equal(answer.success, false);
    assert.equal(answer.errorCode, 401);
});

await step("a field that is removed makes writes fail", async () => {
    await new v2.PersonFieldsApi(two).deletePersonField({ field_code: keys.source });
    const answer = await refused(() =>
        persons.updatePerson({ id: ids.person, UpdatePersonRequest: { custom_fields: { [keys.source]: "B-2" } } }),
    );
    assert.equal(answer.success, false);
});

await step("OAuth: a code, then a refresh, then the old refresh token is dead", async () => {
    const app = { clientId: sandbox.client_id, clientSecret: sandbox.client_secret, redirectUri: "http://localhost/back", host: sandbox.base_url };
    const config = new v2.OAuth2Configuration(app);
    const agreed = await fetch(`${config.authorizationUrl}&response_type=code`, { redirect: "manual" });
    const code = new URL(agreed.headers.get("location")).searchParams.get("code");
    const first = await config.authorize(code);
    assert.equal(first.token_type, "Bearer");
    assert.equal(first.api_domain, sandbox.base_url);
    // As the client's own page shows it: the token is given as a function, and the base from the answer.
    const bearer = () => new v2.Configuration({ accessToken: config.getAccessToken, basePath: config.basePath });
    assert.ok((await new v2.DealsApi(bearer()).getDeals()).success);
    const second = await config.tokenRefresh();
    assert.notEqual(second.access_token, first.access_token);
    assert.ok((await new v2.DealsApi(bearer()).getDeals()).success);
    config.updateToken({ refresh_token: first.refresh_token });
    const answer = await refused(() => config.tokenRefresh());
    assert.match(JSON.stringify(answer), /refresh_token is invalid/);
});

await step("OAuth: a scope that was not agreed to is refused", async () => {
    const config = new v2.OAuth2Configuration({
        clientId: sandbox.client_id,
        clientSecret: sandbox.client_secret,
        redirectUri: "http://localhost/back",
        host: sandbox.base_url,
    });
    config.updateToken({ refresh_token: sandbox.refresh_token });
    await config.tokenRefresh();
    const bearer = new v2.Configuration({ accessToken: config.getAccessToken, basePath: config.basePath });
    const answer = await refused(() => new v2.ProductsApi(bearer).getProducts());
    assert.equal(answer.success, false);
});

finish("pipedrive");
