/** An event with its place in a tree: whoever edits a message begins another branch. */
export interface TreeNode {
  id: string | undefined;
  /** The event that it follows; undefined where it names none. */
  parent: string | undefined;
  /** Whether it begins a branch of its own where it names no event that is there. */
  isRoot: boolean;
}

/**
 * The events that lead to one of them, in their order. An event whose parent is not there follows the one before it.
 *
 * @param nodes in the order in which they were written
 * @param leaf the index of the last event of the path
 * @returns indices
 */
export function pathTo(nodes: readonly TreeNode[], leaf: number): Set<number> {
  const placeOf = new Map<string, number>();
  for (const [index, { id }] of nodes.entries())
    if (id !== undefined && !placeOf.has(id)) placeOf.set(id, index);
  const path = new Set<number>();
  let at: number | undefined = leaf;
  while (at !== undefined && !path.has(at)) {
    path.add(at);
    const { parent, isRoot }: TreeNode = nodes[at]!;
    const found: number | undefined = parent === undefined ? undefined : placeOf.get(parent);
    // A parent that was written later is no history.
    if (found !== undefined && found < at) at = found;
    else at = isRoot || at === 0 ? undefined : at - 1;
  }
  return path;
}

/** Whether events of a log name others of it: without that, they follow one another. */
export function isTree(nodes: readonly TreeNode[]): boolean {
  const ids = new Set(nodes.map(({ id }) => id));
  return nodes.some(({ parent }) => parent !== undefined && ids.has(parent));
}
