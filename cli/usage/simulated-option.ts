import { Option } from "commander";

/** The option of listings that tells simulated sessions from the others. */
export const simulatedOption = (when = ""): Option =>
  new Option("--simulated <truth>", `${when}simulated sessions only, or only the others`).choices([
    "true",
    "false",
  ]);
