import { describe, expect, it } from "vitest";
import { arrayBytes, type ByteType } from "../../database/array-bytes.ts";
import { DATABASES } from "../projections/databases.ts";

const TEXTS = ["", null, 'a "quoted" \\ word', "{a,b}", "NULL", "naïve 🦉 漢字", "line\nbreak", null];

describe.each(DATABASES)("arrays that are sent as bytes to $name", ({ skip, open }) => {
  it.skipIf(skip)("arrive as they were", async () => {
    const db = await open();
    const arrived = async (
      type: ByteType,
      cells: readonly (string | Uint8Array | null)[],
    ): Promise<unknown[]> => {
      const { rows } = await db.query<{ cell: unknown }>(`select unnest($1::${type}[]) as cell`, [
        arrayBytes(type, cells),
      ]);
      return rows.map(({ cell }) => cell);
    };
    expect(await arrived("text", TEXTS)).toEqual(TEXTS);
    const jsons = TEXTS.map((text) => (text === null ? null : JSON.stringify({ text })));
    expect(await arrived("jsonb", jsons)).toEqual(TEXTS.map((text) => (text === null ? null : { text })));
    expect(await arrived("text", [])).toEqual([]);
    const bytes = [Buffer.from([0, 255, 92, 34]), null, Buffer.alloc(0), Buffer.alloc(100_000, 7)];
    expect(await arrived("bytea", bytes)).toEqual(bytes);
    await db.close();
  });
});
