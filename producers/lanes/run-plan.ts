import type { PlanStep } from "../../schemas/generated/events.ts";
import type { SessionStatus } from "../../schemas/vocabulary.ts";

/** How a plan's steps are run. */
export interface PlanRun<O> {
  /** Most steps at a time. */
  concurrency: number;
  /** Runs a step whose dependencies have all succeeded; `outcomes` has theirs. */
  run(step: PlanStep, outcomes: ReadonlyMap<number, O>): Promise<O>;
  /** Called for a step that cannot run, or need not any more. */
  skip(step: PlanStep, reason: string): void;
  /** Why no further step is begun; asked again and again. */
  stopped(): string | undefined;
}

/**
 * Runs a plan: each step as soon as those that it depends on have succeeded, the lowest ids first where places are
 * scarce. A step that depends on one that did not succeed is skipped; all others go on. The plan must have no problem.
 *
 * @returns the outcomes of the steps that ran
 */
export async function runPlan<O extends { status: SessionStatus }>(
  steps: readonly PlanStep[],
  { concurrency, run, skip, stopped }: PlanRun<O>,
): Promise<Map<number, O>> {
  const outcomes = new Map<number, O>();
  const skipped = new Set<number>();
  const running = new Map<number, Promise<void>>();
  let waiting = steps.toSorted((a, b) => a.id - b.id);

  const start = (step: PlanStep): void => {
    const work = async (): Promise<void> => {
      outcomes.set(step.id, await run(step, outcomes));
      running.delete(step.id);
    };
    running.set(step.id, work());
  };
  const hindrance = ({ depends_on }: PlanStep): string | undefined => {
    for (const id of depends_on) {
      if (skipped.has(id)) return `step ${id} was skipped`;
      const status = outcomes.get(id)?.status;
      if (status === "failed") return `step ${id} failed`;
      if (status === "cancelled") return `step ${id} was cancelled`;
    }
    return undefined;
  };

  while (waiting.length > 0 || running.size > 0) {
    let changed = false;
    const still: PlanStep[] = [];
    for (const step of waiting) {
      const reason = stopped() ?? hindrance(step);
      if (reason !== undefined) {
        skip(step, reason);
        skipped.add(step.id);
        changed = true;
      } else if (running.size < concurrency && step.depends_on.every((id) => outcomes.has(id))) {
        start(step);
        changed = true;
      } else {
        still.push(step);
      }
    }
    waiting = still;
    if (running.size > 0) await Promise.race(running.values());
    else if (!changed && waiting.length > 0) throw new TypeError("the plan cannot run");
  }
  return outcomes;
}
