/** What sessions can be grouped by. */
export const GROUPINGS = ["learning-key", "agent", "model", "tag", "lane"] as const;
/** One of {@link GROUPINGS}. */
export type Grouping = (typeof GROUPINGS)[number];
