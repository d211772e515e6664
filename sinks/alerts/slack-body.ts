import type { Alert } from "./alert.ts";
import { alertWords } from "./alert-words.ts";

/** Most characters of a field and of a section: Slack takes 2,000 and 3,000, and each may become five. */
const FIELD_CHARACTERS = 300;
const SECTION_CHARACTERS = 500;

/** A character that nobody sees, and that keeps a word from being taken for a mention or a link. */
const BREAK = "\u200b";

const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g;

/**
 * Text from models and users for Slack: it can mention nobody, link nowhere and format nothing.
 *
 * @example
 * slackText("<!channel> see https://evil.example"); // shows as it is written, and does nothing
 */
export function slackText(text: string, most = FIELD_CHARACTERS): string {
  const flat = text.replace(CONTROL, " ");
  const characters = Array.from(flat);
  const cut = characters.length <= most ? flat : `${characters.slice(0, most - 1).join("")}…`;
  return cut
    .replace(/[@#*_~`]/g, (mark) => `${mark}${BREAK}`)
    .replace(/:(?=\/\/)/g, `:${BREAK}`)
    .replace(/\.(?=\p{L})/gu, `.${BREAK}`)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

const field = (title: string, value: string) => ({
  type: "mrkdwn",
  text: `*${title}*\n${value}`,
  // Slack turns nothing in it into a link or a mention by itself.
  verbatim: true,
});

const number = (value: number): string => String(Number(value.toPrecision(3)));

function fieldsOf(alert: Alert) {
  const session = alert.session_id === null ? [] : [field("Session", slackText(alert.session_id))];
  if (alert.kind === "event") return [field("Key", slackText(alert.event.key)), ...session];
  const key = field("Learning key", slackText(alert.learning_key ?? ""));
  if (alert.kind === "reward") {
    const { score, crossed, threshold, agent } = alert.reward;
    const reward = field("Reward", `${number(score)}, ${crossed} ${number(threshold)}`);
    return [key, reward, field("Agent", slackText(agent)), ...session];
  }
  const { direction, metric, score } = alert.drift;
  const what = field("Drift", slackText(`${direction ?? "alert"} in ${metric ?? "an unnamed metric"}`));
  return [key, what, ...(score === null ? [] : [field("Reward", number(score))]), ...session];
}

const TITLES = { decline: "Drift: decline", improvement: "Drift: improvement" } as const;

function titleOf(alert: Alert): string {
  if (alert.kind === "reward") return `Reward ${alert.reward.crossed} its threshold`;
  if (alert.kind === "event") return alert.event.type;
  return TITLES[alert.drift.direction as keyof typeof TITLES] ?? "Drift";
}

/** An alert as a Slack incoming webhook takes it. */
export function slackBody(alert: Alert): string {
  const words = slackText(alertWords(alert), SECTION_CHARACTERS);
  return JSON.stringify({
    text: words,
    link_names: false,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: "header", text: { type: "plain_text", text: titleOf(alert), emoji: false } },
      { type: "section", text: { type: "mrkdwn", text: words, verbatim: true } },
      { type: "section", fields: fieldsOf(alert) },
      {
        type: "context",
        elements: [{ type: "mrkdwn", text: slackText(alert.idempotency_key), verbatim: true }],
      },
    ],
  });
}
