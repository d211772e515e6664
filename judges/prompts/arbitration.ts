/** Names this prompt in events; changes whenever its text does. */
export const ARBITRATION_VERSION = "arbitration.v1";

/** Follows a judge's own prompt where its samples have to be settled. */
export const ARBITRATION = `Several judges have answered all of the above on their own, and they disagree or are not certain. What they saw stands
under "material" in the JSON object that you get, their answers under "samples". Look at the evidence yourself: check what each
of them claims against what happened, settle where they differ, and say in the rationale what decided it. Do not split the
difference. If the evidence stays thin, let your uncertainty say so. Reply with one JSON object of the shape asked for above,
and nothing else.`;
