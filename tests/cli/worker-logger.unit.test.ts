import { Command } from "commander";
import { expect, onTestFinished, test, vi } from "vitest";
import { type WorkerLogOptions, workerLogger, workerLogOptions } from "../../cli/worker-logger.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { guardLogger } from "../../logging/guard-logger.ts";

/** What a worker with these options writes to standard error. */
function written(options: WorkerLogOptions): string[] {
  const lines: string[] = [];
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    lines.push(String(text));
    return true;
  });
  onTestFinished(() => spy.mockRestore());
  const says = guardLogger(workerLogger(options)).of("alerts");
  const err = new AtlasError("ATLAS_ALERT_REFUSED", "\u001b]0;owned\u0007 \u009b31m \u202e moc", {
    where: "a\nb",
  });
  says.info({ code: "ATLAS_ALERT_RETRIED" }, "below a warning");
  says.warn({ code: "ATLAS_ALERT_RETRIED", destination: "\u001b[2Jpager", err }, "an alert is sent again");
  says.error({ code: "ATLAS_ALERT_FAILED" }, "given up");
  spy.mockRestore();
  return lines;
}

const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

test.each(["text", "json"] as const)("%s lines hold nothing that a terminal would obey", (log) => {
  const lines = written({ log, logLevel: "warn" });
  expect(lines).toHaveLength(2);
  for (const line of lines) {
    expect(line).not.toMatch(CONTROLS);
    expect(line.trimEnd()).not.toContain("\n");
  }
});

test("json lines read back as what was said", () => {
  const [line] = written({ log: "json", logLevel: "warn" });
  expect(JSON.parse(line!)).toMatchObject({
    level: "warn",
    component: "alerts",
    code: "ATLAS_ALERT_RETRIED",
    destination: "\u001b[2Jpager",
    err: { code: "ATLAS_ALERT_REFUSED", reason: "\u001b]0;owned\u0007 \u009b31m \u202e moc", where: "a\nb" },
    msg: "an alert is sent again",
  });
});

test.each<[string, WorkerLogOptions, number]>([
  ["info unless told", { log: "json" }, 3],
  ["errors when it is to be quiet", { log: "json", quiet: true }, 1],
  ["what is asked for, quiet or not", { log: "json", quiet: true, logLevel: "warn" }, 2],
])("a worker logs %s", (_, options, lines) => {
  expect(written(options)).toHaveLength(lines);
});

test("a form or level that is none is refused", () => {
  for (const args of [
    ["--log", "xml"],
    ["--log-level", "loud"],
  ]) {
    const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
    for (const option of workerLogOptions()) command.addOption(option);
    expect(() => command.parse(args, { from: "user" })).toThrow(/Allowed choices are/);
  }
});
