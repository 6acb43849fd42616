// Rewrites package-lock.json without web addresses: .npmrc already keeps download addresses out, and npm adds links to
// sponsors that nobody here needs. Integrity hashes stay, so any registry or mirror must deliver the same bytes.
import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));
for (const entry of Object.values(lock.packages)) {
  delete entry.funding;
  delete entry.resolved;
}
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
