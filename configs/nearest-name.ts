/** How many letters have to be added, dropped, replaced or swapped with their neighbour to make one text the other. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2]! + 1 : replaced;
      row.push(Math.min(last[j]! + 1, row[j - 1]! + 1, replaced, swapped));
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}

/**
 * The name that someone probably meant; undefined where none is close.
 *
 * @example
 * nearestName("broker", ["brokers", "database_url"]); // "brokers"
 */
export function nearestName(wrong: string, names: readonly string[]): string | undefined {
  const close = names
    .map((name) => ({ name, far: distance(wrong.toLowerCase(), name) }))
    .filter(({ name, far }) => far <= Math.max(2, Math.floor(name.length / 3)) && far < name.length)
    .sort((a, b) => a.far - b.far);
  return close[0]?.name;
}
