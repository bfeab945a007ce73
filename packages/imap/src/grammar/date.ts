/** Dates and times of RFC 9051 §9, read and printed. Offsets are kept as written: SEARCH ON goes by them. */
import { type InternalDate, writtenDay } from '@pennypost/model'
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

/**
 * `date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE`. Some clients leave out the
 * space before a day of one digit.
 */
export function dateTime(cursor: Cursor): InternalDate {
  const match = cursor.match(/"(\d\d| ?\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"/y)
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
  const written = writtenDay(at, offsetMinutes)
  const year = Math.floor(written / 10_000)
  const month = months[(Math.floor(written / 100) % 100) - 1]
  const day = written % 100
  const seconds = Math.floor(at / 1000) + offsetMinutes * 60
  const inDay = seconds - Math.floor(seconds / 86_400) * 86_400
  const time = `${two(Math.floor(inDay / 3600))}:${two(Math.floor(inDay / 60) % 60)}:${two(inDay % 60)}`
  const date = `${day < 10 ? ' ' : ''}${day}-${month}-${year < 1000 ? String(year).padStart(4, '0') : year}`
  return `${date} ${time} ${printZone(offsetMinutes)}`
}

/** Every message of a large mailbox is printed with five of them. */
const twoDigits = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0'))

function two(number: number): string {
  return twoDigits[number] as string
}

function printZone(offsetMinutes: number): string {
  if (offsetMinutes === 0) return '+0000'
  const offset = Math.abs(offsetMinutes)
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
