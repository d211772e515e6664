import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { PGliteOptions } from "@electric-sql/pglite";

/** A compiled WebAssembly module. */
export type WasmModule = NonNullable<PGliteOptions["pgliteWasmModule"]>;

declare const WebAssembly: { compile(bytes: Uint8Array): Promise<WasmModule> };

let compiling: Promise<WasmModule> | undefined;

/**
 * PGlite, compiled once for all threads of this process, and kept. A thread that compiles its own frees the code when
 * it ends, and V8 has been seen to abort the process over that (`jit_page_->allocations_.erase`).
 */
export function pgliteModule(): Promise<WasmModule> {
  const entry = createRequire(import.meta.url).resolve("@electric-sql/pglite");
  compiling ??= readFile(join(dirname(entry), "pglite.wasm")).then((bytes) => WebAssembly.compile(bytes));
  return compiling;
}
