// Compiles every contract beside it with npm's solc and prints {name: {abi, bytecode}}.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const solc = createRequire(join(process.argv[2], "package.json"))("solc");
const sources = {};
for (const name of readdirSync(here).filter((n) => n.endsWith(".sol"))) {
  sources[name] = { content: readFileSync(join(here, name), "utf8") };
}
const settings = { evmVersion: "cancun", optimizer: { enabled: true }, outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } } };
const output = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources, settings })));
const errors = (output.errors ?? []).filter((e) => e.severity === "error");
if (errors.length > 0) {
  console.error(errors.map((e) => e.formattedMessage).join("\n"));
  process.exit(1);
}
const contracts = {};
for (const file of Object.values(output.contracts)) {
  for (const [name, c] of Object.entries(file)) contracts[name] = { abi: c.abi, bytecode: "0x" + c.evm.bytecode.object };
}
console.log(JSON.stringify(contracts));
