import { type AtlasError, isAtlasError } from "../errors/atlas-error.ts";
import type { EventLog } from "../log/event-log.ts";
import type { Masked } from "../schemas/masked.ts";

/** Failures that lie in one event: its neighbours can still be appended. */
const FAULTS_OF_AN_EVENT = [
  "ATLAS_EVENT_INVALID",
  "ATLAS_LEARNING_KEY_INVALID",
  "ATLAS_EVENT_TOO_LARGE",
  "ATLAS_EVENT_UNMASKED",
] as const;

/** Says whether an error lies in one event rather than in the log. */
export const isFaultOfEvent = (error: unknown): error is AtlasError =>
  FAULTS_OF_AN_EVENT.some((code) => isAtlasError(error, code));

/**
 * Appends events in order, without those that the log refuses for what they are.
 *
 * @returns the refused ones, each with the reason
 * @throws whatever else keeps the log from taking them; some may then be in it
 */
export async function appendSound(
  log: Pick<EventLog, "append">,
  events: readonly Masked[],
): Promise<Map<Masked, AtlasError>> {
  const refused = new Map<Masked, AtlasError>();
  async function append(part: readonly Masked[]): Promise<void> {
    try {
      await log.append(part);
    } catch (error) {
      if (!isFaultOfEvent(error)) throw error;
      if (part.length === 1) {
        refused.set(part[0]!, error);
        return;
      }
      const middle = part.length >> 1;
      await append(part.slice(0, middle));
      await append(part.slice(middle));
    }
  }
  await append(events);
  return refused;
}
