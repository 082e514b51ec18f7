// Prints the transactions that a wallet's client is tested with, as JSON: a list of
// {file, name, tx, actions}, where actions is what THORChain's own index answered. The
// argument is the folder of npm's @shapeshiftoss/unchained-client, unpacked.
import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";

const cases = [];

async function walk(folder) {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) await walk(path);
    else if (path.includes("mockData") && name.startsWith("thorchain") && name.endsWith(".js")) await read(path);
  }
}

async function read(path) {
  const { default: exported } = await import(pathToFileURL(path));
  const answers = Object.keys(exported).filter((key) => exported[key].actions);
  for (const [name, tx] of Object.entries(exported)) {
    if (!tx.txid) continue;
    const actions = answers.flatMap((key) => exported[key].actions);
    cases.push({ file: basename(path, ".js"), name, tx, actions });
  }
}

await walk(join(process.argv[2], "dist/esm"));
console.log(JSON.stringify(cases));
