"""Verification by the npm package standardwebhooks, of every delivery as it comes."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.protocol.node import installed, node

SCRIPT = """
import { createReadStream, existsSync } from "node:fs";
import { Webhook } from "standardwebhooks";
const [file, secret, stop] = process.argv.slice(2);
const webhook = new Webhook(secret);
let at = 0, verified = 0, refused = 0, rest = "";
const read = async () => {
  for await (const chunk of createReadStream(file, { start: at, encoding: "utf8" })) {
    at += Buffer.byteLength(chunk);
    rest += chunk;
  }
  const lines = rest.split("\\n");
  rest = lines.pop();
  for (const line of lines) {
    const { headers, body } = JSON.parse(line);
    try { webhook.verify(body, headers); verified++; } catch { refused++; }
  }
};
while (!existsSync(stop)) { if (existsSync(file)) await read(); await new Promise((go) => setTimeout(go, 200)); }
await read();
console.log(JSON.stringify({ verified, refused }));
"""


class Verifier:
    """Verifies a receiver's bodies while they come, for signatures are good for five minutes."""

    def __init__(self, folder: Path, bodies: Path, secret: str) -> None:
        self._stop = folder / "stop"
        self._script = installed() / f"verify.{os.getpid()}.mjs"
        self._script.write_text(SCRIPT, encoding="utf-8")
        command = [str(node()), str(self._script), str(bodies), secret, str(self._stop)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)

    def end(self) -> dict[str, Any]:
        """Verify the rest; gives how many were verified and refused."""
        self._stop.touch()
        out, _ = self._process.communicate(timeout=60)
        self._script.unlink()
        told: dict[str, Any] = json.loads(out)
        return told
