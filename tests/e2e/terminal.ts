import { spawnSync } from "node:child_process";

/** Why a test that needs a terminal is skipped. */
export const NO_TERMINAL = "there is no program that makes a terminal";

/** Whether `script`, which makes terminals, is here, in the form that takes a command. */
export const hasTerminals = (): boolean => spawnSync("script", ["-qec", "true", "/dev/null"]).status === 0;

/** The arguments with which `script` runs a command on a terminal of its own. */
export const onTerminal = (command: string): string[] => ["-qec", command, "/dev/null"];
