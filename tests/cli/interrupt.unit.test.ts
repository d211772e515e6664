import { expect, onTestFinished, test, vi } from "vitest";

test("an interrupted command that does not end is ended, with a line that says so", async () => {
  // The signal is the process's: this test wants one that nobody has asked for yet.
  vi.resetModules();
  const { EXIT, interruptSignal } = await import("../../cli/program.ts");
  vi.useFakeTimers();
  const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
  const told: string[] = [];
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => told.push(String(text)) > 0);
  const before = new Set(process.listeners("SIGINT"));
  onTestFinished(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    for (const name of ["SIGINT", "SIGTERM"] as const)
      for (const listener of process.listeners(name)) if (listener === interrupt) process.off(name, listener);
  });
  const signal = interruptSignal();
  const interrupt = process.listeners("SIGINT").find((listener) => !before.has(listener))!;
  interrupt("SIGINT");
  expect(signal.aborted).toBe(true);
  expect(exit).not.toHaveBeenCalled();
  vi.advanceTimersByTime(60_000);
  stderr.mockRestore();
  expect(exit).toHaveBeenCalledWith(EXIT.interrupted);
  expect(told.join("")).toMatch(/^The command did not end within 20 s.*wait in the spool\.\n$/);
});
