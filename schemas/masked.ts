import { AtlasError } from "../errors/atlas-error.ts";
import type { AtlasEvent } from "./generated/events.ts";
import { learningKeyProblem } from "./learning-key.ts";

declare const brand: unique symbol;

/** An event from which what must not be written has been taken out: the only kind that a log takes. */
export type Masked<E extends AtlasEvent = AtlasEvent> = E & { readonly [brand]: true };

/** Replaces what must not be written. It is called once for each event, before anything else sees that event. */
export type Mask = (event: AtlasEvent) => AtlasEvent;

/** Makes an event one that a log takes. */
export type Masking = <E extends AtlasEvent>(event: E) => Masked<E>;

/** Types can be got round, by a copy of an event or in JavaScript: whoever encodes an event asks here. */
const masked = new WeakSet<AtlasEvent>();

/** Says whether an event went through a mask, or was made of such events alone. */
export const isMasked = (event: AtlasEvent): event is Masked => masked.has(event);

/**
 * Says that there is nothing to take out of an event: it was read from a log or from the spool, or made of such
 * events alone, as what processors derive is.
 */
export function alreadyMasked<E extends AtlasEvent>(event: E): Masked<E> {
  masked.add(event);
  return event as Masked<E>;
}

/**
 * A masked event with fields as the log has them. They were masked when they came, and a mask that changes its own
 * results must not get them again.
 *
 * @example
 * withLogged(log.mask(erasure), { learning_key: session.learningKey });
 */
export const withLogged = <E extends AtlasEvent>(event: Masked<E>, logged: Partial<E>): Masked<E> =>
  alreadyMasked({ ...event, ...logged });

const failed = (event: AtlasEvent, why: string): AtlasError =>
  new AtlasError("ATLAS_MASK_FAILED", why, {
    where: `${event.type} ${event.meta.event_id}`,
    hint: "Mend the mask function; nothing of this event was written.",
  });

/** What a mask was asked for and did not give, by its kind alone: what it gave may quote what was to be taken out. */
const kindOf = (value: unknown): string =>
  value === null
    ? "null"
    : value instanceof Promise
      ? "a promise"
      : Array.isArray(value)
        ? "a list"
        : typeof value;

/**
 * What the function of a mask returned for a text.
 *
 * @throws TypeError where that is no text
 */
export function maskedText(returned: unknown): string {
  if (typeof returned === "string") return returned;
  throw new NotMasked(`the mask function returned ${kindOf(returned)}, and a text is wanted`);
}

/** Says what a mask gave in place of what it was asked for; its message quotes nothing. */
class NotMasked extends TypeError {}

/** What a mask left in the place of a text, and where. */
interface Lost {
  field: string;
  kind: string;
}

const isHolder = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !ArrayBuffer.isView(value);

/** The first text of a value in whose place a mask left none. A field that may be empty may become so. */
function textLost(was: unknown, is: unknown, field = ""): Lost | undefined {
  if (typeof was === "string") {
    const mayBe = typeof is === "string" || (is === null && !field.endsWith("]"));
    return mayBe ? undefined : { field, kind: kindOf(is) };
  }
  if (!isHolder(was) || !isHolder(is)) return undefined;
  const left = is as Record<string, unknown>;
  for (const [key, inner] of Object.entries(was)) {
    // Of a list, a mask may leave less.
    if (Array.isArray(was) && !(key in is)) continue;
    const lost = textLost(inner, left[key], Array.isArray(was) ? `${field}[${key}]` : inside(field, key));
    if (lost !== undefined) return lost;
  }
  return undefined;
}

const inside = (field: string, key: string): string => (field === "" ? key : `${field}.${key}`);

/**
 * What a mask returned for an event.
 *
 * @throws TypeError where that is no event of the same type, or has something else in the place of a text
 */
export function maskedEvent(event: AtlasEvent, returned: unknown): AtlasEvent {
  if (returned === event) return event;
  const { type } = event;
  const isEvent =
    typeof returned === "object" && returned !== null && (returned as { type?: unknown }).type === type;
  if (!isEvent)
    throw new NotMasked(`the mask returned ${kindOf(returned)}, and an event of the type ${type} is wanted`);
  const left = returned as AtlasEvent;
  if (typeof left.meta !== "object" || left.meta === null)
    throw new NotMasked(`the mask returned an event of the type ${type} without \`meta\``);
  const lost = textLost(event, left);
  if (lost !== undefined)
    throw new NotMasked(`the mask returned ${lost.kind} in \`${lost.field}\`, and a text is wanted`);
  const problem =
    left.type === "SessionStarted" &&
    event.type === "SessionStarted" &&
    left.learning_key !== event.learning_key
      ? learningKeyProblem(left.learning_key)
      : undefined;
  if (problem !== undefined) throw new NotMasked(`the learning key that the mask returned ${problem}`);
  return left;
}

/**
 * The one step from an event to a masked one. Without a mask nothing is taken out.
 *
 * @returns a function that throws AtlasError ATLAS_MASK_FAILED; nothing of the event may be used then
 */
export function maskingBy(mask?: Mask): Masking {
  if (mask === undefined) return alreadyMasked;
  return <E extends AtlasEvent>(event: E): Masked<E> => {
    try {
      return alreadyMasked(maskedEvent(event, mask(event)) as E);
    } catch (error) {
      if (error instanceof NotMasked) throw failed(event, error.message);
      // Not what it threw: that may quote the very text which was to be taken out.
      const kind = error instanceof Error ? error.name : typeof error;
      throw failed(event, `the mask function threw (${kind})`);
    }
  };
}
