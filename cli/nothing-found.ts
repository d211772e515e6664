/** Flags that narrow a listing, as they are typed, with what they were given. */
export type Narrowing = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The flags that were given, as one would type them. */
const typed = (flags: Narrowing): string =>
  Object.entries(flags)
    .flatMap(([flag, value]) => (value === undefined ? [] : [[flag, ...[value].flat()].join(" ")]))
    .join(" ");

/**
 * What a listing says that has nothing to list: what keeps it empty.
 *
 * @param what is listed, as in "session" or "session with a reward"
 * @param without how many there are without the flags
 * @returns undefined where there are none without the flags either
 */
export function nothingMatches(what: string, flags: Narrowing, without: number): string | undefined {
  const given = typed(flags);
  if (without === 0 || given === "") return undefined;
  return `No ${what} matches ${given}; without ${given.includes(" --") ? "them" : "it"} there ${without === 1 ? "is 1" : `are ${without}`}.`;
}
