"""A scenario is a list of steps that are played in order. A step that fails does not end the scenario:
one run tells every place where a client and a sandbox disagree. Its twin for Node.js is `steps.mjs`."""

import json
import logging
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback

SANDBOX = json.loads(os.environ.get("SANDBOX_READY", "{}"))
"""What the sandbox said when it was ready: `base_url`, `token` and what else the platform has."""

TAP_S = 60
"""How long one reading of a tap may take, in seconds."""

# What a client logs of a refusal that a step waits for would only hide what failed.
logging.disable(logging.CRITICAL)

_failures = []
_played = []


def step(name):
    """Plays the function below it as one step."""

    def play(function):
        _played.append(name)
        try:
            function()
        except Exception as error:
            _failures.append(name)
            text = "".join(_where_and_what(error)).strip().replace("\n", "\n    ")
            print(f"  FAILED {name}\n    {text}", flush=True)

    return play


def _where_and_what(error):
    """The lines of the scenario that led there, without those of the client, and what it said."""
    own = pathlib.Path(__file__).parent
    frames = [each for each in traceback.extract_tb(error.__traceback__) if pathlib.Path(each.filename).parent == own]
    return traceback.format_list(frames[1:2]) + traceback.format_exception_only(error)


def finish(name):
    """Ends the scenario: says the sum, and fails the process when a step failed."""
    print(f"{name}: {len(_played) - len(_failures)} of {len(_played)} steps", flush=True)
    sys.exit(1 if _failures or not _played else 0)


def equal(got, wanted):
    """Expects one value to be another, and shows both when it is not."""
    if got != wanted:
        raise AssertionError(f"got {got!r}, wanted {wanted!r}")


def refused(kind, call):
    """Expects that `call` is refused with an exception of this kind, and gives it."""
    try:
        answer = call()
    except kind as error:
        return error
    raise AssertionError(f"was not refused: {answer!r}")


class Tap:
    """A Singer tap in an environment of its own: what it is told, and what it says."""

    def __init__(self, environment, command, config):
        self.command = pathlib.Path(sys.prefix).parent / environment / "bin" / command
        self.folder = tempfile.TemporaryDirectory()
        self.config = config

    def run(self, *words, **files):
        """The lines that the tap writes, as text. `files` are options whose values it reads from files."""
        for name, content in [("config", self.config), *files.items()]:
            path = pathlib.Path(self.folder.name) / f"{name}.json"
            path.write_text(json.dumps(content))
            words = (*words, f"--{name}", str(path))
        done = subprocess.run([self.command, *words], capture_output=True, text=True, timeout=TAP_S, check=False)
        if done.returncode != 0:
            raise AssertionError(f"the tap ended with {done.returncode}: {done.stderr[-3000:]}")
        return done.stdout

    def catalog(self, keep):
        """What the tap found, with the streams selected that are to be kept."""
        found = json.loads(self.run("--discover"))
        for stream in found["streams"]:
            for part in stream["metadata"]:
                part["metadata"]["selected"] = stream["tap_stream_id"] in keep
        return found

    def read(self, catalog, state=None, option="catalog"):
        """The records by stream, and the state to go on with."""
        files = {option: catalog} if state is None else {option: catalog, "state": state}
        records = {}
        for line in self.run(**files).splitlines():
            message = json.loads(line)
            if message["type"] == "RECORD":
                records.setdefault(message["stream"], []).append(message["record"])
            elif message["type"] == "STATE":
                state = message["value"]
        return records, state
