import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openAtlas } from "../../app/open-atlas.ts";
import { openPostgres } from "../../database/pg-database.ts";
import { missing, postgres } from "./services.ts";

const SCRIPT = join(import.meta.dirname, "../../docker/create-atlas-role.sh");
const hasClient = spawnSync("psql", ["--version"]).status === 0;

test.skipIf(!hasClient || (await missing("postgres")))(
  "the role that docker-compose makes is no superuser, and all that Atlas needs",
  async () => {
    const { url } = await postgres();
    const name = `atlas_${randomBytes(6).toString("hex")}`;
    const password = `it's "${randomBytes(6).toString("hex")}"`;
    const admin = new URL(url);
    const setUp = await openPostgres(url, { max: 1 });
    onTestFinished(async () => {
      await setUp.query(`drop database if exists ${name} with (force)`);
      await setUp.query(`drop role if exists ${name}`);
      await setUp.close();
    });
    // Roles belong to the whole server, which other tests share: this one gets another name.
    const script = readFileSync(SCRIPT, "utf8").replace(/\b(role|owner|database) atlas\b/g, `$1 ${name}`);
    execFileSync("sh", ["-c", script], {
      env: {
        PATH: process.env["PATH"],
        PGHOST: admin.hostname,
        PGPORT: admin.port,
        PGPASSWORD: decodeURIComponent(admin.password),
        POSTGRES_USER: decodeURIComponent(admin.username),
        ATLAS_POSTGRES_PASSWORD: password,
      },
    });

    const own = new URL(url);
    own.username = name;
    own.password = encodeURIComponent(password);
    own.pathname = `/${name}`;
    await using atlas = await openAtlas({ log: { kind: "postgres", databaseUrl: own.href } });
    await atlas.settled();
    const { rows } = await atlas.db.query(
      `select rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls as more
         from pg_roles where rolname = current_user`,
    );
    expect(rows).toEqual([{ more: false }]);
  },
);
