// Plays the scenarios of the vendors' clients, each against a sandbox of its own.
//
//   node run.mjs BINARY [WORD...]
//
// BINARY is `handover`. A scenario is a file that begins with the name of its platform; with words, only those are
// played that begin with one of them. The sandbox is started, its ready line goes to the scenario in SANDBOX_READY,
// and it is stopped again by its process id.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const READY_MS = 30_000;
const SCENARIO_MS = 120_000;

const PLATFORMS = ["activecampaign", "dynamics", "hubspot", "pipedrive", "salesforce", "zoho"];
const INSTALLED = resolve(here, "..", process.env.CARGO_TARGET_DIR ?? "target", "clients");

const [binary, ...chosen] = process.argv.slice(2);
const scenarios = readdirSync(here)
    .filter((file) => /\.(mjs|py)$/.test(file) && PLATFORMS.includes(platformOf(file)))
    .filter((file) => chosen.length === 0 || chosen.some((word) => file.startsWith(word)));
if (!binary || scenarios.length === 0) {
    process.stderr.write("usage: node run.mjs BINARY [WORD...]\n");
    process.exit(2);
}
for (const scenario of scenarios) {
    let sandbox;
    try {
        sandbox = await start(platformOf(scenario));
        const code = await play(scenario, sandbox.ready);
        if (code !== 0) process.exitCode = 1;
    } catch (error) {
        process.stdout.write(`${scenario}: FAILED: ${error.message}\n`);
        process.exitCode = 1;
    } finally {
        sandbox?.process.kill();
    }
}

/** `salesforce_tap.py` is a scenario of `salesforce`. */
function platformOf(scenario) {
    return scenario.split(/[._]/)[0];
}

async function start(platform) {
    const file = join(here, "worlds", `${platform}.json`);
    const world = existsSync(file) ? file : undefined;
    // The example of the sandbox's crate serves without the binary's options.
    const bare = basename(binary) === "serve";
    const words = bare
        ? [platform, world].filter(Boolean)
        : ["sandbox", platform, "--world", world ?? "empty", "--limits", "off"];
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

async function play(scenario, ready) {
    const python = scenario.endsWith(".py");
    const interpreter = python ? join(INSTALLED, "clients", "bin", "python") : process.execPath;
    const child = spawn(interpreter, [join(here, scenario)], {
        cwd: here,
        env: { ...process.env, SANDBOX_READY: ready, PYTHONPYCACHEPREFIX: join(INSTALLED, "bytecode") },
        stdio: ["ignore", "inherit", "inherit"],
        timeout: SCENARIO_MS,
    });
    const [code] = await once(child, "exit");
    return code;
}
