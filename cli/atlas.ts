#!/usr/bin/env node
import { start } from "./start.ts";

await start(() => import("./atlas-program.ts"));
