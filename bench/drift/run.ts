import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { costOf } from "./cost.ts";
import { SIZES } from "./lists.ts";
import { plotOf } from "./plot.ts";
import { measureAll } from "./pool.ts";
import { changingTable, steadyTable } from "./table.ts";

const USAGE = `Holds the drift rule against labelled, seeded streams, beside other rules.

  --runs N      runs of each stream (50)
  --length N    sessions of a stream in which nothing changes (400)
  --threads N   streams that are measured at a time (2)
  --write       put the tables into docs/drift.md and the plot into docs/images/drift.svg

ATLAS_RECORDED_RUNS names the folder of airline.jsonl; without it there are no streams of recorded runs.`;

/** Sessions of a key that has only just begun. */
const SHORT_LENGTH = 12;

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
    threads: { type: "string", default: "2" },
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
  const results = await measureAll(
    {
      steady: { runs, length },
      short: { runs: Math.ceil((runs * length) / SHORT_LENGTH / 4), length: SHORT_LENGTH },
      changing: { runs, length },
      falls: { runs, length },
    },
    Number(values.threads),
  );
  const tables = {
    "false alarms": steadyTable(results.steady),
    "short histories": steadyTable(results.short),
    changes: changingTable(results.changing),
    cost: costOf(),
  };
  process.stdout.write(`${Object.values(tables).join("\n\n")}\n`);
  if (values.write) {
    const docs = join(import.meta.dirname, "../../docs");
    let page = readFileSync(join(docs, "drift.md"), "utf8");
    for (const [name, table] of Object.entries(tables)) page = replaced(page, name, table);
    writeFileSync(join(docs, "drift.md"), page);
    mkdirSync(join(docs, "images"), { recursive: true });
    const falls = { sizes: SIZES, results: results.falls };
    writeFileSync(join(docs, "images/drift.svg"), plotOf(results.steady, falls));
  }
}
