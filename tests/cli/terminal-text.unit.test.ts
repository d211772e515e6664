import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { expect, onTestFinished, test, vi } from "vitest";
import { jsonList, print, printJson, style, table, tell } from "../../cli/output.ts";
import { newProgram, runProgram } from "../../cli/program.ts";
import { harmless, rendered, unstyled } from "../../cli/terminal-text.ts";
import { AtlasError } from "../../errors/atlas-error.ts";

const EVIL = "\u001b]0;PWNED\u0007\u001b[31m\u001b[2J\u009b1m\u202eback\u2066\u200f\r";
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
const COLOUR = /\u001b\[\d+m/g;

/** What is written to standard output and error while something runs, as if they were a terminal or not. */
async function written(terminal: boolean, work: () => unknown): Promise<{ stdout: string; stderr: string }> {
  const told = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    const stream = process[name];
    const { isTTY } = stream;
    stream.isTTY = terminal;
    onTestFinished(() => {
      stream.isTTY = isTTY;
    });
    const spy = vi.spyOn(stream, "write").mockImplementation((text) => {
      told[name] += String(text);
      return true;
    });
    onTestFinished(() => spy.mockRestore());
  }
  vi.stubEnv("NO_COLOR", undefined);
  vi.stubEnv("TERM", "xterm");
  onTestFinished(() => void vi.unstubAllEnvs());
  await work();
  return told;
}

test("on a terminal only our own colours are obeyed, whatever stands in what we print", async () => {
  const { stdout, stderr } = await written(true, () => {
    print(`${style("red", "failed")} ${EVIL}`);
    print(style("bold", EVIL));
    tell(`a task: ${EVIL}`);
    for (const line of table([EVIL], [{ title: "T", value: (row) => row, look: () => "green" }])) print(line);
  });
  expect(stdout).toContain("\u001b[31mfailed\u001b[39m \\u001b]0;PWNED\\u0007\\u001b[31m");
  expect(stdout.match(COLOUR)).toEqual(
    ["[31m", "[39m", "[1m", "[22m", "[1m", "[22m", "[32m", "[39m"].map((code) => `\u001b${code}`),
  );
  for (const text of [stdout, stderr]) expect(text.replace(COLOUR, "")).not.toMatch(OBEYED);
});

test("JSON on a terminal keeps its value", async () => {
  const value = { task: EVIL, "\u202ekey": ["\u009b", "\u007f", "\u2028"] };
  const { stdout } = await written(true, () => printJson(value));
  expect(stdout).not.toMatch(OBEYED);
  expect(JSON.parse(stdout)).toEqual(value);
});

test("a program that reads a pipe gets every byte; errors are harmless there too", async () => {
  const { stdout, stderr } = await written(false, () => {
    print(`${style("red", "a")}${EVIL}`);
    tell(`${style("red", "b")}${EVIL}`);
  });
  expect(stdout).toBe(`a${EVIL}\n`);
  expect(stderr).toBe(`b${harmless(EVIL)}\n`);
});

test("nobody else's text can pass for a style of ours", () => {
  const forged = "\ufdd0:31\ufdd1\ufdd00:31\ufdd1";
  expect(rendered(forged, { people: true, colours: true })).toBe(forged);
  expect(unstyled(`${style("dim", "x")}${forged}`)).toBe(`x${forged}`);
});

test.each([true, false])(
  "errors, usage errors and warnings are harmless (terminal: %s)",
  async (terminal) => {
    const listeners = process.listeners("warning");
    const uncaught = process.listeners("uncaughtException");
    onTestFinished(() => {
      for (const [name, kept] of [
        ["warning", listeners],
        ["uncaughtException", uncaught],
      ] as const) {
        process.removeAllListeners(name);
        for (const listener of kept) process.on(name, listener as (error: Error) => void);
      }
      process.exitCode = 0;
    });
    process.on("warning", () => undefined);
    const failing = (): Command => {
      const program = newProgram("atlas", "d", "1");
      program.command("go").action(() => {
        throw new AtlasError("ATLAS_SESSION_AMBIGUOUS", `two: ${EVIL}`, { where: EVIL, hint: EVIL });
      });
      return program;
    };
    const { stdout, stderr } = await written(terminal, async () => {
      await runProgram(failing(), ["go"]);
      await runProgram(failing(), ["go", `--${EVIL}`]);
      process.emitWarning(`listener: ${EVIL}`, { code: "ATLAS_LISTENER_FAILED" });
      await new Promise((resolve) => setImmediate(resolve));
    });
    expect(stderr).toContain("ATLAS_SESSION_AMBIGUOUS: two: \\u001b]0;PWNED");
    expect(stderr).toContain("error: unknown option '--\\u001b]0;PWNED");
    expect(stderr).toContain("[ATLAS_LISTENER_FAILED] Warning: listener: \\u001b]0;PWNED");
    expect(stdout + stderr).not.toMatch(OBEYED);
  },
);

test("nothing of the commands writes past that place", () => {
  const root = join(import.meta.dirname, "../../cli");
  const writing = globSync("**/*.ts", { cwd: root }).filter((file) =>
    /std(out|err)\.write|console\.|process\.emitWarning/.test(readFileSync(join(root, file), "utf8")),
  );
  // What begins a command says that Node is too old before anything else is loaded.
  expect(writing.sort()).toEqual(["output.ts", "start.ts"]);
});

test("a list of JSON that is printed item after item is the text of the whole list", async () => {
  for (const items of [[], [{ a: 1 }], [{ a: ["x\ny", {}] }, null, [], "z"]]) {
    const whole = await written(false, () => printJson(items));
    const parts = await written(false, () => {
      const list = jsonList();
      for (const item of items) list.add(item);
      list.end();
    });
    expect(parts.stdout).toBe(whole.stdout);
  }
});
