/** Where a worker's entry stands beside the module that starts it: `.ts` in a checkout, `.js` when compiled. */
export const workerUrl = (name: string, beside: string): URL => new URL(`./${name}${beside.endsWith('.ts') ? '.ts' : '.js'}`, beside)
