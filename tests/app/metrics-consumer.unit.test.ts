import { expect, test } from "vitest";
import type { LogRecord, Unit } from "../../log/event-log.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { nowMicros } from "../../schemas/identity.ts";
import { topicOf } from "../../schemas/topics.ts";
import { metricsConsumer } from "../../sinks/metrics/metrics-consumer.ts";
import { driftFact, rewardFact } from "../sinks/alerts-facts.ts";

const unit = {} as Unit;

const recordOf = (event: AtlasEvent, offset: number, partition = 0): LogRecord => ({
  ...{ topic: topicOf(event.type), partition, offset, key: "reviews", appendedAt: nowMicros(), event },
});

test("a unit that is tried again counts once, a fact of another place counts, and history does not", async () => {
  const observed: string[] = [];
  const starts = new Map([["atlas.rewards", [1, 0]] as const]);
  const apply = metricsConsumer({ observe: ({ type }) => observed.push(type) }, starts);
  const first = [recordOf(rewardFact(0.1), 0), recordOf(rewardFact(0.2), 1)];
  await apply(first, unit);
  await apply(first, unit);
  expect(observed).toEqual(["SessionRewarded"]);
  await apply([recordOf(rewardFact(0.3), 1, 1), recordOf(driftFact(), 0)], unit);
  await apply([recordOf(rewardFact(0.4, { branch: "b" }), 2)], unit);
  expect(observed).toEqual(["SessionRewarded", "SessionRewarded", "DriftAssessed"]);
});
