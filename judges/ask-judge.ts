import type { SessionScope } from "../recording/session-scope.ts";
import { askModel, type Said } from "./ask-model.ts";
import type { ModelJudge } from "./judge.ts";
import type { Limiter } from "./limiter.ts";
import type { JudgedPlace, JudgeOutcome } from "./made-judgement.ts";
import { arbitrationVersion } from "./model-judge.ts";
import { ARBITRATION } from "./prompts/arbitration.ts";

/** What an arbiter is asked at, where its model has no say of its own: cool, because it settles. */
const ARBITRATION_TEMPERATURE = 0.3;

function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** Whether samples disagree, or one of them is not certain; both thresholds have to be passed, not met. */
export function isContested(
  samples: readonly { score: number; uncertainty: number }[],
  judge: ModelJudge,
): boolean {
  if (samples.length === 0) return false;
  const spread = standardDeviation(samples.map(({ score }) => score));
  return (
    spread > judge.spreadThreshold ||
    samples.some(({ uncertainty }) => uncertainty > judge.uncertaintyThreshold)
  );
}

/**
 * Asks a model judge about a session or a step: its samples at the same time, then, where they are contested, the
 * large model. The samples stay beside what it says.
 *
 * @param material what the judge is shown
 */
export async function askModelJudge(
  scope: SessionScope,
  judge: ModelJudge,
  place: JudgedPlace,
  material: unknown,
  limit: Limiter,
): Promise<JudgeOutcome> {
  const prompt = judge.prompts[place.scope];
  const shown = JSON.stringify(material);
  const about = { judge, place };
  const answers = await Promise.all(
    judge.temperatures.map((temperature) =>
      limit(() =>
        askModel(scope, {
          ...about,
          stage: "sample",
          client: judge.small,
          prompt,
          material: shown,
          temperature,
        }),
      ),
    ),
  );
  const said = answers.flatMap((answer) => (answer.said === undefined ? [] : [answer.said]));
  const outcome: JudgeOutcome = {
    ...place,
    judge: judge.name,
    judgements: said.map(({ judgement }) => judgement),
    outage: answers.some(({ outage }) => outage),
  };
  const { large } = judge;
  const samples = said.map(({ judgement: { score, uncertainty } }) => ({
    score,
    uncertainty: uncertainty ?? 0,
  }));
  if (large === undefined || !isContested(samples, judge)) return outcome;

  const arbitration = await limit(() =>
    askModel(scope, {
      ...about,
      stage: "arbitration",
      client: large,
      prompt: { version: arbitrationVersion(prompt), text: `${prompt.text}\n\n${ARBITRATION}` },
      material: JSON.stringify({ material, samples: said.map(sampleOf) }),
      temperature:
        large.defaults?.temperature === undefined && judge.temperatures.some((t) => t !== null)
          ? ARBITRATION_TEMPERATURE
          : null,
    }),
  );
  if (arbitration.said !== undefined) outcome.judgements.push(arbitration.said.judgement);
  return outcome;
}

const sampleOf = ({ judgement, principles }: Said) => ({
  score: judgement.score,
  uncertainty: judgement.uncertainty,
  rationale: judgement.rationale,
  principles,
});
