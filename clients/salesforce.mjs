// jsforce, unmodified, plays an organization's life against the sandbox.

import assert from "node:assert/strict";

import jsforce from "jsforce";

import { finish, refused, sandbox, step } from "./steps.mjs";

const VERSION = "66.0";
const org = new jsforce.Connection({ instanceUrl: sandbox.base_url, accessToken: sandbox.token, version: VERSION });
const accounts = org.sobject("Account");
const app = new jsforce.OAuth2({
    loginUrl: sandbox.base_url,
    clientId: sandbox.client_id,
    clientSecret: sandbox.client_secret,
    redirectUri: "http://localhost/callback",
});
const ids = {};

await step("what there is: all objects, the fields of one, the limits of a day", async () => {
    const all = await org.describeGlobal();
    assert.ok(all.sobjects.some((object) => object.name === "Opportunity"));
    const { fields } = await org.describe("Account");
    const key = fields.find((field) => field.name === "Src_Id__c");
    assert.equal(key.externalId, true);
    assert.equal(key.unique, true);
    const limits = await org.request("/limits");
    assert.ok(limits.DailyApiRequests.Max > 0);
    assert.ok(org.limitInfo.apiUsage.used > 0);
});

await step("create, retrieve, update", async () => {
    const made = await accounts.create({ Name: "Acme", Src_Id__c: "a" });
    assert.equal(made.success, true);
    assert.equal(made.id.length, 18);
    ids.account = made.id;
    assert.equal((await accounts.retrieve(made.id)).Name, "Acme");
    const updated = await accounts.update({ Id: made.id, Site: "Kiel" });
    assert.equal(updated.success, true);
    assert.equal((await accounts.retrieve(made.id)).Site, "Kiel");
});

await step("refusals: a required field, an unknown one, one id twice", async () => {
    const nameless = await refused(() => accounts.create({ Site: "nowhere" }));
    assert.equal(nameless.errorCode, "REQUIRED_FIELD_MISSING");
    const unknown = await refused(() => accounts.create({ Name: "x", Colour: "red" }));
    assert.equal(unknown.errorCode, "INVALID_FIELD");
    const again = await refused(() => accounts.create({ Name: "x", Src_Id__c: "a" }));
    assert.equal(again.errorCode, "DUPLICATE_VALUE");
    const gone = await refused(() => accounts.retrieve("001000000000000AAA"));
    assert.equal(gone.errorCode, "NOT_FOUND");
});

await step("collections: some succeed, some do not, each in its place", async () => {
    const some = await accounts.create([{ Name: "Birch" }, { Site: "x" }, { Name: "Cedar" }], { allOrNone: false });
    assert.deepEqual(some.map((each) => each.success), [true, false, true]);
    assert.equal(some[1].errors[0].statusCode, "REQUIRED_FIELD_MISSING");
    const many = Array.from({ length: 450 }, (_, at) => ({ Name: `Many ${at}` }));
    const made = await accounts.create(many, { allowRecursive: true });
    assert.equal(made.filter((each) => each.success).length, 450);
});

await step("upsert by an external id: found once, made once", async () => {
    const found = await accounts.upsert({ Name: "Acme 2", Src_Id__c: "a" }, "Src_Id__c");
    assert.equal(found.success, true);
    assert.equal((await accounts.retrieve(ids.account)).Name, "Acme 2");
    const both = await accounts.upsert(
        [
            { Name: "Acme 3", Src_Id__c: "a" },
            { Name: "New", Src_Id__c: "z" },
        ],
        "Src_Id__c",
    );
    assert.deepEqual(both.map((each) => each.created), [false, true]);
});

await step("queries: conditions, children, and more than a page", async () => {
    const found = await accounts.find({ Src_Id__c: "a" }, "Id, Name");
    assert.deepEqual(found.map((each) => each.Name), ["Acme 3"]);
    await org.sobject("Contact").create({ LastName: "Lind", AccountId: ids.account });
    const nested = await org.query(
        `SELECT Name, (SELECT LastName FROM Contacts) FROM Account WHERE Id = '${ids.account}'`,
    );
    assert.equal(nested.records[0].Contacts.records[0].LastName, "Lind");
    const headers = { "Sforce-Query-Options": "batchSize=200" };
    const all = await org.query("SELECT Id FROM Account", { headers }).run({ autoFetch: true, maxFetch: 5_000 });
    assert.equal(all.records.length, 454);
    const wrong = await refused(() => org.query("SELECT Colour FROM Account"));
    assert.equal(wrong.errorCode, "INVALID_FIELD");
    const broken = await refused(() => org.query("SELECT FROM Account"));
    assert.equal(broken.errorCode, "MALFORMED_QUERY");
});

await step("bulk 2.0: a load with its failures, and a query", async () => {
    org.bulk2.pollInterval = 100;
    org.bulk2.pollTimeout = 30_000;
    const input = [
        { Name: "Bulky", Site: "x" },
        { Name: "", Site: "y" },
    ];
    const done = await org.bulk2.loadAndWaitForResults({ object: "Account", operation: "insert", input });
    assert.equal(done.successfulResults.length, 1);
    assert.match(done.failedResults[0].sf__Error, /REQUIRED_FIELD_MISSING/);
    const rows = await (await org.bulk2.query("SELECT Id, Name FROM Account WHERE Name = 'Bulky'")).toArray();
    assert.deepEqual(rows.map((each) => each.Name), ["Bulky"]);
});

await step("feeds of what changed and of what was deleted", async () => {
    const hour = 3_600_000;
    const span = [new Date(Date.now() - hour), new Date(Date.now() + hour / 30)];
    const updated = await accounts.updated(...span);
    assert.ok(updated.ids.includes(ids.account));
    const [victim] = await accounts.find({ Name: "Birch" }, "Id");
    assert.equal((await accounts.destroy(victim.Id)).success, true);
    const deleted = await accounts.deleted(...span);
    assert.deepEqual(deleted.deletedRecords.map((each) => each.id), [victim.Id]);
    ids.deleted = victim.Id;
});

await step("SOAP: out of the bin again", async () => {
    const back = await org.soap.undelete([ids.deleted]);
    assert.equal([back].flat()[0].success, true);
    assert.equal((await accounts.retrieve(ids.deleted)).Name, "Birch");
});

await step("an access token that ended is renewed", async () => {
    const late = new jsforce.Connection({
        oauth2: app,
        instanceUrl: sandbox.base_url,
        refreshToken: sandbox.refresh_token,
        accessToken: "ended",
        version: VERSION,
    });
    const counted = await late.query("SELECT COUNT() FROM Account");
    assert.ok(counted.totalSize > 450);
    assert.equal((await late.identity()).organization_id.slice(0, 15), sandbox.org_id.slice(0, 15));
});

await step("login by SOAP", async () => {
    const person = new jsforce.Connection({ loginUrl: sandbox.base_url, version: VERSION });
    const info = await person.login(sandbox.username, sandbox.password);
    assert.equal(info.id.slice(0, 15), sandbox.user_id.slice(0, 15));
    const wrong = await refused(() => person.login(sandbox.username, "wrong"));
    assert.match(String(wrong.errorCode ?? wrong.message), /INVALID_LOGIN/);
});

finish("salesforce");
