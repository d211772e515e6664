import { expect, test } from "vitest";
import { destinationOf } from "../../app/alerting.ts";
import { toCamelPath } from "../../configs/camel-case.ts";
import { examineConfig } from "../../configs/load-config.ts";
import { explain } from "../../errors/atlas-error.ts";
import { alertTopics } from "../../sinks/alerts/alert-consumer.ts";
import { destinationsOf } from "./alerts-facts.ts";

const HOOK = { type: "webhook", name: "pager", url: "https://example.com/hook" } as const;

const faults = (alerts: unknown): string[] => {
  const examined = examineConfig({ alerts } as Parameters<typeof examineConfig>[0], {});
  return Array.isArray(examined) ? examined.map(({ text }) => text) : [];
};

const thrown = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return explain(error);
  }
  return "";
};

test("a destination needs little", () => {
  expect(destinationsOf([HOOK])).toMatchObject([
    { on: ["drift"], directions: ["decline"], allowPrivate: false, maxAttempts: 20 },
  ]);
});

test.each([
  [[{ ...HOOK, url: undefined }], "alerts[0].url or urlEnv must be given, one of them"],
  [[{ ...HOOK, urlEnv: "HOOK" }], "alerts[0].url or urlEnv must be given, one of them"],
  [[{ ...HOOK, on: ["reward"] }], "alerts[0].on names reward: say rewardBelow or rewardAbove too"],
  [[{ ...HOOK, rewardBelow: 0.5 }], "alerts[0].on must name reward for rewardBelow and rewardAbove"],
  [[{ ...HOOK, rewardBelow: 2, on: ["reward"] }], "alerts[0].rewardBelow must be at most 1"],
  [[{ ...HOOK, on: ["event"] }], "alerts[0].on must name event where events are given, and nowhere else"],
  [
    [{ ...HOOK, events: ["acme.X"] }],
    "alerts[0].on must name event where events are given, and nowhere else",
  ],
  [[HOOK, HOOK], "alerts[1].name is the name of another destination"],
  [[{ ...HOOK, name: "a:b" }], "alerts[0].name must be lower-case letters"],
  [[{ ...HOOK, type: "email" }], "alerts[0].type must be webhook or slack"],
  [[{ ...HOOK, type: "slack", secretEnv: "S" }], "secretEnv is not a key"],
  [[{ ...HOOK, direction: "decline" }], "did you mean directions?"],
])("%j is refused: %s", (alerts, words) => {
  expect(toCamelPath(faults(alerts).join("; "))).toContain(words);
});

test("what the environment does not hold, and where alerts must not go, is found at the start", () => {
  const [secret] = destinationsOf([{ ...HOOK, secretEnv: "PAGER_SECRET" }]);
  expect(thrown(() => destinationOf(secret!, {}))).toContain("PAGER_SECRET is not set");
  expect(destinationOf(secret!, { PAGER_SECRET: "s3" })).toMatchObject({ secret: "s3" });
  const [slack] = destinationsOf([{ type: "slack", name: "team", urlEnv: "SLACK_URL" }]);
  const told = thrown(() => destinationOf(slack!, { SLACK_URL: "http://hooks.example.com/T0/TOKEN" }));
  expect(told).toContain("ATLAS_ALERT_REFUSED");
  expect(told).not.toContain("TOKEN");
});

test("an event that nobody defines raises no alert in silence", () => {
  const [destination] = destinationsOf([{ ...HOOK, on: ["event"], events: ["nobody.Defined"] }]);
  expect(thrown(() => alertTopics([destination!]))).toContain(
    "no processor here defines the event nobody.Defined",
  );
});
