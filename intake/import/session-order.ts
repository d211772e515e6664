import type { JudgementMade, Uuid } from "../../schemas/generated/events.ts";
import { type Masked, withLogged } from "../../schemas/masked.ts";

/** Whether the judgements of a session lead to a reward, by the rules that it is rewarded by. */
export type IsRewarded = (judgements: readonly JudgementMade[]) => boolean;

/** Without rules any judgement of the session does. */
const isJudged: IsRewarded = (judgements) => judgements.some(({ scope }) => scope !== "step");

/**
 * The order in which an import hands over the sessions of each learning key. Each names the one before it that is
 * rewarded, in which order drift compares them. It follows from what is imported alone, and never from what the log
 * holds: an import that is repeated, or that goes on after it was killed, says the same again.
 */
export class SessionOrder {
  readonly #last = new Map<string, Uuid>();
  readonly #isRewarded: IsRewarded;

  constructor(isRewarded: IsRewarded = isJudged) {
    this.#isRewarded = isRewarded;
  }

  /**
   * Puts a session behind the one of its learning key that was put last.
   *
   * @param held the id that the log holds it by, where that is another
   */
  put(events: readonly Masked[], held?: Uuid): Masked[] {
    const [started, ...rest] = events;
    if (started?.type !== "SessionStarted") return [...events];
    const { learning_key, meta } = started;
    const after = this.#last.get(learning_key) ?? null;
    const judgements = rest.filter((event): event is Masked<JudgementMade> => event.type === "JudgementMade");
    if (this.#isRewarded(judgements)) this.#last.set(learning_key, held ?? meta.source);
    return [withLogged(started, { after }), ...rest];
  }
}
