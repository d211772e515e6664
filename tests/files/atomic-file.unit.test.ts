import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setImmediate as yielded } from "node:timers/promises";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { publish, stage, writeAtomically } from "../../files/atomic-file.ts";
import { readerOf } from "./reader.ts";

let folder: string;
let output: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "atlas-files-"));
  output = join(folder, "out.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const modeOf = (path: string): number => statSync(path).mode & 0o777;
const sha256 = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

async function* lines(tag: string, count: number): AsyncGenerator<string> {
  for (let number = 0; number < count; number += 1) {
    yield `${`${tag}${number}`.padEnd(2000, tag)}\n`;
    if (number % 50 === 0) await yielded();
  }
}

test("two writers of one path at once each write a whole file, and say truly what they wrote", async () => {
  const written = await Promise.all([
    writeAtomically(output, lines("a", 400)),
    writeAtomically(output, lines("b", 300)),
  ]);
  const [first] = readFileSync(output, "utf8");
  const winner = written[first === "a" ? 0 : 1];
  expect(winner).toEqual({ path: output, bytes: statSync(output).size, sha256: sha256(output) });
  expect(new Set(readFileSync(output, "utf8").replaceAll(/[\d\n]/g, ""))).toEqual(new Set([first]));
  expect(readdirSync(folder)).toEqual(["out.jsonl"]);
});

test("of files that are published together by several at once, what stands in the end fits", async () => {
  const staged = (name: string, content: string) => stage(join(folder, name), [content]);
  for (let round = 0; round < 10; round += 1) {
    // The manifest of one comes long after its data, that of the other at once; in every other round it goes second.
    const slow = [await staged("data", "slow")];
    for (let number = 0; number < 5; number += 1) slow.push(await staged(`part-${number}`, "slow"));
    slow.push(await staged("manifest", "slow"));
    const quick = [await staged("data", "quick"), await staged("manifest", "quick")];
    await Promise.all((round % 2 === 0 ? [slow, quick] : [quick, slow]).map(publish));
    const [data, manifest] = ["data", "manifest"].map((name) => readFileSync(join(folder, name), "utf8"));
    expect(manifest).toBe(data);
  }
  expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
});

test("a turn that a process died in is taken after a while", async () => {
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, "now").mockImplementation(() => 100 * now());
  onTestFinished(() => clock.mockRestore());
  writeFileSync(join(folder, ".out.jsonl.turn"), "");
  await publish([await stage(output, ["data"]), await stage(`${output}.manifest.json`, ["manifest"])]);
  expect(readdirSync(folder).sort()).toEqual(["out.jsonl", "out.jsonl.manifest.json"]);
});

test("a new file and its folders are their owner's alone, whatever the umask, and a file keeps the mode it had", async () => {
  const umask = process.umask(0);
  try {
    for (const mask of [0o000, 0o022]) {
      process.umask(mask);
      const deep = join(folder, String(mask), "data", "out.jsonl");
      await writeAtomically(deep, ["{}\n"]);
      expect([modeOf(deep), modeOf(join(deep, "..")), modeOf(join(deep, "../.."))]).toEqual([
        0o600, 0o700, 0o700,
      ]);
      for (const mode of [0o644, 0o600, 0o444, 0o660]) {
        chmodSync(deep, mode);
        await writeAtomically(deep, ["{}\n"]);
        expect(modeOf(deep)).toBe(mode);
      }
    }
  } finally {
    process.umask(umask);
  }
});

test("what stood there stays when the source fails, and nothing is left beside it", async () => {
  writeFileSync(output, "old");
  async function* failing(): AsyncGenerator<string> {
    yield "new";
    throw new Error("no more");
  }
  await expect(writeAtomically(output, failing())).rejects.toThrow("no more");
  expect(readFileSync(output, "utf8")).toBe("old");
  expect(readdirSync(folder)).toEqual(["out.jsonl"]);
});

test("a link stays a link, and what it leads to is replaced, or made where it leads to nothing", async () => {
  mkdirSync(join(folder, "real"));
  symlinkSync("real", join(folder, "folder"));
  const real = join(folder, "real", "data.jsonl");
  symlinkSync("folder/../real/data.jsonl", output);
  for (const content of ["first", "second"]) {
    const { path } = await writeAtomically(output, [content]);
    expect([path, readFileSync(real, "utf8")]).toEqual([output, content]);
  }
  expect(readlinkSync(output)).toBe("folder/../real/data.jsonl");
  expect(lstatSync(real).isFile()).toBe(true);
});

test("links in a circle, a folder and a socket are refused by name, and stay what they are", async () => {
  symlinkSync("round", output);
  symlinkSync("out.jsonl", join(folder, "round"));
  await expect(writeAtomically(output, ["x"])).rejects.toMatchObject({
    code: "ATLAS_FILE_UNWRITABLE",
    message: expect.stringContaining("ELOOP"),
  });
  await expect(writeAtomically(folder, ["x"])).rejects.toMatchObject({
    code: "ATLAS_FILE_UNWRITABLE",
    message: "the output is a folder",
  });
  const server = createServer().listen(join(folder, "socket"));
  await once(server, "listening");
  await expect(writeAtomically(join(folder, "socket"), ["x"])).rejects.toMatchObject({
    code: "ATLAS_FILE_UNWRITABLE",
    message: "the output is a socket",
  });
  expect(lstatSync(join(folder, "socket")).isSocket()).toBe(true);
  server.close();
});

test("a pipe is written through to its reader, whenever that comes, and stays a pipe", async () => {
  execFileSync("mkfifo", [output]);
  const writing = writeAtomically(output, lines("a", 200));
  await yielded();
  const read = await text(readerOf(output));
  const written = await writing;
  expect(written).toEqual({
    path: output,
    bytes: read.length,
    sha256: createHash("sha256").update(read).digest("hex"),
  });
  expect(read.length).toBeGreaterThan(400_000);
  expect(lstatSync(output).isFIFO()).toBe(true);
  expect(readdirSync(folder)).toEqual(["out.jsonl"]);
});

test("a pipe whose reader goes away is an error with a code", async () => {
  execFileSync("mkfifo", [output]);
  const reader = readerOf(output);
  reader.once("data", () => reader.destroy());
  await expect(writeAtomically(output, lines("a", 2000))).rejects.toMatchObject({
    code: "ATLAS_FILE_UNWRITABLE",
  });
});

test("/dev/stdout is this process's output, also where that cannot be opened by its name", () => {
  const source = JSON.stringify(join(import.meta.dirname, "../../files/atomic-file.ts"));
  const script = `import { writeAtomically } from ${source};
    const { bytes } = await writeAtomically("/dev/stdout", ["a", "b"]);
    console.log(" and " + bytes);`;
  const node = [process.execPath, "--input-type=module", "-e", script] as const;
  // A child of Node has a socket for its output, one of a shell a pipe or a file.
  expect(execFileSync(node[0], node.slice(1), { encoding: "utf8" })).toBe("ab and 2\n");
  execFileSync("sh", ["-c", '"$0" "$@" > out.jsonl', ...node], { cwd: folder });
  expect(readFileSync(output, "utf8")).toBe("ab and 2\n");
});

// Only the superuser can make a device node, and only in its own folder is one made here.
test.skipIf(process.getuid?.() !== 0)("a device is written through, and stays a device", async () => {
  execFileSync("mknod", [output, "c", "1", "3"]);
  const { bytes } = await writeAtomically(output, ["{}\n"]);
  expect([bytes, lstatSync(output).isCharacterDevice()]).toEqual([3, true]);
  const full = join(folder, "full");
  execFileSync("mknod", [full, "c", "1", "7"]);
  await expect(writeAtomically(full, ["{}\n"])).rejects.toMatchObject({ code: "ATLAS_DISK_FULL" });
  expect(readdirSync(folder).sort()).toEqual(["full", "out.jsonl"]);
});
