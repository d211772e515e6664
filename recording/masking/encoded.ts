import { runsOf } from "./runs.ts";
import { type Finder, merged, type Span } from "./spans.ts";

/** How a character may be written so that no pattern sees it, and what stands in words without being seen. */
const DISGUISED =
  /%(?:25)*[2-7][0-9A-Fa-f]|\\u00[2-7][0-9A-Fa-f]|\\x[2-7][0-9A-Fa-f]|&#(?:x[2-7][0-9A-Fa-f]|\d{2,3});|&(?:amp|quot|apos|lt|gt);|[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]|[\uff01-\uff5e]/g;

/** What nearly all texts have none of: found faster than what is looked for. */
const PERHAPS = /[%&\\\u00ad\u200b-\u200f\u2060-\u2064\ufeff\uff01-\uff5e]/;

const NAMED: Record<string, string> = {
  "&amp;": "&",
  "&quot;": '"',
  "&apos;": "'",
  "&lt;": "<",
  "&gt;": ">",
};

/** What a disguised character is; nothing where it is one that is not seen. */
function plainOf(written: string): string {
  const code = written.charCodeAt(0);
  if (code >= 0xff01 && code <= 0xff5e) return String.fromCharCode(code - 0xfee0);
  if (written.length === 1) return "";
  if (written.startsWith("&#")) {
    const digits = written.slice(2, -1);
    const point = digits.startsWith("x") ? Number.parseInt(digits.slice(1), 16) : Number(digits);
    return point < 0x80 ? String.fromCharCode(point) : written;
  }
  return NAMED[written] ?? String.fromCharCode(Number.parseInt(written.slice(-2), 16));
}

/** A text as it reads once what is disguised in it is plain, and where each of its characters stood. */
interface Plain {
  text: string;
  /** Where each piece begins in the plain text, and where in the one that was written. */
  pieces: { at: number; from: number; disguised: boolean }[];
}

function plain(text: string): Plain | undefined {
  if (!PERHAPS.test(text) || text.search(DISGUISED) === -1) return undefined;
  const pieces: Plain["pieces"] = [];
  let read = "";
  let from = 0;
  for (const { 0: written, index } of text.matchAll(DISGUISED)) {
    pieces.push({ at: read.length, from, disguised: false });
    read += text.slice(from, index);
    pieces.push({ at: read.length, from: index, disguised: true });
    read += plainOf(written);
    from = index + written.length;
  }
  pieces.push({ at: read.length, from, disguised: false });
  return { text: read + text.slice(from), pieces };
}

/** Finds as well what is percent-encoded (once or more), escaped, in full-width letters, or parted by characters that nobody sees. */
export const alsoDisguised =
  (finder: Finder): Finder =>
  (text) => {
    const spans = finder(text);
    const read = plain(text);
    if (read === undefined) return spans;
    const { pieces } = read;
    let piece = 0;
    const written = (at: number, isEnd: boolean): number => {
      const reaches = (next: number): boolean => {
        const begin = pieces[next]?.at;
        return begin !== undefined && (isEnd ? begin < at : begin <= at);
      };
      while (reaches(piece + 1)) piece += 1;
      const { at: begin, from, disguised } = pieces[piece]!;
      if (!disguised) return from + at - begin;
      return isEnd ? pieces[piece + 1]!.from : from;
    };
    for (const { start, end } of merged(finder(read.text)))
      spans.push({ start: written(start, false), end: written(end, true) });
    return spans;
  };

const BASE64_RUNS = runsOf(/[A-Za-z0-9+/_-]/, 22);
/** Base64 of a text that begins with ASCII: of four characters each the first says so. */
const BEGINS_TEXT = /(?:[A-Za-f]...){4}/y;
const PRINTABLE = /^[^\u0000-\u0008\u000e-\u001f\u007f\ufffd]*$/;
/** Base64 in base64 is looked into so deep. */
const MOST_DEPTH = 2;

/** Finds whole base64 texts in which there is something to take out. */
export function alsoEncoded(finder: Finder, depth = MOST_DEPTH): Finder {
  const inner = depth === 0 ? undefined : (text: string): Span[] => alsoEncoded(finder, depth - 1)(text);
  return (text) => {
    const spans = finder(text);
    if (inner === undefined) return spans;
    for (const { start, end } of BASE64_RUNS(text)) {
      BEGINS_TEXT.lastIndex = start;
      if (!BEGINS_TEXT.test(text)) continue;
      const beginning = Buffer.from(text.slice(start, start + 32), "base64").toString();
      if (!PRINTABLE.test(beginning.slice(0, -1))) continue;
      if (inner(Buffer.from(text.slice(start, end), "base64").toString()).length === 0) continue;
      const padding = /^={0,2}/.exec(text.slice(end, end + 2))?.[0].length ?? 0;
      spans.push({ start, end: end + padding });
    }
    return spans;
  };
}
