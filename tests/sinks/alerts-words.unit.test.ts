import { describe, expect, test } from "vitest";
import type { LogRecord } from "../../log/event-log.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { nowMicros } from "../../schemas/identity.ts";
import { topicOf } from "../../schemas/topics.ts";
import { type Alert, alertOf } from "../../sinks/alerts/alert.ts";
import { bodyOf } from "../../sinks/alerts/alert-body.ts";
import type { Destination } from "../../sinks/alerts/destination.ts";
import { silenceOf } from "../../sinks/alerts/news.ts";
import { slackText } from "../../sinks/alerts/slack-body.ts";
import { driftFact, rewardFact } from "./alerts-facts.ts";

const destination = (changes: Partial<Destination> = {}): Destination => ({
  name: "pager",
  type: "webhook",
  url: "https://example.com/",
  on: ["drift"],
  directions: ["decline"],
  maxAgeHours: 168,
  allowPrivate: false,
  timeoutSeconds: 10,
  maxAttempts: 20,
  ...changes,
});

const toldOf = (event: AtlasEvent, changes: Partial<Destination> = {}): Alert | undefined =>
  alertOf(event, destination(changes));

describe("what raises an alert", () => {
  test("a decline does; an improvement only where it was asked for; an assessment without alert never", () => {
    expect(toldOf(driftFact())).toMatchObject({ kind: "drift", drift: { direction: "decline" } });
    const better = driftFact({ direction: "improvement" });
    expect(toldOf(better)).toBeUndefined();
    expect(toldOf(better, { directions: ["improvement"] })).toMatchObject({ kind: "drift" });
    expect(toldOf(driftFact({ alert: false }))).toBeUndefined();
    expect(toldOf(driftFact(), { on: ["reward"], rewardBelow: 0.5 })).toBeUndefined();
  });

  test("a reward does beyond a threshold, not on it", () => {
    const on = { on: ["reward"], rewardBelow: 0.4, rewardAbove: 0.9 } as const;
    expect(toldOf(rewardFact(0.39), on)).toMatchObject({ reward: { crossed: "below", threshold: 0.4 } });
    expect(toldOf(rewardFact(0.4), on)).toBeUndefined();
    expect(toldOf(rewardFact(0.9), on)).toBeUndefined();
    expect(toldOf(rewardFact(0.91), on)).toMatchObject({ reward: { crossed: "above", threshold: 0.9 } });
    expect(toldOf(rewardFact(0), {})).toBeUndefined();
  });

  test("other learning keys do not, where some are named", () => {
    const changes = { learningKeys: ["billing"] };
    expect(toldOf(driftFact(), changes)).toBeUndefined();
    expect(toldOf(driftFact({}, { learningKey: "billing" }), changes)).toBeDefined();
  });

  test("its key is the event's id and the destination's name, in the body too", () => {
    const event = driftFact();
    const alert = toldOf(event)!;
    expect(alert.idempotency_key).toBe(`${event.meta.event_id}:pager`);
    expect(JSON.parse(bodyOf(alert, { type: "webhook" }))).toMatchObject({
      version: 1,
      idempotency_key: alert.idempotency_key,
      text: "reviews: decline in score: 0.3 is 9 spreads below 0.9",
    });
  });
});

describe("what is no news", () => {
  const recordOf = (event: AtlasEvent, offset: number): LogRecord => ({
    topic: topicOf(event.type),
    partition: 1,
    offset,
    key: "reviews",
    appendedAt: nowMicros(),
    event,
  });
  const starts = new Map([["atlas.drift", [0, 7]] as const]);
  const silence = (event: AtlasEvent, offset = 7) => silenceOf(recordOf(event, offset), starts, 168);

  test("what was there before, branches, revisions, and what happened long before it arrived", () => {
    expect(silence(driftFact())).toBeUndefined();
    expect(silence(driftFact(), 6)).toBe("history");
    expect(silence(driftFact({}, { branch: "stricter" }))).toBe("branch");
    expect(silence(driftFact({}, { revision: 1 }))).toBe("revision");
    expect(silence(driftFact({}, { ageHours: 169 }))).toBe("age");
    expect(silence(driftFact({}, { ageHours: 167 }))).toBeUndefined();
  });
});

describe("Slack", () => {
  const hostile =
    "<!channel> <!here> <@U123> <#C1> @everyone <https://evil.example|Approve> https://evil.example evil.example *b* `c` a&b\n\u202etxt";

  test("text of others mentions nobody, links nowhere and formats nothing", () => {
    const text = slackText(hostile);
    expect(text).not.toMatch(/[<>]/);
    expect(text).not.toMatch(/@\w|:\/\/|\.\p{L}|[*_~`]\S*\w[*_~`](?!\u200b)|[\n\u202e]/u);
    expect(text).toContain("a&amp;b");
    expect(slackText("x".repeat(10_000))).toHaveLength(300);
  });

  test("a message stays within what Slack takes, whatever it is about", () => {
    const long = "&".repeat(10_000);
    const alert = toldOf(driftFact({ message: long, reason: long }, { learningKey: long }))!;
    const { blocks } = JSON.parse(bodyOf(alert, { type: "slack" })) as {
      blocks: { text?: { text: string }; fields?: { text: string }[] }[];
    };
    for (const { text, fields = [] } of blocks) {
      expect(text?.text.length ?? 0).toBeLessThanOrEqual(3000);
      for (const field of fields) expect(field.text.length).toBeLessThanOrEqual(2000);
    }
  });

  test("no field of a message lets anything through", () => {
    const alert = toldOf(driftFact({ message: hostile, reason: hostile }, { learningKey: hostile }))!;
    const body = JSON.parse(bodyOf(alert, { type: "slack" })) as { text: string; blocks: object[] };
    const texts: string[] = [body.text];
    const collect = (value: unknown): void => {
      if (Array.isArray(value)) value.forEach(collect);
      else if (typeof value === "object" && value !== null) {
        const { type, text, verbatim } = value as { type?: string; text?: unknown; verbatim?: boolean };
        if (typeof text === "string") texts.push(text);
        if (type === "mrkdwn") expect(verbatim).toBe(true);
        Object.values(value).forEach(collect);
      }
    };
    collect(body.blocks);
    expect(texts.length).toBeGreaterThan(5);
    for (const text of texts) expect(text).not.toMatch(/<|@\w|:\/\/|\.\p{L}/u);
    expect(body).toMatchObject({ link_names: false, unfurl_links: false });
  });
});
