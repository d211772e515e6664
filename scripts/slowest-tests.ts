// Prints the ten slowest test files of a JSON report of vitest, with their seconds.
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";

interface Report {
  testResults: { name: string; startTime: number; endTime: number }[];
}

const root = join(import.meta.dirname, "..");
const [file] = process.argv.slice(2);
const { testResults } = JSON.parse(readFileSync(file!, "utf8")) as Report;
const slowest = testResults
  .map(({ name, startTime, endTime }) => ({ name, seconds: (endTime - startTime) / 1000 }))
  .sort((a, b) => b.seconds - a.seconds)
  .slice(0, 10);
for (const { name, seconds } of slowest)
  console.log(`${seconds.toFixed(1).padStart(7)}  ${relative(root, name)}`);
