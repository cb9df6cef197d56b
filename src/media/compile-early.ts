/**
 * When V8 compiles for good. It counts calls, 3000 of them, and what runs once for each packet of one call is a minute
 * away from that: until then two thirds more instructions are spent on it.
 */
import { setFlagsFromString } from 'node:v8'

/** Calls after which a function is compiled for good, and how long its types must have been the same. */
const FLAGS = ['--invocation-count-for-turbofan=300', '--minimum-invocations-after-ic-update=100']
/** Major version whose flags these are; another one might complain on the terminal. */
const V8 = '14.'

/** For all threads of this process: V8 reads these two numbers each time it decides. */
export function compileEarly(): void {
  if (process.versions.v8.startsWith(V8)) for (const flag of FLAGS) setFlagsFromString(flag)
}
