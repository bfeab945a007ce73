import { badParameter, type Parameters, unknownParameter } from './parameters.ts'
import { type Parsed, parsed } from './parsed.ts'
import { parseMailbox } from './path.ts'
import { decodeXtext, encodeXtext } from './xtext.ts'

/**
 * The parameters of MAIL with their meaning: SIZE (RFC 1870), BODY (RFC 6152, RFC 3030), RET and ENVID (RFC 3461),
 * AUTH (RFC 4954 §5), SMTPUTF8 (RFC 6531), REQUIRETLS (RFC 8689).
 */
export interface MailParameters {
  /** Octets as declared; null when not. */
  readonly size: number | null
  readonly body: '7BIT' | '8BITMIME' | 'BINARYMIME' | null
  readonly ret: 'FULL' | 'HDRS' | null
  /** Decoded. */
  readonly envid: string | null
  /** Decoded mailbox; '' for `AUTH=<>`; null when not given. Only a trusted client's word counts (RFC 4954 §5). */
  readonly auth: string | null
  readonly smtpUtf8: boolean
  readonly requireTls: boolean
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

export const noMailParameters: MailParameters = {
  size: null,
  body: null,
  ret: null,
  envid: null,
  auth: null,
  smtpUtf8: false,
  requireTls: false,
}

/**
 * Gives each parameter its type. A keyword that is unknown is 555 5.5.4; a value that it cannot have is 501 5.5.4.
 * `BODY=BINARYMIME` is reported as such: who does not offer it answers 555.
 */
export function parseMailParameters(parameters: Parameters): Parsed<MailParameters> {
  const values: Mutable<MailParameters> = { ...noMailParameters }
  for (const [keyword, value] of parameters) {
    const read = readers[keyword]
    if (!read) return unknownParameter(keyword)
    if (!read(values, value)) return badParameter(keyword)
  }
  return parsed(values)
}

/** The parameters as text for MAIL, in the order of the table; inverse of parsing. '' when there are none. */
export function printMailParameters(values: MailParameters): string {
  const words: string[] = []
  if (values.size !== null) words.push(`SIZE=${values.size}`)
  if (values.body !== null) words.push(`BODY=${values.body}`)
  if (values.ret !== null) words.push(`RET=${values.ret}`)
  if (values.envid !== null) words.push(`ENVID=${encodeXtext(values.envid)}`)
  if (values.auth !== null) words.push(`AUTH=${values.auth === '' ? '<>' : encodeXtext(values.auth)}`)
  if (values.smtpUtf8) words.push('SMTPUTF8')
  if (values.requireTls) words.push('REQUIRETLS')
  return words.join(' ')
}

type Reader = (values: Mutable<MailParameters>, value: string | null) => boolean

const readers: Partial<Record<string, Reader>> = {
  // RFC 1870 §4: size-value = 1*20DIGIT
  SIZE: (values, value) => {
    values.size = Number(value)
    return value !== null && /^[0-9]{1,20}$/.test(value)
  },
  BODY: (values, value) => {
    const body = value?.toUpperCase()
    if (body !== '7BIT' && body !== '8BITMIME' && body !== 'BINARYMIME') return false
    values.body = body
    return true
  },
  RET: (values, value) => {
    const ret = value?.toUpperCase()
    if (ret !== 'FULL' && ret !== 'HDRS') return false
    values.ret = ret
    return true
  },
  // RFC 3461 §4.4: at most 100 characters, and of printable US-ASCII when decoded (§5.4).
  ENVID: (values, value) => {
    values.envid = value === null || value.length > 100 ? null : decodeXtext(value)
    return values.envid !== null && /^[ -~]+$/.test(values.envid)
  },
  AUTH: (values, value) => {
    // Only `<>` has angle brackets in the grammar, but curl writes each mailbox between them.
    values.auth = value === null ? null : decodeXtext(value.replace(/^<(.*)>$/, '$1'))
    if (values.auth === null) return false
    return values.auth === '' || typeof parseMailbox(values.auth, { smtpUtf8: true }) !== 'string'
  },
  SMTPUTF8: (values, value) => {
    values.smtpUtf8 = true
    return value === null
  },
  REQUIRETLS: (values, value) => {
    values.requireTls = true
    return value === null
  },
}
