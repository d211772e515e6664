import type { ModelClient } from "../models/model-client.ts";
import type { Judge } from "./judge.ts";
import type { Judgement } from "./made-judgement.ts";
import { modelJudge, SESSION_JUDGE_NAME } from "./model-judge.ts";

/** What a session's judgements come to. */
export interface RunReward {
  /** 0 to 1. */
  score: number;
  /** 0 to 1; missing where no judge told any. */
  uncertainty?: number;
  /** The words of each judge that said some. */
  rationale: string;
}

/** Who scores a session together. */
export interface Panel {
  /** Their names differ. */
  readonly judges: readonly Judge[];
  /** Most model calls at a time, of all judges together; 4 unless told. */
  readonly parallel?: number | undefined;
  /** What judgements come to under the rubric; undefined where they come to nothing. */
  rewardOf(judgements: readonly Judgement[]): RunReward | undefined;
}

/**
 * The panel of one model that is asked once about the whole session.
 *
 * @example
 * const panel = soleJudge(openaiModel({ model: "gpt-5-mini" }));
 */
export const soleJudge = (client: ModelClient): Panel => ({
  judges: [modelJudge({ name: SESSION_JUDGE_NAME, small: client, temperatures: [null] })],
  rewardOf([judgement]) {
    if (judgement === undefined) return undefined;
    const { score, uncertainty, rationale } = judgement;
    return { score, ...(uncertainty == null ? {} : { uncertainty }), rationale: rationale ?? "" };
  },
});

/** What each judge had to say of the session: its arbitration's words, else those of its most certain sample. */
export function rationaleOf(judgements: readonly Judgement[]): string {
  const byJudge = new Map<string, Judgement>();
  for (const judgement of judgements) {
    if (judgement.scope !== "session" || judgement.rationale === null || judgement.rationale === undefined)
      continue;
    const before = byJudge.get(judgement.judge);
    const speaks =
      before === undefined ||
      judgement.stage === "arbitration" ||
      (before.stage !== "arbitration" && (judgement.uncertainty ?? 1) < (before.uncertainty ?? 1));
    if (speaks) byJudge.set(judgement.judge, judgement);
  }
  const said = [...byJudge.values()];
  if (said.length === 1) return said[0]!.rationale!;
  return said.map(({ judge, rationale }) => `${judge}: ${rationale}`).join("\n");
}
