/** Characters of scripts that put nothing between words are words. */
const WORD =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]|[\p{L}\p{N}\p{M}_]+/gu;
const WORDS_A_SHINGLE = 5;

/** Signatures have so many bands of so many rows: of texts that are alike to 0.8, 998 of 1000 share a band. */
export const BANDS = 20;
const ROWS = 6;
const SEED = 0x5eed;

const mixed = (value: number): number => {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
};

function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < word.length; at += 1) hash = Math.imul(hash ^ word.charCodeAt(at), 0x01000193);
  return hash;
}

/** The distinct runs of five words of a text as numbers, in order; a shorter text is one run. */
export function shinglesOf(text: string): Uint32Array {
  const words = Array.from(text.toLowerCase().matchAll(WORD), ([word]) => hashOf(word));
  const shingles = new Set<number>();
  const runs = words.length === 0 ? 0 : Math.max(1, words.length - WORDS_A_SHINGLE + 1);
  for (let from = 0; from < runs; from += 1) {
    let hash = 0;
    for (const word of words.slice(from, from + WORDS_A_SHINGLE))
      hash = Math.imul((hash << 5) ^ (hash >>> 27) ^ word, 0x9e3779b1);
    shingles.add(mixed(hash));
  }
  return Uint32Array.from(shingles).sort();
}

/** Numbers that are the same in every run. */
const FACTORS = Uint32Array.from({ length: BANDS * ROWS * 2 }, (_, index) =>
  mixed(Math.imul(index + 1, 0x9e3779b1) ^ SEED),
);

/** One number for each band of the signature of a text: texts that are alike have one in common. */
export function bandsOf(shingles: Uint32Array): Uint32Array {
  const bands = new Uint32Array(BANDS);
  for (let band = 0; band < BANDS; band += 1) {
    let hash = band;
    for (let row = 0; row < ROWS; row += 1) {
      const at = (band * ROWS + row) * 2;
      const factor = FACTORS[at]! | 1;
      const more = FACTORS[at + 1]!;
      let least = 0xffffffff;
      for (let index = 0; index < shingles.length; index += 1) {
        const value = Math.imul(shingles[index]! ^ more, factor) >>> 0;
        if (value < least) least = value;
      }
      hash = Math.imul((hash << 7) ^ (hash >>> 25) ^ least, 0x9e3779b1);
    }
    bands[band] = mixed(hash);
  }
  return bands;
}

/** How much of two sets is in both, from 0 to 1. */
export function jaccard(a: Uint32Array, b: Uint32Array): number {
  let [i, j, both] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const [left, right] = [a[i]!, b[j]!];
    if (left === right) both += 1;
    if (left <= right) i += 1;
    if (right <= left) j += 1;
  }
  return both === 0 ? 0 : both / (a.length + b.length - both);
}
