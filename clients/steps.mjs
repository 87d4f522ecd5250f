// A scenario is a list of steps that are played in order. A step that fails does not end the scenario:
// one run tells every place where a vendor's client and a sandbox disagree.

import assert from "node:assert/strict";
import { createServer } from "node:http";

/** What the sandbox said when it was ready: `base_url`, `token` and what else the platform has. */
export const sandbox = JSON.parse(process.env.SANDBOX_READY ?? "{}");

const failures = [];
let played = 0;

/** Plays one step. */
export async function step(name, play) {
    played += 1;
    try {
        await play();
    } catch (error) {
        failures.push(name);
        process.stdout.write(`  FAILED ${name}\n${indent(describe(error))}\n`);
    }
}

/** Ends the scenario: says the sum, and fails the process when a step failed. */
export function finish(name) {
    process.stdout.write(`${name}: ${played - failures.length} of ${played} steps\n`);
    process.exitCode = failures.length === 0 ? 0 : 1;
}

/** Expects that `call` is refused, and gives what it was refused with. */
export async function refused(call) {
    let answer;
    try {
        answer = await call();
    } catch (error) {
        return error;
    }
    assert.fail(`was not refused: ${JSON.stringify(answer)}`);
}

/** A server on loopback that keeps what it is sent; `next()` waits for the next body. */
export async function listener() {
    const bodies = [];
    const waiting = [];
    const server = createServer((request, response) => {
        const parts = [];
        request.on("data", (part) => parts.push(part));
        request.on("end", () => {
            const got = { headers: request.headers, body: JSON.parse(Buffer.concat(parts).toString() || "null") };
            const taker = waiting.shift();
            if (taker) taker(got);
            else bodies.push(got);
            response.end();
        });
    });
    await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
    return {
        url: `http://127.0.0.1:${server.address().port}/`,
        next: () => (bodies.length > 0 ? Promise.resolve(bodies.shift()) : new Promise((take) => waiting.push(take))),
        close: () => server.close(),
    };
}

function describe(error) {
    if (error instanceof assert.AssertionError) return error.message;
    if (error instanceof Error) return `${error.stack}\n${error.body ? JSON.stringify(error.body) : ""}`;
    return JSON.stringify(error);
}

function indent(text) {
    return text.replace(/^/gm, "    ");
}
