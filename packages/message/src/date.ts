/** Dates of header fields (RFC 5322 §3.3, with the obsolete forms of §4.3). */

export interface WrittenDate {
  /** The instant, milliseconds. */
  at: number
  /** The day as written, yyyymmdd. */
  day: number
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

// Hours from UTC (RFC 5322 §4.3); single letters of the military zones were defined wrongly and mean -0000.
const zones: Record<string, number> = {
  UT: 0,
  GMT: 0,
  UTC: 0,
  Z: 0,
  EST: -5,
  EDT: -4,
  CST: -6,
  CDT: -5,
  MST: -7,
  MDT: -6,
  PST: -8,
  PDT: -7,
  BST: 1,
  IST: 1,
  WET: 0,
  WEST: 1,
  CET: 1,
  CEST: 2,
  MET: 1,
  MEST: 2,
  EET: 2,
  EEST: 3,
  MSK: 3,
  JST: 9,
  KST: 9,
  NZST: 12,
  NZDT: 13,
}

const dateTime =
  /^(?:[a-z]{2,9}\.?[, ] *)?(\d{1,2})[ -]+([a-z]{3})[a-z]*\.?[ -]+(\d{2,4}),? +(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2}))?(?: *([+-]?\d{1,2}:?\d{2})(?!\d)| +([a-z]+))?/i

/** Reads an unfolded Date value; undefined when it is no date. Comments are skipped, two-digit years completed. */
export function parseDate(value: string): WrittenDate | undefined {
  const text = withoutComments(value.slice(0, 200)).replace(/\s+/g, ' ').replace(/ ?: ?/g, ':').trim()
  // asctime, as old agents wrote it, in the order of RFC 5322
  const found = dateTime.exec(text.replace(/^([a-z]{3}) ([a-z]{3}) (\d{1,2}) ([\d:]+) (\d{4})$/i, '$1, $3 $2 $5 $4'))
  if (!found) return undefined
  const [, day, monthName, year, hour, minute, second = '0', numericZone, namedZone] = found as unknown as string[]
  const month = months.indexOf((monthName as string).toLowerCase())
  const fullYear = completeYear(year as string)
  const parts = [Number(day), Number(hour), Number(minute), Number(second)] as const
  if (month < 0 || parts[1] > 23 || parts[2] > 59 || parts[3] > 60) return undefined
  if (parts[0] < 1 || parts[0] > daysIn(fullYear, month)) return undefined
  const offsetMinutes = zoneOffset(numericZone, namedZone)
  if (offsetMinutes === undefined) return undefined
  const local = Date.UTC(fullYear, month, parts[0], parts[1], parts[2], Math.min(59, parts[3]))
  return { at: local - offsetMinutes * 60_000, day: (fullYear * 100 + month + 1) * 100 + parts[0] }
}

/** RFC 5322 §4.3: two digits below 50 are of this century, three digits count from 1900; some fill those up with zeros. */
function completeYear(written: string): number {
  const digits = written.length === 4 ? written.replace(/^00?/, '') : written
  const year = Number(digits)
  if (digits.length === 2) return year < 50 ? 2000 + year : 1900 + year
  return digits.length === 3 ? 1900 + year : year
}

const daysIn = (year: number, month: number): number => new Date(Date.UTC(year, month + 1, 0)).getUTCDate()

function zoneOffset(numeric: string | undefined, named: string | undefined): number | undefined {
  if (numeric !== undefined) {
    const digits = numeric.replace(/[+:-]/g, '').padStart(4, '0')
    const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))
    if (minutes > 24 * 60) return undefined
    return numeric.startsWith('-') && minutes > 0 ? -minutes : minutes
  }
  return 60 * (zones[(named ?? '').toUpperCase()] ?? 0)
}

/** Comments nest, and may have quoted pairs (RFC 5322 §3.2.2). */
function withoutComments(text: string): string {
  if (!text.includes('(')) return text
  let depth = 0
  let kept = ''
  for (const character of text.replace(/\\./gs, '')) {
    if (character === '(') depth++
    else if (character === ')') depth = Math.max(0, depth - 1)
    else if (depth === 0) kept += character
  }
  return kept
}

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const two = (value: number): string => String(value).padStart(2, '0')

/** date-time of RFC 5322 §3.3 in UTC, such as `Thu, 26 Nov 2026 09:30:00 +0000`. */
export function formatDate(at: number): string {
  const date = new Date(at)
  const month = months[date.getUTCMonth()] as string
  const name = (month[0] as string).toUpperCase() + month.slice(1)
  const day = `${days[date.getUTCDay()]}, ${date.getUTCDate()} ${name} ${String(date.getUTCFullYear()).padStart(4, '0')}`
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`
}
