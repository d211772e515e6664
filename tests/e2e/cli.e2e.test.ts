import { afterAll, beforeAll, describe } from "vitest";
import { configuring } from "./configuring.ts";
import { firstHour } from "./first-hour.ts";
import { type Installed, install } from "./installed.ts";
import { quickstarting } from "./quickstarting.ts";
import { sharing } from "./sharing.ts";
import { typing } from "./typing.ts";

// One installation serves them all.
let installed: Installed;
beforeAll(async () => {
  installed = await install();
});
afterAll(() => installed?.remove());

const it = (): Installed => installed;

describe("the installed package", () => {
  describe("usage and configuration", () => configuring(it));
  describe("atlas quickstart", () => quickstarting(it));
  describe("a first hour", () => firstHour(it));
  describe("several processes, and signals", () => sharing(it));
  describe("types", () => typing(it));
});
