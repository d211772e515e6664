import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { pino } from "pino";
import { expect, test, vi } from "vitest";
import { AtlasError } from "../../errors/atlas-error.ts";
import { LOG_CODES } from "../../logging/codes.ts";
import { guardLogger } from "../../logging/guard-logger.ts";
import { lineLogger } from "../../logging/line-logger.ts";
import type { LogFields, Logger, LogLevel } from "../../logging/logger.ts";
import { defaultLogger } from "../../logging/process-warnings.ts";
import { MAY_IMPORT } from "../../scripts/check-imports.ts";

const root = join(import.meta.dirname, "../..");
const failure = new AtlasError("ATLAS_LOG_UNREACHABLE", "no answer", {
  where: "kafka:9092",
  hint: "Start it.",
});
const setAside = {
  code: "ATLAS_RECORD_SET_ASIDE",
  group: "drift",
  topic: "atlas.rewards",
  partition: 3,
} as const;

/** A pino and the lines that it wrote, parsed. */
function pinoLines(level: LogLevel) {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  return { lines, logger: pino({ level }, sink) };
}

test("pino takes entries as it takes its own: fields, message, level, error", () => {
  const { lines, logger } = pinoLines("info");
  const says = guardLogger(logger).of("consumer");
  says.debug(setAside, "below the level");
  says.error({ ...setAside, offset: 7, err: failure }, "set a record aside");
  expect(lines).toMatchObject([
    {
      level: 50,
      component: "consumer",
      code: "ATLAS_RECORD_SET_ASIDE",
      group: "drift",
      topic: "atlas.rewards",
      partition: 3,
      offset: 7,
      msg: "set a record aside",
      err: { type: "AtlasError", code: "ATLAS_LOG_UNREACHABLE", reason: "no answer", where: "kafka:9092" },
    },
  ]);
});

test("console is a logger", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  guardLogger(console).of("spool").warn({ code: "ATLAS_SPOOLED", path: "/x" }, "a file stays");
  expect(warn.mock.calls).toEqual([
    [{ component: "spool", code: "ATLAS_SPOOLED", path: "/x" }, "a file stays"],
  ]);
  warn.mockRestore();
});

test("a logger that throws or rejects is told once, without its words, and its callers never notice", async () => {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const broken = (): never => {
    throw new TypeError("the task was: buy milk");
  };
  const rejecting = (): Promise<never> => Promise.reject(new Error("buy milk"));
  const logger = guardLogger({ debug: broken, info: rejecting, warn: broken, error: rejecting });
  for (const component of ["reaper", "judging"] as const) {
    const says = logger.of(component);
    for (const level of ["debug", "info", "warn", "error"] as const)
      says[level]({ code: "ATLAS_REAPER_FAILED" }, "late sessions were not ended");
  }
  await new Promise(setImmediate);
  expect(warn).toHaveBeenCalledTimes(1);
  expect(String(warn.mock.calls[0]![0])).toMatch(/^the logger threw \(TypeError at .*\); the work goes on$/);
  warn.mockRestore();
});

test("an entry whose level is off costs one question: its error is not looked at", () => {
  const asked: LogLevel[] = [];
  const untouchable = new Proxy(new Error("x"), {
    getPrototypeOf: () => {
      throw new Error("looked at");
    },
  });
  const never = (): never => {
    throw new Error("called");
  };
  const off: Logger = {
    debug: never,
    info: never,
    warn: never,
    error: never,
    isLevelEnabled: (level) => {
      asked.push(level);
      return false;
    },
  };
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  guardLogger(off).of("recorder").info({ code: "ATLAS_LOG_AWAY", err: untouchable }, "away");
  expect(asked).toEqual(["info"]);
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
});

test("without a logger, warnings and errors are warnings of the process with their code, and the rest is silent", () => {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const says = defaultLogger.of("consumer");
  says.debug({ code: "ATLAS_ALERT_DELIVERED" }, "one");
  says.info({ code: "ATLAS_CONSUMER_RESUMED", group: "drift" }, "two");
  says.warn({ code: "ATLAS_CONSUMER_WAITS", group: "drift", err: failure }, "waits");
  says.error(setAside, "set a record aside");
  expect(warn.mock.calls).toEqual([
    [
      "drift: waits: ATLAS_LOG_UNREACHABLE: no answer (kafka:9092). Start it.",
      { code: "ATLAS_CONSUMER_WAITS" },
    ],
    ["drift: set a record aside (topic atlas.rewards, partition 3)", { code: "ATLAS_RECORD_SET_ASIDE" }],
  ]);
  warn.mockRestore();
});

test.each([
  ["text", "warning: drift: waits: ATLAS_LOG_UNREACHABLE: no answer (kafka:9092). Start it."],
  ["json", /^\{"level":"warn","time":"\d{4}-\d\d-\d\dT[^"]+Z","component":"consumer",.*"msg":"waits"\}$/],
] as const)("the %s format is one line an entry, from a level on", (format, expected) => {
  const lines: string[] = [];
  const says = guardLogger(lineLogger({ format, level: "warn", write: (line) => lines.push(line) })).of(
    "consumer",
  );
  says.info({ code: "ATLAS_CONSUMER_RESUMED", group: "drift" }, "goes on");
  says.warn({ code: "ATLAS_CONSUMER_WAITS", group: "drift", err: failure }, "waits");
  expect(lines).toEqual([typeof expected === "string" ? expected : expect.stringMatching(expected)]);
});

const code = (patterns: string[]): { file: string; text: string }[] =>
  globSync(patterns, { cwd: root }).map((file) => ({ file, text: readFileSync(join(root, file), "utf8") }));
const ROOMS = `{${Object.keys(MAY_IMPORT).join(",")}}/**/*.ts`;

test("every code is documented and used, and every documented one exists", () => {
  const page = readFileSync(join(root, "docs/logging.md"), "utf8");
  const documented = [...page.matchAll(/^\| `(ATLAS_\w+)` \|/gm)].map((match) => match[1]!);
  expect(documented).toEqual(Object.keys(LOG_CODES));
  const text = code([ROOMS])
    .filter(({ file }) => file !== "logging/codes.ts")
    .map((each) => each.text)
    .join("\n");
  expect(Object.keys(LOG_CODES).filter((name) => !text.includes(`"${name}"`))).toEqual([]);
});

test("nothing warns or prints past the logger", () => {
  // The default logger, the warning about a logger itself, and what warns before there is a logger.
  const allowed = [
    "configs/load-config.ts",
    "database/file-lock.ts",
    "logging/guard-logger.ts",
    "logging/process-warnings.ts",
  ];
  const found = code([ROOMS])
    .map(({ file, text }) => ({ file, text: text.replace(/^\s*(\*|\/\/).*$/gm, "") }))
    .filter(
      ({ file, text }) =>
        !/^(cli|schemas\/tools)\//.test(file) && /emitWarning|console\.|process\.stderr/.test(text),
    );
  expect(found.map(({ file }) => file).filter((file) => !allowed.includes(file))).toEqual([]);
});

test("fields are the ones of the page", () => {
  const page = readFileSync(join(root, "docs/logging.md"), "utf8");
  const names: Record<keyof LogFields, true> = {
    component: true,
    code: true,
    group: true,
    topic: true,
    partition: true,
    offset: true,
    session: true,
    destination: true,
    events: true,
    tries: true,
    path: true,
    url: true,
    err: true,
  };
  expect(Object.keys(names).filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
