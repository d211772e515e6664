import { randomUUID } from "node:crypto";
import { inspect } from "node:util";

/** How text of ours looks. */
export type Style = "bold" | "dim" | "green" | "yellow" | "red" | "cyan";

/** Nobody else's text can begin a style: it would have to know this. */
const SECRET = randomUUID();
const MARK = new RegExp(`\\ufdd0${SECRET}:(\\d+)\\ufdd1`, "g");
const mark = (code: number): string => `\ufdd0${SECRET}:${code}\ufdd1`;

/**
 * Styles text. What it returns is for {@link rendered} alone, which turns the marks in it into what the terminal
 * understands, or takes them out.
 */
export function style(look: Style, text: string): string {
  const [on, off] = inspect.colors[look]!;
  return `${mark(on)}${text}${mark(off)}`;
}

/** Styled text as it is without its styles. */
export const unstyled = (text: string): string => text.replace(MARK, "");

const ESCAPES = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Text of models, tasks and files without power over a terminal: control characters and what turns the direction of text
 * are shown, not obeyed. In JSON they are escaped as JSON has it, so its value stays.
 */
export const harmless = (text: string): string =>
  text.replace(ESCAPES, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Where text goes. */
export interface Surface {
  /** Whether people read it, at a terminal or in a log; a program that reads a pipe gets every byte. */
  people: boolean;
  /** Whether it shows colours. */
  colours: boolean;
}

/** Text as it is written: of escape sequences only our own styles are left. */
export function rendered(text: string, { people, colours }: Surface): string {
  const safe = people ? harmless(text) : text;
  return colours ? safe.replace(MARK, (_, code: string) => `\u001b[${code}m`) : unstyled(safe);
}
