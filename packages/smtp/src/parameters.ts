import { type Parsed, parsed, type Refused, refused } from './parsed.ts'
import { replies } from './replies.ts'
import { withText } from './reply.ts'

/**
 * ESMTP parameters of MAIL and RCPT (RFC 5321 §4.1.2 esmtp-param, values with UTF-8 by RFC 6531 §3.3), before anybody
 * knows what they mean: keyword in upper case → value, or null for a keyword without one.
 */
export type Parameters = ReadonlyMap<string, string | null>

const parametersMax = 32
/** Of one parameter, keyword and `=` included. The longest known one is ORCPT: 500 characters (RFC 3461 §4.2) in UTF-8. */
const parameterOctetsMax = 1000

/** esmtp-keyword ["=" esmtp-value] */
const parameter = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\u{80}-\u{10ffff}]+))?$/u

/** Reads what follows the path; `text` may be empty. A malformed, repeated or one too many is 501 5.5.4. */
export function parseParameters(text: string): Parsed<Parameters> {
  const parameters = new Map<string, string | null>()
  if (text === '') return parsed(parameters)
  for (const word of text.split(/[ \t]+/)) {
    if (word === '') continue
    const match = Buffer.byteLength(word) <= parameterOctetsMax ? parameter.exec(word) : null
    if (!match) return refused(withText(replies.badArgument, 'Malformed parameter'))
    const keyword = match[1]!.toUpperCase()
    if (parameters.has(keyword)) return refused(withText(replies.badArgument, `Parameter ${keyword} is repeated`))
    if (parameters.size === parametersMax) return refused(withText(replies.badArgument, 'Too many parameters'))
    parameters.set(keyword, match[2] ?? null)
  }
  return parsed(parameters)
}

/** The 555 5.5.4 that RFC 5321 §4.1.1.11 asks for when a keyword is not known or not offered. */
export function unknownParameter(keyword: string): Refused {
  return refused(withText(replies.unknownParameter, `Parameter ${keyword} is not recognized`))
}

/** The 501 5.5.4 for a known keyword with a value that it cannot have. */
export function badParameter(keyword: string): Refused {
  return refused(withText(replies.badArgument, `Bad value for parameter ${keyword}`))
}
