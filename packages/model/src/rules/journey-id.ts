import { type JourneyId, journeyId } from '../ids.ts'
import type { Random } from '../ports/time.ts'

/** Crockford's base 32: no I, L, O, U, so that an id read over the telephone is written down right. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Makes a journey id: 9 digits of milliseconds (sorts by time until the year 3084), then 35 random bits in 7. */
export function createJourneyId(nowMs: number, random: Random): JourneyId {
  let time = ''
  for (let rest = nowMs, digit = 0; digit < 9; digit++, rest = Math.floor(rest / 32)) {
    time = alphabet.charAt(rest % 32) + time
  }
  let chance = ''
  for (const octet of random.bytes(7)) chance += alphabet.charAt(octet & 31)
  return journeyId(time + chance)
}

/** Whether `text` could be a journey id, in either case. */
export function isJourneyId(text: string): boolean {
  return /^[0-9A-HJKMNP-TV-Z]{16}$/i.test(text)
}
