import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../configs/load-config.ts";
import { signatureOf } from "../../sinks/alerts/sign.ts";

const ROOT = join(import.meta.dirname, "../..");
const page = readFileSync(join(ROOT, "docs/alerts.md"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "atlas-signature-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const snippet = (language: string): string =>
  new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(page)![1]!;

const SECRET = "s3crét";
const BODY = JSON.stringify({ text: "reward ↓" });
const now = () => Math.floor(Date.now() / 1000);

/** What a receiver is given: its timestamp, signature and body, and whether they are good. */
const CASES = (): [string, string, string, boolean][] => {
  const at = now();
  const good = signatureOf(SECRET, at, BODY);
  return [
    [String(at), good, BODY, true],
    [String(at), good, `${BODY} `, false],
    [String(at + 1), good, BODY, false],
    [String(at), signatureOf("other", at, BODY), BODY, false],
    [String(at - 900), signatureOf(SECRET, at - 900, BODY), BODY, false],
    ["", "", BODY, false],
    ["soon", "v1=é", BODY, false],
  ];
};

test("the signature is what the page says", () => {
  expect(signatureOf("key", 1_700_000_000, "{}")).toMatch(/^v1=[0-9a-f]{64}$/);
});

test("the page's configuration is one", () => {
  const file = join(folder, "atlas.yaml");
  writeFileSync(file, snippet("yaml"));
  expect(loadConfig(file, {}).alerts.map(({ name, type }) => `${name} ${type}`)).toEqual([
    "pager webhook",
    "team slack",
  ]);
});

describe("the page's snippets tell requests of Atlas from others", () => {
  test("in TypeScript, as the compiler takes it", async () => {
    const file = join(ROOT, "tests/sinks", `.snippet-${process.pid}.ts`);
    try {
      writeFileSync(file, snippet("ts"));
      const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
      const flags = ["--noEmit", "--strict", "--target", "esnext", "--module", "nodenext", "--types", "node"];
      const compiled = spawnSync(process.execPath, [tsc, "--ignoreConfig", ...flags, file], {
        cwd: ROOT,
        encoding: "utf8",
      });
      expect(compiled.stdout + compiled.stderr).toBe("");
      type Snippet = { isFromAtlas: (secret: string, headers: Headers, body: string) => boolean };
      const { isFromAtlas } = (await import(pathToFileURL(file).href)) as Snippet;
      for (const [timestamp, signature, body, good] of CASES()) {
        const headers = new Headers({ "atlas-timestamp": timestamp, "atlas-signature": signature });
        expect(isFromAtlas(SECRET, headers, body)).toBe(good);
      }
    } finally {
      rmSync(file, { force: true });
    }
  });

  test.skipIf(spawnSync("python3", ["--version"]).status !== 0)("in Python", () => {
    const file = join(folder, "snippet.py");
    const call =
      "\nimport json, sys\nfor c in json.load(sys.stdin):\n    print(is_from_atlas(c[0], c[1], c[2], c[3].encode()))\n";
    writeFileSync(file, snippet("python") + call);
    const cases = CASES();
    const input = JSON.stringify(cases.map(([...rest]) => [SECRET, ...rest.slice(0, 3)]));
    const ran = spawnSync("python3", [file], { input, encoding: "utf8" });
    expect(ran.stderr).toBe("");
    expect(ran.stdout.trim().split("\n")).toEqual(cases.map(([, , , good]) => (good ? "True" : "False")));
  });
});
