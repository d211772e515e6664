import { expect, test } from "vitest";
import { loadConfig } from "../../configs/load-config.ts";
import { isOffline } from "../../configs/offline-mode.ts";

test("the drift variables go before a file and before code", () => {
  const env = { ATLAS_DRIFT_WINDOW: "9", ATLAS_DRIFT_Z_THRESHOLD: "1.5", ATLAS_DRIFT_MIN_BASELINE: "0" };
  const config = loadConfig({ rules: { drift: { window: 7, threshold: 2 } } }, env);
  expect(config.rules.drift).toMatchObject({ window: 9, threshold: 1.5, min_baseline: 0 });
  expect(loadConfig({}, { ATLAS_DRIFT_WINDOW: "" }).rules.drift.window).toBe(50);
});

test("ATLAS_LEARNING_HISTORY_LIMIT goes before lane.history_limit", () => {
  const warnings: string[] = [];
  const env = { ATLAS_LEARNING_HISTORY_LIMIT: "25" };
  const config = loadConfig({ lane: { historyLimit: 5 } }, env, (warning) => warnings.push(warning));
  expect(config.lane?.historyLimit).toBe(25);
  expect(warnings).toEqual([]);
});

test.each([
  ["ATLAS_LEARNING_HISTORY_LIMIT", "0", "must be at least 1"],
  ["ATLAS_LEARNING_HISTORY_LIMIT", "201", "must be at most 200"],
  ["ATLAS_LEARNING_HISTORY_LIMIT", "few", "must be a number"],
  ["ATLAS_DRIFT_WINDOW", "0", "must be at least 1"],
  ["ATLAS_DRIFT_WINDOW", "1.5", "must be a whole number"],
  ["ATLAS_DRIFT_Z_THRESHOLD", "many", "must be a number"],
  ["ATLAS_DRIFT_MIN_BASELINE", "-1", "must be at least 0"],
])("%s=%s is refused by its name", (name, value, words) => {
  expect(() => loadConfig({}, { [name]: value })).toThrow(`${name} ${words}`);
});

test.each([
  ["ATLAS_FAKE_LLM", "1", "set ATLAS_OFFLINE_MODE"],
  ["ATLAS_DRIFT_ENABLED", "off", "drift is always assessed"],
  ["ATLAS_SKIP_VALIDATION", "1", "no agent waits"],
  ["ATLAS_DISCOVERY_VALIDATE", "1", "factories in Python"],
  ["ATLAS_LEARNING_HISTORY_LIMIT", "5", "no lane is configured"],
])("%s=%s has no effect, which is said", (name, value, words) => {
  const warnings: string[] = [];
  loadConfig({}, { [name]: value }, (warning) => warnings.push(warning));
  expect(warnings).toEqual([expect.stringMatching(`^${name} has no effect`)]);
  expect(warnings[0]).toContain(words);
});

test("what changes nothing is not warned about", () => {
  const env = {
    ATLAS_DRIFT_ENABLED: "1",
    ATLAS_FAKE_LLM: "0",
  };
  const warnings: string[] = [];
  loadConfig({}, env, (warning) => warnings.push(warning));
  expect(warnings).toEqual([]);
});

test("ATLAS_OFFLINE_MODE", () => {
  for (const on of ["1", "true", "yes"]) expect(isOffline({ ATLAS_OFFLINE_MODE: on })).toBe(true);
  for (const off of ["", "0", "false", "False", "off"])
    expect(isOffline({ ATLAS_OFFLINE_MODE: off })).toBe(false);
  expect(isOffline({})).toBe(false);
});
