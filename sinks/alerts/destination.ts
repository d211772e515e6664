/** What a destination is to be told about. */
export interface Interest {
  name: string;
  type: "webhook" | "slack";
  on: readonly ("drift" | "reward" | "event")[];
  directions: readonly ("decline" | "improvement")[];
  rewardBelow?: number | undefined;
  rewardAbove?: number | undefined;
  /** Types of events of users' own. */
  events?: readonly string[] | undefined;
  /** All of them unless told. */
  learningKeys?: readonly string[] | undefined;
  /** What happened longer than this before it reached the log is no news; hours. */
  maxAgeHours: number;
}

/** Who is told, about what, and how. */
export interface Destination extends Interest {
  url: string;
  /** Key that requests are signed with; unsigned without one. */
  secret?: string | undefined;
  /** Lets the URL be http and lead to addresses that are not public. */
  allowPrivate: boolean;
  timeoutSeconds: number;
  maxAttempts: number;
}
