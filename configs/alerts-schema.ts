import { z } from "zod";
import { block, httpUrl, text, variable } from "./schema-parts.ts";

const share = z.number().min(0).max(1);

const common = {
  name: text
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, {
      error: "must be lower-case letters, digits, - and _, at most 63 of them",
    })
    .describe("What deliveries are listed under; part of each alert's idempotency key."),
  url: httpUrl.optional().describe("Where alerts are posted; https, unless allow_private is set."),
  url_env: variable.optional().describe("Environment variable with the URL, where that is a secret."),
  on: z
    .array(z.enum(["drift", "reward", "event"]))
    .min(1, { error: "must name drift, reward or event, or several of them" })
    .default(["drift"])
    .describe("What raises an alert."),
  directions: z
    .array(z.enum(["decline", "improvement"]))
    .min(1, { error: "must name decline, improvement or both" })
    .default(["decline"])
    .describe("Which drift raises an alert."),
  reward_below: share.optional().describe("A reward below this raises an alert."),
  reward_above: share.optional().describe("A reward above this raises an alert."),
  events: z
    .array(text)
    .min(1, { error: "must name a type, such as acme.LoopFound" })
    .optional()
    .describe("Types of events of your own that raise an alert."),
  learning_keys: z
    .array(text)
    .min(1, { error: "must name a learning key, or be left out for all" })
    .optional()
    .describe("Only alerts of these learning keys."),
  max_age_hours: z
    .number()
    .positive()
    .max(8760)
    .default(168)
    .describe("What had happened longer before it reached the log is an import or a copy, and no news."),
  allow_private: z
    .boolean()
    .default(false)
    .describe("Lets the URL be http, and lead to private, loopback and link-local addresses."),
  timeout_seconds: z.number().positive().max(120).default(10).describe("For one attempt at a delivery."),
  max_attempts: z
    .int()
    .min(1)
    .max(100)
    .default(20)
    .describe("Attempts after which a delivery is listed as failed."),
};

const webhook = block({
  type: z.literal("webhook"),
  ...common,
  secret_env: variable
    .optional()
    .describe("Environment variable with the key that requests are signed with."),
});

const slack = block({ type: z.literal("slack"), ...common });

type Destination = z.output<typeof webhook> | z.output<typeof slack>;

const checked = z
  .discriminatedUnion("type", [webhook, slack], { error: "must be webhook or slack" })
  .superRefine((destination: Destination, context) => {
    const problem = (path: string, message: string): void =>
      context.addIssue({ code: "custom", path: [path], message });
    const { url, urlEnv, on, rewardBelow, rewardAbove, events } = destination;
    if ((url === undefined) === (urlEnv === undefined))
      problem("url", "or url_env must be given, one of them");
    const thresholds = rewardBelow !== undefined || rewardAbove !== undefined;
    if (on.includes("reward") && !thresholds)
      problem("on", "names reward: say reward_below or reward_above too");
    if (thresholds && !on.includes("reward"))
      problem("on", "must name reward for reward_below and reward_above");
    if (on.includes("event") !== (events !== undefined))
      problem("on", "must name event where events are given, and nowhere else");
  });

/** Who is told about drift and rewards. */
export const alertsSchema = z.array(checked).superRefine((destinations, context) => {
  const seen = new Set<string>();
  destinations.forEach(({ name }, index) => {
    if (seen.has(name))
      context.addIssue({
        code: "custom",
        path: [index, "name"],
        message: "is the name of another destination",
      });
    seen.add(name);
  });
});
