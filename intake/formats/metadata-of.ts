/**
 * The metadata of a conversation: what its row calls so, and under a name that is free there what else the row holds.
 *
 * @example
 * metadataOf({ split: "train" }, { seed: 7 }); // { split: "train", recorded: { seed: 7 } }
 */
export function metadataOf(
  own: Record<string, unknown> | undefined,
  rest: Record<string, unknown> | undefined,
): Record<string, unknown> | undefined {
  if (rest === undefined) return own;
  let name = "recorded";
  while (own !== undefined && Object.hasOwn(own, name)) name += "_";
  return { ...own, [name]: rest };
}
