/** A batch holds at most one event of 900 KiB or 500 events of 512 KiB together, with their headers. */
const MESSAGE_BYTES = 2 * 1024 * 1024;

/** A setting of a topic that the log relies on. */
export interface TopicSetting {
  name: string;
  value: string;
  /** In words; the value unless told. */
  wanted?: string;
  fits: (found: string) => boolean;
}

const exactly = (name: string, value: string): TopicSetting => ({
  name,
  value,
  fits: (found) => found === value,
});

/** What keeps every record for ever, tells append times, and takes the largest batch. */
export const SETTINGS: readonly TopicSetting[] = [
  exactly("retention.ms", "-1"),
  exactly("retention.bytes", "-1"),
  exactly("cleanup.policy", "delete"),
  exactly("message.timestamp.type", "LogAppendTime"),
  {
    name: "max.message.bytes",
    value: String(MESSAGE_BYTES),
    wanted: `${MESSAGE_BYTES} or more`,
    fits: (found) => Number(found) >= MESSAGE_BYTES,
  },
  {
    name: "compression.type",
    value: "producer",
    wanted: "producer, uncompressed or gzip",
    fits: (found) => ["producer", "uncompressed", "gzip"].includes(found),
  },
];
