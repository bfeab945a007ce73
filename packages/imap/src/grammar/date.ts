/** Dates and times of RFC 9051 §9, read and printed. Offsets are kept as written: SEARCH ON goes by them. */
import type { InternalDate } from '@pennypost/model'
import { bad } from '../refusal.ts'
import type { Cursor } from '../wire/cursor.ts'

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `date = date-text / DQUOTE date-text DQUOTE`, `date-text = date-day "-" date-month "-" date-year` → yyyymmdd */
export function date(cursor: Cursor): number {
  const quoted = cursor.skip('"')
  const match = cursor.match(/(\d{1,2})-([A-Za-z]{3})-(\d{4})/y)
  if (!match) throw bad('Date expected, such as 1-Feb-2026')
  if (quoted) cursor.expect('"')
  const [year, month, day] = [Number(match[3]), monthOf(match[2] as string), Number(match[1])]
  if (day < 1 || day > daysIn(year, month)) throw bad('No such date')
  return year * 10_000 + month * 100 + day
}

/** `date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE` */
export function dateTime(cursor: Cursor): InternalDate {
  const match = cursor.match(/"([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"/y)
  if (!match) throw bad('Date and time expected, such as " 1-Feb-2026 12:00:00 +0000"')
  const [, day, month, year, hour, minute, second, sign, zoneHours, zoneMinutes] = match
  const parts = [Number(year), monthOf(month as string), Number(day)] as const
  if (parts[2] < 1 || parts[2] > daysIn(parts[0], parts[1])) throw bad('No such date')
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) throw bad('No such time')
  if (Number(zoneHours) > 23 || Number(zoneMinutes) > 59) throw bad('No such time zone')
  const offsetMinutes = (sign === '-' ? -1 : 1) * (Number(zoneHours) * 60 + Number(zoneMinutes))
  const local = utc(parts[0], parts[1], parts[2]) + (Number(hour) * 3600 + Number(minute) * 60 + Number(second)) * 1000
  return { at: local - offsetMinutes * 60_000, offsetMinutes: offsetMinutes === 0 ? 0 : offsetMinutes }
}

/** The inverse: ` 1-Feb-2026 12:00:00 +0000` without its quotes, as INTERNALDATE and SAVEDATE say it. */
export function printDateTime({ at, offsetMinutes }: InternalDate): string {
  // `YYYY-MM-DDThh:mm:ss.sssZ`, with more before the month for years that are far off.
  const iso = new Date(at + offsetMinutes * 60_000).toISOString()
  const end = iso.length
  const year = end === 24 ? iso.slice(0, 4) : String(Number(iso.slice(0, end - 20))).padStart(4, '0')
  const month = months[Number(iso.slice(end - 19, end - 17)) - 1]
  const day = iso.slice(end - 16, end - 14)
  return `${day.startsWith('0') ? ` ${day[1]}` : day}-${month}-${year} ${iso.slice(end - 13, end - 5)} ${printZone(offsetMinutes)}`
}

function printZone(offsetMinutes: number): string {
  if (offsetMinutes === 0) return '+0000'
  const offset = Math.abs(offsetMinutes)
  const two = (number: number): string => String(number).padStart(2, '0')
  return `${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(offset / 60))}${two(offset % 60)}`
}

/** `date-month`, from 1. */
function monthOf(name: string): number {
  const index = months.findIndex((month) => month.toLowerCase() === name.toLowerCase())
  if (index < 0) throw bad(`No such month: ${name}`)
  return index + 1
}

function daysIn(year: number, month: number): number {
  return new Date(utc(year, month + 1, 0)).getUTCDate()
}

/** Unlike `Date.UTC`, years below 100 are what they say. */
function utc(year: number, month: number, day: number): number {
  const date = new Date(0)
  return date.setUTCFullYear(year, month - 1, day)
}
