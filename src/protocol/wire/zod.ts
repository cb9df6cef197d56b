/** zod as the channel uses it. Compiling schemas with `new Function` gains nothing here and is refused under a strict policy. */
import { z } from 'zod'

// Read when a schema is made: before any is.
z.config({ jitless: true })

export { z }
