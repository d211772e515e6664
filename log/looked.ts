import { channel } from "node:diagnostics_channel";

/** The diagnostics channel that hears the name of a loop after each of its looks for work. */
export const LOOKED = "atlas-sdk:looked";

const heard = channel(LOOKED);

/** Says that a loop has looked for work and dealt with what there was. Costs nothing while nobody listens. */
export const looked = (loop: string): void => heard.publish(loop);
