import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_PARTITIONS, murmur2, partitionOf } from "../../schemas/partition.ts";

describe("partition", () => {
  it.each([
    ["21", -973932308],
    ["foobar", -790332482],
    ["a-little-bit-long-string", -985981536],
    ["a-little-bit-longer-string", -1486304829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
    ["abc", 479470107],
  ])("hashes %s as Kafka's Java client does", (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash);
  });

  it("hashes bytes where they stand in a larger buffer", () => {
    const within = Buffer.from("xxfoobarxx").subarray(2, 8);
    expect(murmur2(within)).toBe(-790332482);
  });

  it("gives every key a partition that exists, negative hashes included", () => {
    expect(partitionOf("foobar", DEFAULT_PARTITIONS)).toBe((-790332482 & 0x7fffffff) % 8);
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 100 }), (key, partitions) => {
        const partition = partitionOf(key, partitions);
        expect(Number.isInteger(partition) && partition >= 0 && partition < partitions).toBe(true);
      }),
    );
  });

  it("spreads keys over all partitions", () => {
    const seen = new Set(Array.from({ length: 200 }, (_, index) => partitionOf(`key ${index}`, 8)));
    expect(seen.size).toBe(8);
  });
});
