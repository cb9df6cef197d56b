/** Reads a YAML configuration file against a schema; every complaint names the key and what is allowed. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'
import type { z } from 'zod'
import { err, ok, type Result } from '../base/result.ts'

const LARGEST = 1 << 20

export function readConfig<T>(file: string, schema: z.ZodType<T>): Result<T> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (e) {
    return err('CONFIG_UNREADABLE', `${file} (${(e as NodeJS.ErrnoException).code ?? 'unknown error'})`)
  }
  return text.length > LARGEST ? err('CONFIG_SYNTAX', `${file} is larger than 1 MiB`) : parseConfig(text, schema, file)
}

export function parseConfig<T>(text: string, schema: z.ZodType<T>, file: string): Result<T> {
  let data: unknown
  try {
    // Aliases can blow a small file up to gigabytes.
    data = parse(text, { maxAliasCount: 20 }) ?? {}
  } catch (e) {
    return err('CONFIG_SYNTAX', `${file}: ${e instanceof Error ? e.message.split('\n')[0] : String(e)}`)
  }
  const checked = schema.safeParse(data)
  if (checked.success) return ok(checked.data)
  const complaints = checked.error.issues.slice(0, 5).map((i) => `${i.path.length === 0 ? 'the file' : i.path.join('.')}: ${i.message}`)
  return err('CONFIG_WRONG', `${file}: ${complaints.join('; ')}`)
}

/** Paths in a configuration are relative to its own folder. */
export const besideConfig = (config: string, file: string): string => path.resolve(path.dirname(config), file)
