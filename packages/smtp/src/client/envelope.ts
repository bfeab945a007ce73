import type { Capabilities } from '../capabilities.ts'
import { noMailParameters, printMailParameters } from '../mail-parameters.ts'
import { parseForwardPath, toAsciiPath } from '../path.ts'
import { printRcptParameters } from '../rcpt-parameters.ts'
import { type Failure, failure, replyFailure } from './failure.ts'
import type { TransactionRecipient, TransactionRequest } from './request.ts'

/**
 * The commands of one transaction for one peer: which parameters its capabilities allow, in which form each address can
 * go, and what has to be refused before a word is sent. Pure; the caller sends. Nothing here may let a line end or a
 * parameter slip in through an address.
 */
export interface Envelope {
  mail: string
  /** A command, or why this recipient cannot be asked for; in the order of the request. */
  rcpts: readonly (string | Failure)[]
}

export interface EnvelopeContext {
  capabilities: Capabilities
  secure: boolean
  recipientsMax: number
}

const plain = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9._-]+$/

/** The envelope's commands, or the one reason why the whole transaction cannot be begun. */
export function composeEnvelope(request: TransactionRequest, context: EnvelopeContext): Envelope | Failure {
  const { capabilities } = context
  const { keywords } = capabilities
  const size = request.size
  if (size !== null && capabilities.size !== null && size > capabilities.size) {
    return refusal('5.3.4', `message of ${size} octets is over the peer's limit of ${capabilities.size}`)
  }
  if (request.requireTls && (!context.secure || !keywords.has('REQUIRETLS'))) {
    return refusal('5.7.30', 'peer does not offer REQUIRETLS over TLS')
  }
  const offersUtf8 = keywords.has('SMTPUTF8')
  if (request.smtpUtf8 && !offersUtf8) return refusal('5.6.9', 'peer does not offer SMTPUTF8')
  const reversePath = request.reversePath === '' ? '' : wirePath(request.reversePath, offersUtf8, '5.1.7')
  if (typeof reversePath !== 'string') return reversePath

  const rcpts: (string | Failure)[] = []
  const dsn = keywords.has('DSN')
  const domains = new Set<string>()
  const domainsMax = capabilities.recipientDomainsMax ?? Number.POSITIVE_INFINITY
  let utf8 = request.smtpUtf8 === true || !isAscii(reversePath)
  for (const recipient of request.recipients) {
    const path = wirePath(recipient.forwardPath, offersUtf8, '5.1.3')
    if (typeof path !== 'string') {
      rcpts.push(path)
      continue
    }
    const domain = domainOf(path)
    const fits = rcpts.length < context.recipientsMax && (domains.has(domain) || domains.size < domainsMax)
    if (!fits) rcpts.push(failure('unsupported', 'rcpt', '4.5.3', 'too many recipients for one transaction'))
    else {
      domains.add(domain)
      utf8 ||= !isAscii(path)
      rcpts.push(rcptCommand(path, recipient, dsn, offersUtf8 && utf8))
    }
  }
  const eightBit = request.eightBit === true || utf8
  const words = printMailParameters({
    ...noMailParameters,
    size: keywords.has('SIZE') ? size : null,
    body: eightBit && keywords.has('8BITMIME') ? '8BITMIME' : null,
    ret: dsn ? (request.ret ?? null) : null,
    envid: dsn ? (request.envid ?? null) : null,
    smtpUtf8: utf8,
    requireTls: request.requireTls === true,
  })
  return {
    mail: words === '' ? `MAIL FROM:<${reversePath}>` : `MAIL FROM:<${reversePath}> ${words}`,
    rcpts,
  }
}

function rcptCommand(path: string, { notify, orcpt }: TransactionRecipient, dsn: boolean, utf8: boolean): string {
  if (!dsn || (!notify && !orcpt)) return `RCPT TO:<${path}>`
  return `RCPT TO:<${path}> ${printRcptParameters({ notify: notify ?? null, orcpt: orcpt ?? null }, utf8)}`
}

/** The path as this peer can take it; a domain beyond ASCII goes as A-labels where SMTPUTF8 is missing. */
function wirePath(path: string, offersUtf8: boolean, badStatus: string): string | Failure {
  if (plain.test(path)) return path
  const parsed = parseForwardPath(`<${path}>`, { smtpUtf8: true })
  if (!parsed.ok) return failure('local', 'mail', badStatus, replyFailure('mail', parsed.reply).text)
  if (offersUtf8) return path
  return toAsciiPath(path) ?? refusal('5.6.7', 'address beyond ASCII, and the peer does not offer SMTPUTF8')
}

function domainOf(path: string): string {
  return path.slice(path.lastIndexOf('@') + 1).toLowerCase()
}

function isAscii(path: string): boolean {
  return /^[\x00-\x7f]*$/.test(path)
}

function refusal(status: string, text: string): Failure {
  return failure('unsupported', 'mail', status, text)
}
