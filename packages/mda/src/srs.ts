/**
 * Sender Rewriting Scheme: a forwarded message leaves with a reverse-path of ours, out of which a bounce finds its way back
 * to the first sender. Pure. Called by the expansion of recipients.
 *
 *     SRS0=HASH=TT=first.example=localpart@forwarder           one forwarder
 *     SRS1=HASH=forwarder.example==HASH=TT=…@second            the second: bounces go to the first forwarder at once
 *
 * Never broken: what was not made here with one of the secrets is not reversed (else we would be an open relay for
 * bounces), nor what is 21 days old. Hashes are over lower-case text and written in base 32, because mail systems on
 * the way may change the case of a local part.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** Local part without quotes, and domain. */
export interface SrsAddress {
  localPart: string
  domain: string
}

export interface Srs {
  /** The local part to use at our domain for a sender elsewhere. */
  forward(sender: SrsAddress, nowMs: number): string
  /** Where a bounce to this local part goes; undefined if it was not made here, or too long ago. */
  reverse(localPart: string, nowMs: number): SrsAddress | undefined
}

export interface SrsOptions {
  /** The first one signs; all of them verify, so that a secret can be replaced. At least 16 octets each. */
  secrets: readonly Buffer[]
}

/** Base 32 of RFC 4648 §6; 6 digits are 30 bits. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const hashDigits = 6
const dayMs = 86_400_000
/** Older addresses are dead. */
const maxAgeDays = 21
/** Two digits count days modulo 1024. */
const dayCycle = 1024

/** Whether a local part looks like one of SRS, whoever made it. */
export function isSrs(localPart: string): boolean {
  return /^SRS[01][=+-]/i.test(localPart)
}

/** Makes the scheme for these secrets. Throws TypeError when there is none, or a short one. */
export function createSrs({ secrets }: SrsOptions): Srs {
  const [signing] = secrets
  if (!signing || secrets.some((secret) => secret.length < 16)) throw new TypeError('SRS needs secrets of 16 octets')

  const hash = (secret: Buffer, text: string): string => {
    const digest = createHmac('sha256', secret).update(text.toLowerCase()).digest()
    let digits = ''
    for (let i = 0; i < hashDigits; i++) digits += alphabet.charAt((digest[i] as number) & 31)
    return digits
  }
  const isGenuine = (shown: string, text: string): boolean =>
    shown.length === hashDigits &&
    secrets.some((secret) => timingSafeEqual(Buffer.from(shown.toUpperCase()), Buffer.from(hash(secret, text))))

  return {
    forward({ localPart, domain }, nowMs) {
      // `SRS1=hash=first=rest` keeps first and rest; `SRS0=rest` becomes the rest behind the domain that made it.
      const again = /^SRS1[=+-][^=]+=([^=]+)=(.+)$/is.exec(localPart)
      const once = /^SRS0([=+-].+)$/is.exec(localPart)
      if (again || once) {
        const opaque = again ? `${again[1]}=${again[2]}` : `${domain}=${once![1]}`
        return `SRS1=${hash(signing, opaque)}=${opaque}`
      }
      const opaque = `${printDay(nowMs)}=${domain}=${localPart}`
      return `SRS0=${hash(signing, opaque)}=${opaque}`
    },

    reverse(localPart, nowMs) {
      const second = /^SRS1[=+-]([a-z2-7]+)=(([^=]+)=([=+-].+))$/is.exec(localPart)
      if (second) {
        const [, shown = '', opaque = '', domain = '', rest = ''] = second
        return isGenuine(shown, opaque) ? { localPart: `SRS0${rest}`, domain } : undefined
      }
      const first = /^SRS0[=+-]([a-z2-7]+)=(([a-z2-7]{2})=([^=]+)=(.+))$/is.exec(localPart)
      if (!first) return undefined
      const [, shown = '', opaque = '', day = '', domain = '', local = ''] = first
      const ageDays = (dayOf(nowMs) - readDay(day) + dayCycle) % dayCycle
      return isGenuine(shown, opaque) && ageDays < maxAgeDays ? { localPart: local, domain } : undefined
    },
  }
}

function dayOf(nowMs: number): number {
  return Math.floor(nowMs / dayMs) % dayCycle
}

function printDay(nowMs: number): string {
  const day = dayOf(nowMs)
  return alphabet.charAt(day >> 5) + alphabet.charAt(day & 31)
}

function readDay(digits: string): number {
  const [high = '', low = ''] = digits.toUpperCase()
  return alphabet.indexOf(high) * 32 + alphabet.indexOf(low)
}
