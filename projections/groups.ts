/** When a group is full. A single item may be larger than that. */
export interface GroupLimits {
  items: number;
  size: number;
}

/** Cuts items into consecutive groups of limited number and size, each of one item at least. */
export function* groupsOf<Item>(
  items: readonly Item[],
  sizeOf: (item: Item) => number,
  limits: GroupLimits,
): Generator<Item[]> {
  let group: Item[] = [];
  let size = 0;
  for (const item of items) {
    const more = sizeOf(item);
    if (group.length > 0 && (group.length === limits.items || size + more > limits.size)) {
      yield group;
      group = [];
      size = 0;
    }
    group.push(item);
    size += more;
  }
  if (group.length > 0) yield group;
}

/** Joins consecutive batches to larger ones within limits; a single batch may be beyond them. */
export async function* joined<Item>(
  batches: AsyncIterable<readonly Item[]>,
  sizeOf: (item: Item) => number,
  limits: GroupLimits,
): AsyncGenerator<Item[]> {
  let group: Item[] = [];
  let size = 0;
  for await (const batch of batches) {
    const more = batch.reduce((sum, item) => sum + sizeOf(item), 0);
    if (group.length > 0 && (group.length + batch.length > limits.items || size + more > limits.size)) {
      yield group;
      group = [];
      size = 0;
    }
    for (const item of batch) group.push(item);
    size += more;
  }
  if (group.length > 0) yield group;
}
