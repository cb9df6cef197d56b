/** Metrics and status of a running server. */
export { type Admin, type Page, startAdmin } from './http.ts'
export { adminMetrics, type Metrics, totals } from './metrics.ts'
