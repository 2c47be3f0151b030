"""Clients of ECS Exec's data channel that we did not write, from the registries, each as a command to run.

- pyssm-client (PyPI, Python): asks for Python 3.12 and runs on 3.11 as well.
- ssm-session (npm, JavaScript): a library; `NODE_CLIENT` is its README's program, with keys from standard input.
- session-manager-plugin: the official client, where it is installed.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PYSSM = "pyssm-client==0.2.0"
NODE_PACKAGES = ("ssm-session@1.0.6", "ws@8")
INSTALL_TIMEOUT_SECONDS = 180
PLUGIN = "session-manager-plugin"

NODE_CLIENT = """
const { ssm } = require("ssm-session");
const WebSocket = require("ws");
const { sessionId, streamUrl, tokenValue } = JSON.parse(process.argv[2]);
const decoder = new TextDecoder();
const shown = new Set();
const connection = new WebSocket(streamUrl);
connection.binaryType = "arraybuffer";
const termOptions = { rows: 34, cols: 197 };
connection.onopen = () => ssm.init(connection, { token: tokenValue, termOptions });
connection.onerror = (error) => { console.error(`WebSocket error: ${error.message}`); process.exit(1); };
connection.onclose = () => process.exit(0);
connection.onmessage = (event) => {
  const message = ssm.decode(event.data);
  if (message.messageType !== "output_stream_data") return;
  ssm.sendACK(connection, message);
  // What comes again, because its acknowledgement was slow, is for the program to notice.
  if (shown.has(message.sequenceNumber)) return;
  shown.add(message.sequenceNumber);
  if (message.payloadType === 1) process.stdout.write(decoder.decode(message.payload));
};
process.stdin.on("data", (keys) => ssm.sendText(connection, keys));
"""

PLUGIN_STAND_IN = """#!/bin/sh
if [ $# -eq 0 ]; then echo "The Session Manager plugin was installed successfully."; exit 0; fi
PYTHONPATH={packages} exec {python} -m pyssm_client.cli.main connect "$1"
"""


def install_pyssm(directory: Path) -> Path:
    """Install pyssm-client without its dependencies, which we have; return the directory for PYTHONPATH."""
    packages = directory / "pyssm"
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--ignore-requires-python")
    _run(sys.executable, "-m", "pip", "install", *options, "--target", str(packages), PYSSM)
    return packages


def pyssm(directory: Path) -> list[str]:
    """Return the command of pyssm-client; a session's JSON is its next argument."""
    return ["env", f"PYTHONPATH={install_pyssm(directory)}", sys.executable, "-m", "pyssm_client.cli.main", "connect"]


def ssm_session(directory: Path) -> list[str]:
    """Return the command of a program with ssm-session; a session's JSON is its next argument. Skips without npm."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("npm and node are not installed: apt-get install npm")
    place = directory / "npm"
    place.mkdir()
    _run(npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(place), *NODE_PACKAGES)
    program = place / "client.js"
    program.write_text(NODE_CLIENT)
    return [node, str(program)]


def plugin_stand_in(directory: Path) -> Path:
    """Return a directory with a `session-manager-plugin` that is pyssm-client, for the AWS CLI to find on PATH."""
    program = directory / "bin" / PLUGIN
    program.parent.mkdir()
    program.write_text(PLUGIN_STAND_IN.format(packages=install_pyssm(directory), python=sys.executable))
    program.chmod(0o755)
    return program.parent


def official_plugin() -> Path:
    """Return the directory of the official plugin. Skips where it is not installed."""
    program = shutil.which(PLUGIN)
    if program is None:
        pytest.skip("AWS's session-manager-plugin is not on PATH")
    return Path(program).parent


def _run(*command: str) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=INSTALL_TIMEOUT_SECONDS, env=dict(os.environ)
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
