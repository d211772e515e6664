import { AssignerProtocol } from "kafkajs";
import { describe, expect, test } from "vitest";
import { coPartitioned, shareOut } from "../../log/kafka/assigner.ts";
import { frame, unframe } from "../../log/kafka/frame.ts";
import { type KafkaLogOptions, settingsOf } from "../../log/kafka/settings.ts";
import { Acks } from "../../log/runner/acks.ts";

describe("sharing partitions out", () => {
  const member = (memberId: string, ...owned: number[]) => ({ memberId, owned });

  test("is even, and gives every partition once", () => {
    for (const members of [1, 2, 3, 5, 8, 11]) {
      const claimants = Array.from({ length: members }, (_, index) => member(`m${index}`));
      const shares = [...shareOut(8, claimants).values()];
      expect(shares.flat().sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      const sizes = shares.map((share) => share.length);
      sizes.sort((a, b) => a - b);
      expect(sizes.at(-1)! - sizes[0]!).toBeLessThanOrEqual(1);
    }
  });

  test("leaves partitions where they are", () => {
    const before = shareOut(8, [member("a"), member("b"), member("c")]);
    const again = shareOut(
      8,
      [...before].map(([memberId, owned]) => ({ memberId, owned })),
    );
    expect(again).toEqual(before);
    const left = shareOut(8, [member("a", ...before.get("a")!), member("b", ...before.get("b")!)]);
    expect(left.get("a")).toEqual(expect.arrayContaining(before.get("a")!));
    expect(left.get("b")).toEqual(expect.arrayContaining(before.get("b")!));
  });

  test("believes only one of two that claim the same", () => {
    const shares = shareOut(4, [member("a", 0, 1, 2, 3), member("b", 0, 1)]);
    expect([...shares.values()].flat().sort()).toEqual([0, 1, 2, 3]);
  });

  test("gives partition p of every topic to the same member", async () => {
    const { MemberAssignment } = AssignerProtocol;
    const context = {} as Parameters<ReturnType<typeof coPartitioned>>[0];
    const assigner = coPartitioned(8, () => [])(context);
    const topics = ["x", "y"];
    const memberMetadata = assigner.protocol({ topics }).metadata;
    const assigned = await assigner.assign({
      members: ["a", "b"].map((memberId) => ({ memberId, memberMetadata })),
      topics,
    });
    for (const { memberAssignment } of assigned) {
      const { assignment } = MemberAssignment.decode(memberAssignment)!;
      expect(assignment.x).toEqual(assignment.y);
      expect(assignment.x).toHaveLength(4);
    }
  });
});

describe("the frame", () => {
  test("is put on and taken off", () => {
    const body = Buffer.from("body");
    expect(unframe(frame(258, body))).toEqual({ schemaId: 258, body });
    expect([...frame(258, body).subarray(0, 5)]).toEqual([0, 0, 0, 1, 2]);
  });

  test("is missed where it is not", () => {
    expect(unframe(Buffer.from("text"))).toBeUndefined();
    expect(unframe(Buffer.from([0, 0, 0, 0]))).toBeUndefined();
    expect(unframe(Buffer.alloc(0))).toBeUndefined();
  });
});

describe("acknowledgements", () => {
  test("count up to the first gap, in whatever order they come", () => {
    const acks = new Acks();
    const [first, second, third] = [acks.deliver(4), acks.deliver(5), acks.deliver(8)];
    expect(second!()).toBeUndefined();
    expect(first!()).toBe(6);
    expect(first!()).toBeUndefined();
    expect(third!()).toBe(9);
  });
});

describe("the options", () => {
  const sasl = { mechanism: "plain", username: "atlas", password: "secret" } as const;
  const options: KafkaLogOptions = { brokers: ["kafka:9092"], schemaRegistryUrl: "http://registry:8081/" };

  test("are refused by name when they cannot be meant", () => {
    const wrong: [string, Partial<KafkaLogOptions>][] = [
      ["log.brokers", { brokers: [] }],
      ["log.brokers", { brokers: ["kafka"] }],
      ["log.brokers", { brokers: ["kafka://kafka:9092"] }],
      ["log.schemaRegistryUrl", { schemaRegistryUrl: "file:///etc/passwd" }],
      ["log.topicPrefix", { topicPrefix: "a b" }],
      ["log.partitions", { partitions: 0 }],
      ["log.sasl", { sasl }],
    ];
    for (const [where, option] of wrong) {
      expect(() => settingsOf({ ...options, ...option }), where).toThrow(
        expect.objectContaining({ code: "ATLAS_CONFIG_INVALID", where }),
      );
    }
  });

  test("may send credentials through TLS, or to this machine", () => {
    expect(settingsOf({ ...options, sasl, ssl: true }).sasl).toBe(sasl);
    for (const broker of ["localhost:9092", "127.0.0.1:9092", "[::1]:9092"]) {
      expect(settingsOf({ ...options, brokers: [broker], sasl }).sasl).toBe(sasl);
    }
  });

  test("show an address without credentials", () => {
    expect(settingsOf({ ...options, topicPrefix: "dev.", sasl, ssl: true }).address).toBe(
      "kafka://kafka:9092/dev.",
    );
  });
});
