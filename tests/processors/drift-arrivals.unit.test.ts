import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkProcessor } from "../../processors/check-processor.ts";
import { type DriftState, drift } from "../../processors/drift.ts";
import { applyFacts } from "../../processors/run-processor.ts";
import type { AtlasEvent, EventOf } from "../../schemas/generated/events.ts";
import { guarded, type Reward } from "./drift-series.ts";
import { at, decided, rewarded } from "./facts.ts";

describe("drift, whatever arrives", () => {
  const sessions = fc.array(
    fc.record({
      second: fc.integer({ min: 1, max: 60 }),
      score: fc.constantFrom(0, 0.5, 0.9, 1),
      agent: fc.constantFrom("a", "b"),
      key: fc.constantFrom("counting", "sums"),
    }),
    { minLength: 1, maxLength: 40 },
  );
  const words = fc.array(
    fc.record({
      second: fc.integer({ min: 1, max: 60 }),
      session: fc.nat({ max: 40 }),
      decision: fc.constantFrom("approved", "quarantined"),
    }),
    { maxLength: 8 },
  );
  const rewards = (list: { second: number; score: number; agent: string; key: string }[]): Reward[] =>
    list.map(({ second, score, agent, key }, index) =>
      rewarded(String(index), score, at(second), { agent, learning_key: key }),
    );
  const decisions = (list: { second: number; session: number; decision: string }[]) =>
    list.map(({ second, session, decision }, index) =>
      decided(decision, second, `w${index}`, String(session)),
    );
  const guardrails = { window: 6, min_baseline: 2, history: 12, fall_back: 4, cool_down: 3 };

  it("keeps a state of two windows at most, in order", () => {
    fc.assert(
      fc.property(sessions, words, (list, said) => {
        const facts = [
          ...decisions(said),
          ...rewards(list).filter(({ learning_key }) => learning_key === "counting"),
        ];
        const { keyState } = applyFacts(drift, undefined, facts, guarded(guardrails));
        for (const cohort of Object.values(
          (keyState?.state as DriftState | undefined)?.history?.cohorts ?? {},
        )) {
          expect(cohort.sessions.length).toBeLessThanOrEqual(12);
          const places = cohort.sessions.map(
            ({ place: [time, id] }) => `${String(time).padStart(12, "0")} ${id}`,
          );
          expect(places).toEqual([...places].sort());
        }
      }),
    );
  });

  it("is pure over any interleaving, split, restart and repetition of many keys", () => {
    fc.assert(
      fc.property(sessions, words, fc.integer(), (list, said, seed) => {
        const facts: AtlasEvent[] = [...rewards(list), ...decisions(said)];
        checkProcessor(drift, facts, { rules: guarded(guardrails), runs: 6, seed });
      }),
      { numRuns: 40 },
    );
  });

  it("does not depend on where decisions stand among rewards, as long as none comes late", () => {
    fc.assert(
      fc.property(
        sessions,
        words,
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (list, said, chance) => {
          const ordered = rewards(list)
            .filter(({ learning_key }) => learning_key === "counting")
            .sort(
              (a, b) => a.completed_at - b.completed_at || (a.meta.session_id! < b.meta.session_id! ? -1 : 1),
            );
          const early = decisions(said);
          const bytes = (facts: readonly (Reward | EventOf<"ReviewDecided">)[]) =>
            applyFacts(drift, undefined, facts, guarded(guardrails)).events;
          const first = bytes([...early, ...ordered]);
          const mixed: (Reward | EventOf<"ReviewDecided">)[] = [];
          const left = early.map((word) => ({ word, wait: chance.next().value as number }));
          for (const reward of ordered) {
            for (const each of left.splice(0).sort((a, b) => a.wait - b.wait)) {
              if (each.word.meta.occurred_at <= reward.completed_at || each.wait < 0.3) mixed.push(each.word);
              else left.push(each);
            }
            mixed.push(reward);
          }
          expect(bytes(mixed)).toEqual(first);
        },
      ),
      { numRuns: 60 },
    );
  });
});
