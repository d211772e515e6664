/** Says on a terminal what takes long; silent in pipes and CI logs. */
export function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${line}\n`);
}
