import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measure } from "./measure.ts";
import { plotOf } from "./plot.ts";
import { CHANGING, STEADY } from "./streams.ts";
import { changingTable, steadyTable } from "./table.ts";

const USAGE = `Holds the drift rule against labelled, seeded streams, beside the Python SDK's rule.

  --runs N      runs of each stream (50)
  --length N    sessions of a stream in which nothing changes (400)
  --write       put the tables into docs/drift.md and the plot into docs/images/drift.svg`;

/** Replaces what stands between two markers of a page. */
function replaced(page: string, name: string, table: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [before, rest] = page.split(start);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/drift.md has no ${start} … ${end}`);
  return `${before}${start}\n\n${table}\n\n${end}${after}`;
}

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "50" },
    length: { type: "string", default: "400" },
    write: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(`${USAGE}\n`);
} else {
  const [runs, length] = [Number(values.runs), Number(values.length)];
  if (!(Number.isInteger(runs) && runs > 0 && Number.isInteger(length) && length > 0)) {
    throw new Error("--runs and --length must be whole numbers above 0");
  }
  const steady = STEADY.map((stream) => measure(stream, runs, length));
  const changing = CHANGING.map((stream) => measure(stream, runs, length));
  const tables = [steadyTable(steady), changingTable(changing)] as const;
  process.stdout.write(`${tables.join("\n\n")}\n`);
  if (values.write) {
    const docs = join(import.meta.dirname, "../../docs");
    const page = readFileSync(join(docs, "drift.md"), "utf8");
    writeFileSync(
      join(docs, "drift.md"),
      replaced(replaced(page, "false alarms", tables[0]), "delays", tables[1]),
    );
    mkdirSync(join(docs, "images"), { recursive: true });
    writeFileSync(join(docs, "images/drift.svg"), plotOf(steady, changing));
  }
}
