/** Every code that an entry of the logger can carry, with what it means. Codes are stable; messages are not. */
export const LOG_CODES = {
  ATLAS_ALERT_DELIVERED: "A destination took an alert.",
  ATLAS_ALERT_FAILED: "An alert was given up after its last try; `atlas alerts list` has it.",
  ATLAS_ALERT_RETRIED: "A destination did not take an alert, which is sent again later.",
  ATLAS_ALERTS_WAIT: "Alerts that are due cannot be looked up.",
  ATLAS_CONFIG_IGNORED: "Something in the configuration has no effect.",
  ATLAS_CONSUMER_RESUMED: "A consumer that had waited goes on.",
  ATLAS_CONSUMER_STOPPED: "A consumer stopped and does not start again by itself.",
  ATLAS_CONSUMER_WAITS: "A consumer cannot go on, and tries again until it can.",
  ATLAS_EVENTS_LOST: "Events reached neither the log nor the spool.",
  ATLAS_HISTORY: "Lanes are chosen without the history of earlier sessions.",
  ATLAS_IMPORT_UNORDERED:
    "An import goes on without the consumers; drift may see its sessions in another order.",
  ATLAS_JUDGING_GIVEN_UP: "A session's judges did not answer, and are asked no more.",
  ATLAS_JUDGING_POSTPONED: "A session's judges did not answer, and are asked again later.",
  ATLAS_JUDGING_WAITS: "Sessions wait for their judges.",
  ATLAS_LISTENER_FAILED: "An `onEvent` listener threw; recording goes on.",
  ATLAS_LOG_AWAY: "The log does not take events, which wait.",
  ATLAS_LOG_BACK: "The log takes events again.",
  ATLAS_LOGGER_FAILED: "The logger that was passed in threw; the work goes on.",
  ATLAS_REAPER_FAILED: "Sessions whose process died could not be ended.",
  ATLAS_RECORD_SET_ASIDE: "A consumer could not apply a record; `atlas dead-letters list` has it.",
  ATLAS_SCORE_FAILED: "A request to `/score` failed for a reason that is not in the request.",
  ATLAS_SESSION_ABANDONED: "A session passed its deadline without an end, and was ended.",
  ATLAS_SPOOL_DRAINED: "Events that an earlier process left in the spool are in the log.",
  ATLAS_SPOOL_FAILED: "The spool's file could not be closed or taken away.",
  ATLAS_SPOOLED: "Events of an earlier process stay in the spool.",
  ATLAS_TELEMETRY_FAILED: "Spans could not be sent. Only the first failure is told.",
  ATLAS_TRIAGE: "The configured triage adapter cannot be loaded; the default one describes tasks.",
  ATLAS_WORKER_FAILED: "The worker ended because of an error.",
  ATLAS_WORKER_STARTED: "The worker consumes, and answers at its address.",
  ATLAS_WORKER_STOPPING: "The worker was asked to end, and finishes the work under way.",
} as const;

/** What an entry of the logger is about. */
export type LogCode = keyof typeof LOG_CODES;
