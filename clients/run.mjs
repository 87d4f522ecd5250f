// Plays the scenarios of the vendors' clients, each against a sandbox of its own.
//
//   node run.mjs BINARY [PLATFORM...]
//
// BINARY is `handover`. The sandbox is started, its ready line goes to the scenario in SANDBOX_READY,
// and it is stopped again by its process id.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { basename, dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const READY_MS = 30_000;
const SCENARIO_MS = 120_000;

const [binary, ...chosen] = process.argv.slice(2);
if (!binary) {
    process.stderr.write("usage: node run.mjs BINARY [PLATFORM...]\n");
    process.exit(2);
}
const platforms = chosen.length > 0 ? chosen : ["pipedrive", "hubspot", "salesforce"];
for (const platform of platforms) {
    const sandbox = await start(platform);
    try {
        const code = await play(platform, sandbox.ready);
        if (code !== 0) process.exitCode = 1;
    } finally {
        sandbox.process.kill();
    }
}

async function start(platform) {
    const world = join(here, "worlds", `${platform}.json`);
    // The example of the sandbox's crate serves without the binary's options.
    const words = basename(binary) === "serve" ? [platform, world] : ["sandbox", platform, "--world", world, "--limits", "off"];
    const child = spawn(resolve(binary), words, { stdio: ["ignore", "pipe", "inherit"] });
    child.on("error", (error) => {
        process.stderr.write(`${binary}: ${error.message}\n`);
        process.exit(1);
    });
    const lines = createInterface({ input: child.stdout });
    const ended = once(child, "exit").then(() => {
        throw new Error(`the sandbox of ${platform} ended before it was ready`);
    });
    ended.catch(() => {});
    const late = AbortSignal.timeout(READY_MS);
    const [line] = await Promise.race([once(lines, "line", { signal: late }), ended]);
    return { process: child, ready: line };
}

async function play(platform, ready) {
    const scenario = spawn(process.execPath, [join(here, `${platform}.mjs`)], {
        cwd: here,
        env: { ...process.env, SANDBOX_READY: ready },
        stdio: ["ignore", "inherit", "inherit"],
        timeout: SCENARIO_MS,
    });
    const [code] = await once(scenario, "exit");
    return code;
}
