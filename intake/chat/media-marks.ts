import type { ChatMessage, ContentPart } from "./message.ts";

/** The marks that stand in a text for a medium, and the list of a row that holds the media. */
const MARKS = {
  "<image>": { list: "images", type: "image_url" },
  "<video>": { list: "videos", type: "video_url" },
  "<audio>": { list: "audios", type: "audio_url" },
} as const;
type Mark = keyof typeof MARKS;

const ANY_MARK = /(<image>|<video>|<audio>)/;

/** The media of a row, by the mark that stands for them. */
export type Media = Partial<Record<Mark, readonly string[]>>;

/** Names of the fields that a row keeps media in. */
export const MEDIA_LISTS: readonly [mark: Mark, list: string][] = (Object.keys(MARKS) as Mark[]).map(
  (mark) => [mark, MARKS[mark].list],
);

const splitText = (message: ChatMessage): string[] =>
  typeof message.content === "string" ? message.content.split(ANY_MARK).filter((text) => text !== "") : [];

const isMark = (text: string): text is Mark => Object.hasOwn(MARKS, text);

/**
 * Puts the media of a row in the places that its texts mark for them.
 *
 * @returns undefined where marks and media are not as many: then nobody knows which belongs where
 * @example
 * withMedia([{ role: "user", content: "<image>Who?" }], { "<image>": ["a.jpg"] });
 */
export function withMedia(messages: readonly ChatMessage[], media: Media): ChatMessage[] | undefined {
  const wanted = (mark: Mark): number => messages.flatMap(splitText).filter((text) => text === mark).length;
  const given = Object.entries(media) as [Mark, readonly string[]][];
  if (given.some(([mark, list]) => wanted(mark) !== list.length)) return undefined;
  const next = new Map(given.map(([mark, list]) => [mark, list.values()]));
  return messages.map((message) => {
    const texts = splitText(message);
    if (!texts.some((text) => isMark(text) && next.has(text))) return message;
    const content = texts.map((text): ContentPart => {
      const address = isMark(text) ? next.get(text)?.next().value : undefined;
      if (address === undefined) return { type: "text", text };
      const { type } = MARKS[text as Mark];
      return { type, [type]: { url: address } };
    });
    return { ...message, content };
  });
}
