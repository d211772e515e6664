/** What a file is by its first bytes, where it is no text of ours. */
export type Encoding = "text" | "gzip" | "zstd" | "utf-16le" | "utf-16be" | "zip";

/** Files that are told by name, with what to do. */
const NAMED: readonly (readonly [magic: string, reason: string])[] = [
  ["50415231", "it is a Parquet file; write its rows as JSON lines first"],
  ["425a68", "it is compressed with bzip2; unpack it first"],
  ["377abcaf271c", "it is a 7-Zip archive; unpack it first"],
  ["04224d18", "it is compressed with LZ4; unpack it first"],
  ["fd377a585a00", "it is compressed with xz; unpack it first"],
  ["53514c69746520666f726d61742033", "it is an SQLite database; write its rows as JSON lines first"],
  ["4152524f5731", "it is an Arrow file; write its rows as JSON lines first"],
  ["25504446", "it is a PDF"],
  ["fffe0000", "it is encoded in UTF-32; write it as UTF-8 first"],
  ["0000feff", "it is encoded in UTF-32; write it as UTF-8 first"],
];

/** How many first bytes {@link encodingOf} wants to see. */
export const HEAD_BYTES = 16;

/**
 * Tells how a file is encoded, by its first bytes.
 *
 * @returns the encoding, or as a reason what it is instead
 */
export function encodingOf(head: Buffer): { encoding: Encoding } | { reason: string } {
  const hex = head.toString("hex");
  const named = NAMED.find(([magic]) => hex.startsWith(magic));
  if (named !== undefined) return { reason: named[1] };
  if (hex.startsWith("1f8b")) return { encoding: "gzip" };
  if (hex.startsWith("28b52ffd")) return { encoding: "zstd" };
  // A file in it, its end where there is none, or the mark of one that was split.
  if (/^504b(0304|0506|0708)/.test(hex)) return { encoding: "zip" };
  if (hex.startsWith("fffe")) return { encoding: "utf-16le" };
  if (hex.startsWith("feff")) return { encoding: "utf-16be" };
  // A text in UTF-16 without its mark: JSON begins with an ASCII character, and has no zeros.
  if (/^(09|0a|0d|[2-7].)00/.test(hex)) return { encoding: "utf-16le" };
  if (/^00(09|0a|0d|[2-7].)/.test(hex)) return { encoding: "utf-16be" };
  return { encoding: "text" };
}
