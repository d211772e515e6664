import { setFlagsFromString } from "node:v8";

/**
 * Has V8 compile WebAssembly once, quickly, and not a second time for speed: for commands that end before that pays. The
 * second time takes longer than all else that they do, and three times the memory.
 */
export function compileOnce(): void {
  for (const flag of ["--no-wasm-tier-up", "--no-wasm-dynamic-tiering"]) setFlagsFromString(flag);
}
