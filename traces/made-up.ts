import type { AtlasEvent } from "../schemas/generated/events.ts";

/** The provider that calls of simulated models are recorded under. */
const SIMULATED_PROVIDER = "simulated";

/**
 * Whether an event makes its session a simulated one: the run says so, or a simulated model answered, as the student,
 * the teacher or a judge. A judge may come later, from a process with other models.
 */
export function isMadeUp(event: AtlasEvent): boolean {
  switch (event.type) {
    case "SessionStarted":
      return event.simulated;
    case "ModelCallEnded":
    case "JudgementMade":
      return event.provider === SIMULATED_PROVIDER;
    default:
      return false;
  }
}
