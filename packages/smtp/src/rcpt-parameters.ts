import { badParameter, type Parameters, unknownParameter } from './parameters.ts'
import { type Parsed, parsed } from './parsed.ts'
import { decodeUtf8Address, decodeXtext, encodeUtf8Address, encodeXtext } from './xtext.ts'

/** The parameters of RCPT: NOTIFY and ORCPT (RFC 3461 §4.1–4.2, addresses beyond ASCII by RFC 6533 §3). */
export interface RcptParameters {
  /** Absent parameter: null, which is not the same as FAILURE,DELAY to a next hop (RFC 3461 §5.2.1). */
  readonly notify: Notify | null
  readonly orcpt: OriginalRecipient | null
}

/** The empty set of conditions is NEVER. */
export type Notify = readonly NotifyCondition[]
export type NotifyCondition = 'SUCCESS' | 'FAILURE' | 'DELAY'

export interface OriginalRecipient {
  /** Lower case: `rfc822`, `utf-8`, or another registered address type. */
  readonly type: string
  /** Decoded. */
  readonly address: string
}

const conditions: readonly NotifyCondition[] = ['SUCCESS', 'FAILURE', 'DELAY']

/** As `parseMailParameters`. `smtpUtf8` says whether ORCPT may have characters beyond ASCII as they are. */
export function parseRcptParameters(parameters: Parameters, smtpUtf8: boolean): Parsed<RcptParameters> {
  let notify: Notify | null = null
  let orcpt: OriginalRecipient | null = null
  for (const [keyword, value] of parameters) {
    if (keyword === 'NOTIFY') notify = parseNotify(value ?? '')
    else if (keyword === 'ORCPT') orcpt = parseOriginalRecipient(value ?? '', smtpUtf8)
    else return unknownParameter(keyword)
    if ((keyword === 'NOTIFY' ? notify : orcpt) === null) return badParameter(keyword)
  }
  return parsed({ notify, orcpt })
}

/** The parameters as text for RCPT. Without `smtpUtf8` all of it is ASCII. */
export function printRcptParameters({ notify, orcpt }: RcptParameters, smtpUtf8: boolean): string {
  const words: string[] = []
  if (notify !== null) words.push(`NOTIFY=${notify.length === 0 ? 'NEVER' : notify.join(',')}`)
  if (orcpt !== null) words.push(`ORCPT=${printOriginalRecipient(orcpt, smtpUtf8)}`)
  return words.join(' ')
}

/** RFC 3461 §4.1: `NEVER`, or a list of conditions; each counts once. null when it is neither. */
function parseNotify(value: string): Notify | null {
  const words = value.toUpperCase().split(',')
  if (words.length === 1 && words[0] === 'NEVER') return []
  const known = words.every((word) => (conditions as readonly string[]).includes(word))
  return known ? conditions.filter((condition) => words.includes(condition)) : null
}

/**
 * RFC 3461 §4.2 `addr-type ";" xtext`, at most 500 characters, and no controls in what it encodes. The type utf-8 has
 * its own escapes (RFC 6533 §3), whose text some peers put into xtext once more.
 */
function parseOriginalRecipient(value: string, smtpUtf8: boolean): OriginalRecipient | null {
  const semicolon = value.indexOf(';')
  if (value.length > 500 || semicolon < 1) return null
  const type = value.slice(0, semicolon).toLowerCase()
  const encoded = value.slice(semicolon + 1)
  if (!/^[a-z0-9-]+$/.test(type) || (!smtpUtf8 && /[^\x00-\x7f]/.test(encoded))) return null
  const plain = type !== 'utf-8' || encoded.includes('+') ? decodeXtext(encoded) : encoded
  const address = type === 'utf-8' && plain !== null ? decodeUtf8Address(plain) : plain
  return address && !/\p{Cc}/u.test(address) ? { type, address } : null
}

function printOriginalRecipient({ type, address }: OriginalRecipient, smtpUtf8: boolean): string {
  return `${type};${type === 'utf-8' ? encodeUtf8Address(address, smtpUtf8) : encodeXtext(address)}`
}
