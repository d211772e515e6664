import { map, mergeMap, type Observable, of } from "rxjs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  checkProcessor,
  defineEvent,
  defineProcessor,
  derive,
  distinctBy,
  durable,
  joinLatest,
  ofType,
  scanState,
  slidingWindow,
} from "../../app/processors.ts";
import { applyFacts, type KeyState } from "../../processors/run-processor.ts";
import type { AtlasEvent, EventOf } from "../../schemas/generated/events.ts";
import { at, judgedSession, rewarded, rulesOf } from "./facts.ts";

const said = defineEvent({
  type: "operators.Said",
  topic: "operators.said",
  zod: z.object({ text: z.string() }),
});

type Fact = EventOf<"SessionRewarded">;

/** A processor that says what a pipe gives, as text, caused by the fact that came last. */
const saying = (pipe: (facts$: Observable<Fact>) => Observable<unknown>) =>
  defineProcessor({
    name: "saying",
    version: 1,
    facts: ["SessionRewarded"],
    emits: [said],
    key: ({ learning_key }) => learning_key,
    pipe: (facts$) => pipe(facts$).pipe(map((value) => derive(said, { text: JSON.stringify(value) }))),
  });

const rewards = [0.1, 0.2, 0.2, 0.4, 0.1].map((score, index) =>
  rewarded(String(index), score, at(index + 1)),
);

/** What a pipe gives of the rewards, each in a process of its own. */
function said$(pipe: (facts$: Observable<Fact>) => Observable<unknown>): { texts: string[]; state: unknown } {
  const processor = saying(pipe);
  checkProcessor(processor, rewards, { rules: rulesOf() });
  let saved: KeyState<Record<string, unknown>> | undefined;
  const events: AtlasEvent[] = [];
  for (const fact of rewards) {
    const applied = applyFacts(processor, saved, [fact], rulesOf());
    saved =
      applied.keyState === undefined
        ? undefined
        : (JSON.parse(JSON.stringify(applied.keyState)) as KeyState<Record<string, unknown>>);
    for (const event of applied.events) events.push(event);
  }
  return { texts: events.map((event) => said.read(event)!.text), state: saved?.state };
}

const score$ = map(({ score }: Fact) => score);

describe("durable operators go on after a restart", () => {
  test("scanState passes on the state after each value", () => {
    const { texts, state } = said$((facts$) => facts$.pipe(scanState((count) => count + 1, 0)));
    expect(texts).toEqual(["1", "2", "3", "4", "5"]);
    expect(state).toEqual({ scanState: 5 });
  });

  test("scanState forgets, and begins with the seed again", () => {
    const upToTwo = scanState((count: number) => (count === 2 ? undefined : count + 1), 0);
    expect(said$((facts$) => facts$.pipe(upToTwo)).texts).toEqual(["1", "2", "1", "2"]);
  });

  test("slidingWindow passes on the last values", () => {
    const { texts, state } = said$((facts$) => facts$.pipe(score$, slidingWindow(2, { name: "scores" })));
    expect(texts).toEqual(["[0.1]", "[0.1,0.2]", "[0.2,0.2]", "[0.2,0.4]", "[0.4,0.1]"]);
    expect(state).toEqual({ scores: [0.4, 0.1] });
  });

  test("joinLatest waits for the other stream, and has its latest value", () => {
    const low = (facts$: Observable<Fact>) =>
      facts$.pipe(
        score$,
        mergeMap((score) => (score === 0.2 ? [score] : [])),
      );
    const { texts } = said$((facts$) => facts$.pipe(score$, joinLatest(low(facts$))));
    expect(texts).toEqual(["[0.2,0.2]", "[0.2,0.2]", "[0.4,0.2]", "[0.1,0.2]"]);
  });

  test("distinctBy passes a key on once, as long as it remembers it", () => {
    expect(said$((facts$) => facts$.pipe(score$, distinctBy(String))).texts).toEqual(["0.1", "0.2", "0.4"]);
    const shortly = said$((facts$) => facts$.pipe(score$, distinctBy(String, { most: 1 })));
    expect(shortly.texts).toEqual(["0.1", "0.2", "0.4", "0.1"]);
    expect(shortly.state).toEqual({ distinctBy: ["0.1"] });
  });

  test("one of a user's own keeps what it returns", () => {
    const pairs = durable("pairs", (before: number | undefined, score: number) => ({
      state: score,
      out: before === undefined ? [] : [[before, score]],
    }));
    expect(said$((facts$) => facts$.pipe(score$, pairs)).texts).toHaveLength(4);
  });

  test("operators of one kind are told apart", () => {
    const { state } = said$((facts$) =>
      facts$.pipe(
        score$,
        slidingWindow(2),
        map((window) => window.length),
        slidingWindow(1),
      ),
    );
    expect(state).toEqual({ slidingWindow: [0.4, 0.1], "slidingWindow 2": [2] });
  });
});

describe("a pipe", () => {
  test("may give several emissions for a fact, and none", () => {
    const { texts } = said$((facts$) =>
      facts$.pipe(
        score$,
        mergeMap((score) => (score > 0.3 ? of(1, 2) : [])),
      ),
    );
    expect(texts).toEqual(["1", "2"]);
  });

  test("is given only events of the types that it asks for", () => {
    const ended = defineProcessor({
      name: "ended",
      version: 1,
      facts: ["SessionStarted", "SessionEnded"],
      emits: [said],
      key: (fact) => fact.meta.session_id ?? "",
      pipe: (facts$) =>
        facts$.pipe(
          ofType("SessionEnded"),
          joinLatest(
            facts$.pipe(
              ofType("SessionStarted"),
              map(({ task }) => task),
            ),
          ),
          map(([{ status }, task]) => derive(said, { text: `${task}: ${status}` })),
        ),
    });
    const { events } = checkProcessor(ended, judgedSession("one", [{ score: 1 }]), { rules: rulesOf() });
    expect(events.map((event) => said.read(event)?.text)).toEqual([expect.stringMatching(/: succeeded$/)]);
  });

  test("forgets a key with its last fact", () => {
    const counting = defineProcessor({
      name: "counting",
      version: 1,
      facts: ["SessionRewarded"],
      emits: [said],
      key: ({ learning_key }) => learning_key,
      pipe: (facts$) =>
        facts$.pipe(
          scanState((count) => count + 1, 0),
          map((count) => derive(said, { text: String(count) })),
        ),
      ends: ({ score }) => score === 0.4,
    });
    const { events } = checkProcessor(counting, rewards, { rules: rulesOf() });
    expect(events.map((event) => said.read(event)?.text)).toEqual(["1", "2", "3", "4", "1"]);
    expect(applyFacts(counting, undefined, rewards.slice(0, 4), rulesOf()).keyState?.state).toBeUndefined();
  });

  test("passes on what it throws", () => {
    const broken = saying(
      map(() => {
        throw new RangeError("mine");
      }),
    );
    expect(() => applyFacts(broken, undefined, rewards, rulesOf())).toThrow(RangeError);
    const inState = saying(
      scanState(() => {
        throw new RangeError("mine");
      }, 0),
    );
    expect(() => applyFacts(inState, undefined, rewards, rulesOf())).toThrow(RangeError);
  });

  test("refuses durable operators of one name, and those that begin too late", () => {
    const named = saying((facts$) =>
      facts$.pipe(score$, slidingWindow(2, { name: "w" }), slidingWindow(2, { name: "w" })),
    );
    expect(() => applyFacts(named, undefined, rewards, rulesOf())).toThrow(
      /two durable operators are called w/,
    );
    const late = saying(mergeMap((fact) => of(fact.score).pipe(slidingWindow(2))));
    expect(() => applyFacts(late, undefined, rewards, rulesOf())).toThrow(/begins when facts are under way/);
  });

  test("is the only place for durable operators", () => {
    const seen: unknown[] = [];
    of(1)
      .pipe(slidingWindow(2))
      .subscribe({ error: (error) => seen.push(error) });
    expect(seen).toEqual([expect.objectContaining({ code: "ATLAS_PROCESSOR_INVALID" })]);
  });
});
