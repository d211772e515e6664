import { aiSdkSaid } from "./ai-sdk.ts";
import { answeredIn, repliedIn } from "./answered-in.ts";
import { askedIn } from "./asked-in.ts";
import type { Attributes } from "./attributes.ts";
import { genAiSaid } from "./genai.ts";
import { ofReply } from "./genai-events.ts";
import { openInferenceSaid } from "./openinference.ts";
import { firstSaid, type Said } from "./said.ts";
import type { SpanEvent } from "./span.ts";
import type { WorkKind } from "./work.ts";

/** What attributes and events say, in whichever of the conventions. */
export const saidInAttributes = (attributes: Attributes, events: readonly SpanEvent[]): Said =>
  firstSaid([genAiSaid(attributes, events), openInferenceSaid(attributes), aiSdkSaid(attributes)]);

/** What a whole input and a whole output say. */
export function saidInPayloads(kind: WorkKind, [input, output]: [unknown, unknown]): Said {
  const answer = kind === "model" ? repliedIn(output) : answeredIn(output);
  return firstSaid([askedIn(input), { ...answer, answered: answer.answered?.map(ofReply) }]);
}
