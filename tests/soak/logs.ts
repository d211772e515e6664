import { kafka, missing, postgres } from "../services/services.ts";
import type { RoundPlace } from "./kill-rounds.ts";
import { embeddedPlace, kafkaPlace, postgresPlace } from "./places.ts";

const database = async (): Promise<string> => (await postgres()).url;

/** Each kind of log that processes share through a server, in an empty database and under topics of its own. */
export const SERVER_LOGS = [
  { name: "postgres", skip: await missing("postgres"), make: postgresPlace(database) },
  {
    name: "kafka",
    skip: await missing("kafka", "postgres"),
    make: async (): Promise<RoundPlace> => kafkaPlace(await kafka(), database)(),
  },
];

/** Each kind of log. */
export const LOGS = [{ name: "embedded", skip: false, make: embeddedPlace }, ...SERVER_LOGS];
