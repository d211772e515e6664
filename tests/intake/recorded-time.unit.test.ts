import { describe, expect, test } from "vitest";
import { isTimeZone, microsOf } from "../../intake/recorded-time.ts";

describe("times", () => {
  test.each([
    ["2024-05-15T15:00:00Z", 1_715_785_200_000_000],
    ["2024-05-15T15:00:00", 1_715_785_200_000_000],
    ["2024-05-15 17:00:00.123456+02:00", 1_715_785_200_123_456],
    ["2024-05-15T15:00:00.1234567Z", 1_715_785_200_123_456],
    ["20240515T150000Z", undefined],
    ["2024-05-15", 1_715_731_200_000_000],
    ["2024-05-15T15:00+0000", 1_715_785_200_000_000],
    ["2024-02-30T00:00:00Z", undefined],
    ["2024-02-29T23:59:59-11:00", 1_709_290_799_000_000],
    ["2024-13-01", undefined],
    ["1715785200", 1_715_785_200_000_000],
    ["Wed, 15 May 2024 15:00:00 GMT", 1_715_785_200_000_000],
    ["15 May 2024 17:00:00 +0200", 1_715_785_200_000_000],
    ["May 2024", undefined],
    [1_715_785_200, 1_715_785_200_000_000],
    [1_715_785_200.5, 1_715_785_200_500_000],
    [1_715_785_200_123, 1_715_785_200_123_000],
    [1_715_785_200_123_456, 1_715_785_200_123_456],
    [Number("1715785200123456789"), 1_715_785_200_123_457],
    ["1715785200123456789", 1_715_785_200_123_457],
    [0, 0],
    [-1, undefined],
    [1e300, undefined],
    ["9999-12-31T00:00:00Z", undefined],
    ["", undefined],
    [true, undefined],
  ])("%j", (value, micros) => {
    expect(microsOf(value)).toBe(micros);
  });

  test("a text that names no zone is read in the one that is told, also around its changes", () => {
    const at = (text: string, zone: string) => new Date(microsOf(text, zone)! / 1000).toISOString();
    expect(at("2024-05-15T15:00:00", "Europe/Berlin")).toBe("2024-05-15T13:00:00.000Z");
    expect(at("2024-01-15 15:00:00.5", "Europe/Berlin")).toBe("2024-01-15T14:00:00.500Z");
    expect(at("2024-03-31T03:30:00", "Europe/Berlin")).toBe("2024-03-31T01:30:00.000Z");
    expect(at("2024-05-15T15:00:00", "+05:30")).toBe("2024-05-15T09:30:00.000Z");
    expect(at("2024-05-15T15:00:00Z", "Europe/Berlin")).toBe("2024-05-15T15:00:00.000Z");
    expect([isTimeZone("Asia/Tokyo"), isTimeZone("+02:00"), isTimeZone("Mars/Base")]).toEqual([
      true,
      true,
      false,
    ]);
  });
});
