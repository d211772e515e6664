import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readRecordings } from "../../../intake/import/read-recordings.ts";
import { type PackedFile, zipOf } from "../files/zip-bytes.ts";
import { broken, header, price, stock } from "../formats/fixtures/inspect-log.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "atlas-archives-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a file of these bytes comes to. */
async function readBytes(name: string, bytes: Buffer) {
  const path = join(folder, name);
  await writeFile(path, bytes);
  const found: { at: string; id: string | undefined; content: unknown }[] = [];
  const told: string[] = [];
  for await (const each of readRecordings(path)) {
    if ("found" in each) {
      const { conversation, file } = each.found;
      found.push({ at: file.replace(path, name), id: conversation.id, content: conversation.content });
    } else {
      const { file, line, reason } = "problem" in each ? each.problem : each.note;
      told.push(`${file.replace(path, name)}:${line}: ${reason}`);
    }
  }
  return { found, told };
}

const json = (name: string, value: unknown, about: Partial<PackedFile> = {}): PackedFile => ({
  name,
  data: JSON.stringify(value),
  ...about,
});

const row = (id: string) => ({
  id,
  messages: [
    { role: "user", content: "Is it open?" },
    { role: "assistant", content: "Yes." },
  ],
});

const evalLog = (by: PackedFile["by"] = "deflate"): PackedFile[] => [
  json("_journal/start.json", { version: 2, eval: header.eval, plan: header.plan }, { by }),
  json("samples/stock_epoch_1.json", stock, { by }),
  json("_journal/summaries/1.json", [{ id: "stock" }], { by }),
  json("samples/price_epoch_2.json", price, { by }),
  json("samples/7_epoch_1.json", broken, { by }),
  json("summaries.json", [{ id: "stock" }], { by }),
  json("reductions.json", [], { by }),
  json("header.json", header, { by }),
];

const INSPECT_IDS = ["uU1", "rN4/price/epoch_2", "rN4/7/epoch_1"];

test.each(["stored", "deflate", "zstd"] as const)("a log of Inspect, its files %s", async (by) => {
  const { found, told } = await readBytes(`${by}.eval`, zipOf(evalLog(by)));
  expect(found.map(({ id }) => id)).toEqual(INSPECT_IDS);
  expect(found.map(({ at }) => at)).toEqual([
    `${by}.eval!samples/stock_epoch_1.json`,
    `${by}.eval!samples/price_epoch_2.json`,
    `${by}.eval!samples/7_epoch_1.json`,
  ]);
  expect(told.every((line) => line.includes("left out") || line.includes("with the metadata"))).toBe(true);
});

test("a sample is the same conversation in an archive and in a log of JSON", async () => {
  const packed = await readBytes("same.eval", zipOf(evalLog()));
  const whole = await readBytes(
    "same.json",
    Buffer.from(JSON.stringify({ ...header, samples: [stock, price, broken] })),
  );
  expect(packed.found.map(({ content }) => content)).toEqual(whole.found.map(({ content }) => content));
});

test("a log that has not ended is read by what it says when it is begun", async () => {
  const { found } = await readBytes(
    "begun.eval",
    zipOf(evalLog().filter(({ name }) => name !== "header.json")),
  );
  expect(found.map(({ id }) => id)).toEqual(INSPECT_IDS);
});

test("a sample in many files is one sample", async () => {
  const { messages, attachments: _, ...shell } = price;
  const at = "samples/price_epoch_2";
  const [asked, answered] = messages;
  const image = { content: [{ type: "image", image: "attachment://0" }], role: "user" };
  const log = zipOf([
    json("header.json", { ...header, version: 3 }),
    json(`${at}/sample.json`, {
      ...shell,
      message_refs: [
        [2, 3],
        [0, 1],
      ],
      sequences: { messages: [2] },
    }),
    json(`${at}/metadata.json`, { shelf: "C1" }),
    json(`${at}/skeleton.json`, { spans: [] }),
    json(`${at}/messages/2.json`, [image]),
    json(`${at}/messages/0.json`, [answered, asked]),
    json(`${at}/attachments/0.json`, ["data:image/png;base64,aWltYWdl"]),
    json(`${at}/events/stats.json`, {}),
  ]);
  const { found, told } = await readBytes("chunked.eval", log);
  expect(found[0]?.content).toMatchObject({
    id: "price",
    messages: [image, answered],
    metadata: { shelf: "C1" },
  });
  expect(told).toEqual([
    "chunked.eval:1: eval.dataset.sample_ids lists the ids of all samples: it is left out",
  ]);
});

test("what is wrong with one file of an archive costs no other", async () => {
  const { found, told } = await readBytes(
    "wrong.eval",
    zipOf([
      json("header.json", { ...header, eval: { ...header.eval, dataset: {} } }, { by: "zstd" }),
      json("samples/a_epoch_1.json", price, { crc: 7 }),
      json("samples/b_epoch_1.json", price, { encrypted: true }),
      json("samples/c_epoch_1.json", price, { by: "unknown" }),
      json("samples/d_epoch_1.json", price, { by: "deflate", size: 10 }),
      { name: "samples/e_epoch_1.json", data: "{ no" },
      json("samples/f_epoch_1.json", price, { size: 200 * 1024 * 1024 }),
      json("samples/g_epoch_1.json", price, { by: "deflate", zip64: true }),
    ]),
  );
  expect(found.map(({ at }) => at)).toEqual(["wrong.eval!samples/g_epoch_1.json"]);
  expect(told).toEqual([
    "wrong.eval!samples/a_epoch_1.json:1: its checksum does not match: it is damaged",
    "wrong.eval!samples/b_epoch_1.json:1: it is encrypted; unpack it first",
    "wrong.eval!samples/c_epoch_1.json:1: it is packed in a way that cannot be read (method 99); unpack it first",
    "wrong.eval!samples/d_epoch_1.json:1: it is longer than the archive says",
    expect.stringMatching(/^wrong\.eval!samples\/e_epoch_1\.json:1: it is not valid JSON/),
    "wrong.eval!samples/f_epoch_1.json:1: it is longer than 134217728 bytes",
  ]);
});

test("a header that cannot be read is told, and its samples are read", async () => {
  const { found, told } = await readBytes(
    "header.eval",
    zipOf([...evalLog().slice(0, -1), json("header.json", header, { crc: 7 })]),
  );
  expect(found.map(({ id }) => id)).toEqual(INSPECT_IDS);
  expect(told).toContain("header.eval!header.json:1: its checksum does not match: it is damaged");
});

test("a log without samples, and archives with nothing to read, are told in one sentence", async () => {
  const without = await readBytes("none.eval", zipOf([json("header.json", header)]));
  expect(without.told).toEqual([
    "none.eval:1: the log has no samples: it was written without them, or before one had ended",
  ]);
  const others = await readBytes("other.zip", zipOf([{ name: "a.txt", data: "a" }]));
  expect(others.told).toEqual(["other.zip:1: it is a zip archive without a .json or .jsonl file in it"]);
  const empty = await readBytes("empty.zip", zipOf([]));
  expect(empty.told).toEqual(["empty.zip:1: it is a zip archive without a .json or .jsonl file in it"]);
});

test("other archives are read file by file, packed ones among them", async () => {
  const lines = (...ids: string[]): string => ids.map((id) => `${JSON.stringify(row(id))}\n`).join("");
  const { found, told } = await readBytes(
    "runs.zip",
    zipOf([
      { name: "runs/", data: "" },
      { name: "runs/a.jsonl", data: lines("a1", "a2"), by: "deflate" },
      { name: "runs/b.json", data: JSON.stringify([row("b1")], null, 2), by: "zstd" },
      { name: "../c.jsonl.gz", data: gzipSync(lines("c1")) },
      { name: "runs/notes.md", data: "# notes" },
      { name: "__MACOSX/runs/._a.jsonl", data: "resource" },
      { name: "runs/d.jsonl", data: zipOf([]) },
      { name: "runs/e.jsonl", data: "" },
      { name: "runs/f.jsonl", data: lines("f1"), crc: 1 },
    ]),
  );
  // Of a damaged file it is told from where on it cannot be trusted, if any of it was read.
  const sound = found.filter(({ at }) => at !== "runs.zip!runs/f.jsonl");
  expect(sound.map(({ at, id }) => [at, id])).toEqual([
    ["runs.zip!runs/a.jsonl", "a1"],
    ["runs.zip!runs/a.jsonl", "a2"],
    ["runs.zip!runs/b.json", "b1"],
    ["runs.zip!../c.jsonl.gz", "c1"],
  ]);
  expect(told).toEqual([
    "runs.zip:1: files in it that are no .json or .jsonl: 1; they were left out",
    "runs.zip!runs/d.jsonl:1: it is an archive in an archive; unpack it first",
    "runs.zip!runs/e.jsonl:1: the file is empty",
    "runs.zip!runs/f.jsonl:1: from here on: its checksum does not match: it is damaged",
  ]);
});

test("a file that would fill a disk is not unpacked", async () => {
  const size = 1024 * 1024 * 1024;
  const { told } = await readBytes(
    "bomb.zip",
    zipOf([{ name: "a.jsonl", data: "\n".repeat(1000), by: "deflate", size }]),
  );
  expect(told).toEqual([
    expect.stringMatching(
      /^bomb\.zip!a\.jsonl:1: it unpacks to 1073741824 bytes, \d+ times its size: it is not read$/,
    ),
  ]);
});

test("a damaged archive is one problem, wherever the damage is", async () => {
  const whole = zipOf(evalLog());
  for (const length of [whole.length - 10, whole.length - 200, whole.length >> 1, 20, 4]) {
    const { found, told } = await readBytes("cut.eval", whole.subarray(0, length));
    expect([found, told]).toEqual([
      [],
      [expect.stringMatching(/^cut\.eval:1: it is a damaged zip archive: /)],
    ]);
  }
  const scribbled = Buffer.from(whole);
  scribbled.fill(0, 0x20, whole.length - 600);
  const { told } = await readBytes("zeroed.eval", scribbled);
  expect(told.length).toBeGreaterThan(0);
});

test("an archive in a pipe is told", async () => {
  const pipe = join(folder, "pipe");
  await writeFile(join(folder, "source.zip"), zipOf(evalLog()));
  expect(spawnSync("mkfifo", [pipe]).status).toBe(0);
  const writer = spawn("cp", [join(folder, "source.zip"), pipe], { stdio: "ignore" });
  const told: string[] = [];
  for await (const each of readRecordings(pipe)) if ("problem" in each) told.push(each.problem.reason);
  writer.kill();
  expect(told).toEqual(["it is a zip archive in a pipe: give the file itself"]);
});
