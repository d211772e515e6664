const QUANTIFIER = /(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})\??/y;

/** Where a character class that begins at `start` has ended. */
function afterClass(source: string, start: number): number {
  let at = start + 1;
  while (at < source.length && source[at] !== "]") at += source[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** How often something may come: without a limit, and not always the same number of times. */
function repeats([written, least, comma, most]: RegExpExecArray): { endless: boolean; varies: boolean } {
  if (least === undefined) return { endless: !written!.startsWith("?"), varies: !written!.startsWith("?") };
  const endless = comma !== undefined && most === "";
  return { endless, varies: endless || (comma !== undefined && Number(most) > Math.max(1, Number(least))) };
}

/**
 * Says whether a regular expression repeats without limit what itself repeats a varying number of times, as `(a+)+`
 * does. The time that such an expression takes may double with each character of a text in which it finds nothing.
 *
 * @param source a regular expression that compiles, without slashes
 * @example
 * nestsRepeats("(\\w+\\s?)+"); // true
 * nestsRepeats("(\\w+\\s?){1,8}"); // false
 */
export function nestsRepeats(source: string): boolean {
  /** Of each group that is open, whether something in it varies. */
  const groups = [false];
  let varied = false;
  for (let at = 0; at < source.length; ) {
    const character = source[at];
    QUANTIFIER.lastIndex = at;
    const quantifier = QUANTIFIER.exec(source);
    if (quantifier !== null) {
      const { endless, varies } = repeats(quantifier);
      if (endless && varied) return true;
      if (varies) groups[groups.length - 1] = true;
      at = QUANTIFIER.lastIndex;
    } else if (character === "(") {
      groups.push(false);
      at += source[at + 1] === "?" ? 2 : 1;
    } else if (character === ")") {
      varied = groups.pop() ?? false;
      if (varied) groups[groups.length - 1] = true;
      at += 1;
    } else {
      varied = false;
      at = character === "[" ? afterClass(source, at) : at + (character === "\\" ? 2 : 1);
    }
  }
  return false;
}
