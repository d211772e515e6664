import { afterEach, describe, expect, it, vi } from "vitest";
import { idOf, isoOf, isUuid, newId, nowMicros } from "../../schemas/identity.ts";
import { DEFAULT_RULES, rulesHash, stableJson } from "../../schemas/rules.ts";

describe("identity", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("names the same parts by the same id, and other parts by another", () => {
    expect(idOf("session", 1)).toBe(idOf("session", 1));
    const ids = [idOf("a", "b"), idOf("ab"), idOf("a", "b", ""), idOf("b", "a"), idOf("1"), idOf(1)];
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => isUuid(id) && id[14] === "5")).toBe(true);
  });

  it("gives new ids in the order of time", () => {
    const ids = Array.from({ length: 1000 }, newId);
    expect(ids).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(1000);
    expect(ids.every((id) => isUuid(id) && id[14] === "7")).toBe(true);
  });

  it("tells the time in whole microseconds", () => {
    expect(Number.isSafeInteger(nowMicros())).toBe(true);
    expect(Math.abs(nowMicros() / 1000 - Date.now())).toBeLessThan(1000);
    expect(isoOf(1_700_000_000_000_042)).toBe("2023-11-14T22:13:20.000042+00:00");
    expect(isoOf(0)).toBe("1970-01-01T00:00:00.000000+00:00");
  });

  it("follows a clock that is set forward, or went on while the machine slept, and never goes back", () => {
    const hour = 3_600_000;
    const wall = Date.now();
    const clock = vi.spyOn(Date, "now");
    const before = nowMicros();
    clock.mockReturnValue(wall - hour);
    const setBack = nowMicros();
    expect(setBack).toBeGreaterThanOrEqual(before);
    clock.mockReturnValue(wall + hour);
    expect(nowMicros()).toBeGreaterThanOrEqual((wall + hour) * 1000);
  });
});

describe("rules", () => {
  it("have a hash that does not depend on the order of their keys", () => {
    const backwards = (value: unknown): unknown =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, inner]) => [key, backwards(inner)]),
          )
        : value;
    const turned = backwards(DEFAULT_RULES) as typeof DEFAULT_RULES;
    expect(rulesHash(turned)).toBe(rulesHash(DEFAULT_RULES));
    expect(rulesHash({ ...turned, drift: { ...turned.drift, window: 49 } })).not.toBe(rulesHash(turned));
    expect(rulesHash(turned)).toMatch(/^[0-9a-f]{64}$/);
  });

  it("keep the order of lists", () => {
    expect(stableJson({ b: [2, 1, { d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[2,1,{"c":2,"d":1}]}');
  });
});
