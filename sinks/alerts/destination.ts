/** Who is told, about what, and how. */
export interface Destination {
  name: string;
  type: "webhook" | "slack";
  url: string;
  /** Key that requests are signed with; unsigned without one. */
  secret?: string | undefined;
  on: readonly ("drift" | "reward")[];
  directions: readonly ("decline" | "improvement")[];
  rewardBelow?: number | undefined;
  rewardAbove?: number | undefined;
  /** All of them unless told. */
  learningKeys?: readonly string[] | undefined;
  /** What happened longer than this before it reached the log is no news; hours. */
  maxAgeHours: number;
  /** Lets the URL be http and lead to addresses that are not public. */
  allowPrivate: boolean;
  timeoutSeconds: number;
  maxAttempts: number;
}
