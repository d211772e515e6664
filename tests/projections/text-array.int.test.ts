import { describe, expect, it } from "vitest";
import { textArray } from "../../projections/text-array.ts";
import { DATABASES } from "./databases.ts";

const TEXTS = ["", null, 'a "quoted" \\ word', "{a,b}", "NULL", "naïve 🦉 漢字", "line\nbreak", null];

describe.each(DATABASES)("arrays that are sent as bytes to $name", ({ skip, open }) => {
  it.skipIf(skip)("arrive as they were", async () => {
    const db = await open();
    const arrived = async (type: string, cells: readonly (string | null)[]): Promise<unknown[]> => {
      const { rows } = await db.query<{ cell: unknown }>(`select unnest($1::${type}[]) as cell`, [
        textArray(type, cells),
      ]);
      return rows.map(({ cell }) => cell);
    };
    expect(await arrived("text", TEXTS)).toEqual(TEXTS);
    const jsons = TEXTS.map((text) => (text === null ? null : JSON.stringify({ text })));
    expect(await arrived("jsonb", jsons)).toEqual(TEXTS.map((text) => (text === null ? null : { text })));
    expect(await arrived("text", [])).toEqual([]);
    await db.close();
  });
});
