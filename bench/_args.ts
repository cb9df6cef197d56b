/** `--name value` of a bench's command line. */
export function option(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(`--${name}`)
  return at < 0 ? undefined : args[at + 1]
}
export const numberOption = (args: readonly string[], name: string, otherwise: number): number => Number(option(args, name) ?? otherwise)
export const listOption = (args: readonly string[], name: string, otherwise: readonly number[]): readonly number[] =>
  option(args, name)?.split(',').map(Number) ?? otherwise

export const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))
export const round = (x: number, digits = 1): number => Math.round(x * 10 ** digits) / 10 ** digits
/** Nearest rank. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}
