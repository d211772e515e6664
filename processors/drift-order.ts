import type { SessionRewarded, Uuid } from "../schemas/generated/events.ts";
import { revisionOf, sessionOf } from "./fact-fields.ts";

/** A reward that came before that of the session which it names as the one before it. */
interface Waiting {
  reward: SessionRewarded;
  /** How many rewards of the learning key had come when it came. */
  since: number;
}

/** What is kept of a learning key to take its sessions in the order of their imports. */
export interface Order {
  /** How many rewards have come. */
  arrived: number;
  /** The newest imported sessions that had their turn, by the last part of their ids. */
  seen: string[];
  /** In the order in which they came. */
  waiting: Waiting[];
}

/** The order of a learning key of which nothing has come. */
export const NO_ORDER: Order = { arrived: 0, seen: [], waiting: [] };

/** For so many rewards of its learning key a session waits, and so many that had their turn are remembered. */
export const MOST_OVERTAKEN = 1000;

const shortened = (session: Uuid): string => session.slice(-12);

/** Ids of imported sessions are made of their content (UUIDv5); those of live ones are new, and no import names them. */
export const isImported = (session: Uuid): boolean => session[14] === "5";

/** Assessing a session takes none of its judgements: a reward waits without them. */
const withoutJudgements = (reward: SessionRewarded): SessionRewarded => ({
  ...reward,
  judges: [],
  steps: [],
  judgements: [],
  missing: [],
  tags: [],
});

/** The first one of a chain, as far as it has come, that keeps a session waiting. */
function firstOf(waiting: readonly Waiting[], { reward }: Waiting): SessionRewarded {
  const bySession = new Map(waiting.map((other) => [sessionOf(other.reward), other.reward]));
  let first = reward;
  for (let left = waiting.length; left > 0; left -= 1) first = bySession.get(first.after ?? "") ?? first;
  return first;
}

/**
 * Takes a reward as it comes, and gives those whose turn it is now. A reward that names another session has its turn
 * after that one, so that sessions of an import are taken in its order however partitions interleave. One that names
 * none, or that revises another, has its turn at once.
 *
 * No clock decides. A session whose predecessor does not come has its turn when {@link MOST_OVERTAKEN} others of its
 * learning key have come, which also bounds the state. `atlas log verify` names those that wait.
 */
export function takeInOrder(
  before: Order,
  reward: SessionRewarded,
): { order: Order; due: SessionRewarded[] } {
  const session = sessionOf(reward);
  const arrived = before.arrived + 1;
  const seen = [...before.seen];
  let waiting = before.waiting.filter((other) => sessionOf(other.reward) !== session);
  const due: SessionRewarded[] = [];
  const handOn = (first: SessionRewarded): void => {
    const turn = [first];
    for (let next = turn.shift(); next !== undefined; next = turn.shift()) {
      const id = sessionOf(next);
      due.push(next);
      if (isImported(id)) seen.push(shortened(id));
      waiting = waiting.filter((other) => {
        const follows = other.reward.after === id;
        if (follows) turn.push(other.reward);
        return !follows && sessionOf(other.reward) !== id;
      });
    }
  };
  const { after } = reward;
  const named = after !== null && after !== undefined && revisionOf(reward) === 0;
  if (named && !seen.includes(shortened(after)))
    waiting.push({ reward: withoutJudgements(reward), since: arrived });
  else handOn(reward);
  const [longest] = waiting;
  if (longest !== undefined && arrived - longest.since >= MOST_OVERTAKEN) handOn(firstOf(waiting, longest));
  return { order: { arrived, seen: seen.slice(-MOST_OVERTAKEN), waiting }, due };
}
