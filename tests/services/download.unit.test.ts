import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CONTROL_URL } from "./control-server.ts";
import { cached } from "./native/download.ts";
import { nativeMissing } from "./services.ts";
import { ServiceUnavailable } from "./unavailable.ts";

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "atlas-cache-test-"));
  vi.stubEnv("ATLAS_SERVICES_CACHE", cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

describe("the cache of downloads", () => {
  it("is filled once by those who want the same at once, and shows nothing half done", async () => {
    let fills = 0;
    const fill = async (folder: string): Promise<void> => {
      fills += 1;
      writeFileSync(join(folder, "first"), "");
      await sleep(300);
      expect(existsSync(join(cache, "thing"))).toBe(false);
      writeFileSync(join(folder, "second"), "");
    };
    const folders = await Promise.all([cached("thing", fill), cached("thing", fill), cached("thing", fill)]);
    expect(fills).toBe(1);
    expect(new Set(folders)).toEqual(new Set([join(cache, "thing")]));
    expect(readdirSync(join(cache, "thing")).sort()).toEqual(["first", "second"]);
  });

  it("starts over what a killed process left half done", async () => {
    mkdirSync(join(cache, "thing.part"));
    writeFileSync(join(cache, "thing.part", "torn"), "");
    const folder = await cached("thing", async (partial) => writeFileSync(join(partial, "whole"), ""));
    expect(readdirSync(folder)).toEqual(["whole"]);
  });

  it("says what failed, and is as empty as before", async () => {
    const failing = cached("thing", async () => {
      throw Object.assign(new Error("exit 1"), {
        stdout:
          "\u001b[0m[ERROR] No plugin: transfer failed for https://x/y.pom: Unknown host x -> [Help 1]\n",
      });
    });
    await expect(failing).rejects.toThrow(ServiceUnavailable);
    await expect(failing).rejects.toThrow(
      "thing could not be fetched from Maven Central (Unknown host x); go online once, start Docker, or name",
    );
    expect(existsSync(join(cache, "thing"))).toBe(false);
  });
});

describe("a service that cannot be had", () => {
  it("is a reason to skip, printed, and in CI a failure", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    vi.stubEnv("PATH", "");
    vi.stubEnv("CI", "");
    // The run that this test is part of is not told.
    vi.stubEnv(CONTROL_URL, undefined);
    expect(await nativeMissing("kafka")).toBe(true);
    expect(warn).toHaveBeenCalledWith("Not run here: Kafka needs Java 17 or newer, and there is none.");
    vi.stubEnv("CI", "true");
    await expect(nativeMissing("kafka")).rejects.toThrow("needs Java 17");
    warn.mockRestore();
  });
});
