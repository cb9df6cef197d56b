import type { Instant } from './brand.ts'

/**
 * A protocol core without I/O: inputs and time in, outputs and the next wake-up out.
 * When `wakeAt` passes, the driver steps the machine with its `tick` input. Signalling rate only.
 */
export interface Machine<In, Out> {
  step(input: In, now: Instant): { readonly out: readonly Out[]; readonly wakeAt?: Instant }
}
