/** Dates of certificates (RFC 5280 §4.1.2.5), without a clock. */
import type { UnixTime } from '../../base/brand.ts'
import { unixTime } from '../../base/brand.ts'
import type { DerReader } from './der.ts'
import { TAG } from './der.ts'

const DAY_S = 86400

/** Days since 1970-01-01 of a date in the proleptic Gregorian calendar. */
function daysFromCivil(year: number, month: number, day: number): number {
  // Years from March on: the leap day is the last of its year.
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  return era * 146097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719468
}

export interface CivilTime {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/** The date and time of day, UTC. */
export function civilTime(t: UnixTime): CivilTime {
  const days = Math.floor(t / DAY_S)
  const shifted = days + 719468
  const era = Math.floor(shifted / 146097)
  const dayOfEra = shifted - era * 146097
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  const rest = Math.floor(t) - days * DAY_S
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
    hour: Math.floor(rest / 3600), minute: Math.floor(rest / 60) % 60, second: rest % 60,
  }
}

const two = (n: number): string => String(n).padStart(2, '0')

/** For people: `2026-11-21 22:10:05 UTC`. */
export function formatTime(t: UnixTime): string {
  const c = civilTime(t)
  return `${String(c.year).padStart(4, '0')}-${two(c.month)}-${two(c.day)} ${two(c.hour)}:${two(c.minute)}:${two(c.second)} UTC`
}

/** Undefined for a date that does not exist. */
export function timeOf(c: CivilTime): UnixTime | undefined {
  if (c.month < 1 || c.month > 12 || c.day < 1 || c.hour > 23 || c.minute > 59 || c.second > 59) return undefined
  const days = daysFromCivil(c.year, c.month, c.day)
  const next = c.month === 12 ? daysFromCivil(c.year + 1, 1, 1) : daysFromCivil(c.year, c.month + 1, 1)
  return days < next ? unixTime(days * DAY_S + c.hour * 3600 + c.minute * 60 + c.second) : undefined
}

/** Time ::= UTCTime | GeneralizedTime, both in seconds and in Z (RFC 5280 §4.1.2.5.1, §4.1.2.5.2). */
export function readTime(r: DerReader): UnixTime {
  const utc = r.next(TAG.utcTime)
  const text = String.fromCharCode(...r.element(utc ? TAG.utcTime : TAG.generalizedTime).body.subarray(0, 20))
  const digits = (utc ? /^(\d{2})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/).exec(text)
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (digits?.slice(1) ?? []).map(Number)
  const t = digits === null ? undefined : timeOf({ year: utc ? year + (year >= 50 ? 1900 : 2000) : year, month, day, hour, minute, second })
  if (t === undefined) r.fail('bad date')
  return t ?? unixTime(0)
}
