/** The end of a program whose thread hangs. */

const PATIENCE_MS = 3000

/** Node waits for its threads, and one that sits in a call of the system does not end: then the process does without. */
export function endAnyway(): void {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), PATIENCE_MS).unref()
}
