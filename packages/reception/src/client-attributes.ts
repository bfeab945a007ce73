import { isIP } from 'node:net'
import { plainAddress } from '@pennypost/model'
import { decodeXtext } from '@pennypost/smtp'

/** What a trusted proxy or relay says of the client behind it: the arguments of XCLIENT and XFORWARD, as Postfix has them. */
export type ClientAttributes = ReadonlyMap<string, string | undefined>

/**
 * Reads `NAME=value …`, values in xtext; undefined for `[UNAVAILABLE]` and `[TEMPUNAVAIL]`. `known` are the names that
 * the command takes. A string says what is wrong.
 */
export function parseClientAttributes(argument: string, known: readonly string[]): ClientAttributes | string {
  const attributes = new Map<string, string | undefined>()
  for (const word of argument.split(/ +/)) {
    const equals = word.indexOf('=')
    const name = word.slice(0, Math.max(0, equals)).toUpperCase()
    if (!known.includes(name)) return `unknown attribute: ${word}`
    const value = decodeXtext(word.slice(equals + 1))
    // A client may say HELO with spaces, and its proxy repeats what it has said.
    const bad = name === 'HELO' ? /[\x00-\x1f\x7f]/ : /[\x00-\x20\x7f]/
    if (value === null || bad.test(value) || value.length > 255) return `bad value of ${name}`
    attributes.set(name, /^\[(?:UNAVAILABLE|TEMPUNAVAIL)\]$/i.test(value) || value === '' ? undefined : value)
  }
  const address = attributes.get('ADDR')
  if (address !== undefined) {
    const bare = plainAddress(address.replace(/^IPv6:/i, ''))
    if (isIP(bare) === 0) return 'ADDR is no address'
    attributes.set('ADDR', bare)
  }
  const port = attributes.get('PORT')
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) < 65_536)) return 'PORT is no port'
  return attributes
}
