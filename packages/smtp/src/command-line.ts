import { isUtf8 } from 'node:buffer'
import { type MailParameters, parseMailParameters } from './mail-parameters.ts'
import { parseParameters } from './parameters.ts'
import { type Parsed, parsed, refused } from './parsed.ts'
import { type Mailbox, parseForwardPath, parseReversePath } from './path.ts'
import { parseRcptParameters, type RcptParameters } from './rcpt-parameters.ts'
import { replies } from './replies.ts'
import { withText } from './reply.ts'

/**
 * Command lines as a server reads them: split into verb and argument (RFC 5321 §4.1.1), then the arguments of HELO,
 * MAIL and RCPT as typed values. Who calls it: reception, once per command.
 */
export interface CommandLine {
  /** In upper case; '' for an empty line. */
  verb: string
  /** Without white space around it. */
  argument: string
}

/**
 * Splits one line without its CRLF. Trailing white space is tolerated (RFC 5321 §4.1.1). NUL and other controls are
 * 500 5.5.2, octets that are not UTF-8 501 5.5.2; HELO and its kin may have Latin-1, since host names of old Windows do.
 */
export function splitCommandLine(line: Buffer): Parsed<CommandLine> {
  const utf8 = isUtf8(line)
  const text = line.toString(utf8 ? 'utf8' : 'latin1')
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(text)) return refused(replies.unknownCommand)
  const [, verb, argument] = /^([^ \t]*)(.*)$/s.exec(text)!
  const command = { verb: verb!.toUpperCase(), argument: argument!.trim() }
  return utf8 || /^(?:HELO|EHLO|LHLO)$/.test(command.verb) ? parsed(command) : refused(replies.badSyntax)
}

/**
 * The argument of HELO, EHLO and LHLO: any text of at most 255 octets, since names that break the grammar are harmless and
 * for the judge to weigh; scripts call themselves by the name of their program, spaces included. Nothing is 501 5.5.4.
 */
export function parseHelloArgument(argument: string): Parsed<string> {
  const isName = argument !== '' && Buffer.byteLength(argument) <= 255
  return isName ? parsed(argument) : refused(replies.badHello)
}

export interface MailArgument {
  reversePath: Mailbox | null
  parameters: MailParameters
}

/** The argument of MAIL: `FROM:<…> …`. A space behind the colon is tolerated, and so are missing brackets. */
export function parseMailArgument(argument: string): Parsed<MailArgument> {
  const split = splitPath('FROM:', argument)
  if (!split) return refused(withText(replies.badArgument, 'Syntax: MAIL FROM:<address>'))
  const words = parseParameters(split.parameters)
  if (!words.ok) return words
  const parameters = parseMailParameters(words.value)
  if (!parameters.ok) return parameters
  const { smtpUtf8 } = parameters.value
  const reversePath = parseReversePath(split.path, { smtpUtf8 })
  return reversePath.ok ? parsed({ reversePath: reversePath.value, parameters: parameters.value }) : reversePath
}

export interface RcptArgument {
  forwardPath: Mailbox
  parameters: RcptParameters
}

/** The argument of RCPT: `TO:<…> …`; `smtpUtf8` is what MAIL said. */
export function parseRcptArgument(argument: string, smtpUtf8: boolean): Parsed<RcptArgument> {
  const split = splitPath('TO:', argument)
  if (!split) return refused(withText(replies.badArgument, 'Syntax: RCPT TO:<address>'))
  const words = parseParameters(split.parameters)
  if (!words.ok) return words
  const parameters = parseRcptParameters(words.value, smtpUtf8)
  if (!parameters.ok) return parameters
  const forwardPath = parseForwardPath(split.path, { smtpUtf8 })
  return forwardPath.ok ? parsed({ forwardPath: forwardPath.value, parameters: parameters.value }) : forwardPath
}

/** An address without its brackets, as controllers of disks and other small devices send it. */
const bareAddress = /^([^\s<>"@]+@[^\s<>"@]+)(?:[ \t]+(.*))?$/s

/** Finds the end of the path: the first `>` outside a quoted string, at the end or before white space. */
function splitPath(prefix: string, argument: string): { path: string; parameters: string } | null {
  if (argument.slice(0, prefix.length).toUpperCase() !== prefix) return null
  const rest = argument.slice(prefix.length).trimStart()
  if (!rest.startsWith('<')) {
    const [, address, parameters = ''] = bareAddress.exec(rest) ?? []
    return address === undefined ? null : { path: `<${address}>`, parameters }
  }
  let quoted = false
  for (let at = 1; at < rest.length; at++) {
    const character = rest[at]
    if (quoted && character === '\\') at++
    else if (character === '"') quoted = !quoted
    else if (character === '>' && !quoted) {
      const parameters = rest.slice(at + 1)
      return parameters === '' || /^[ \t]/.test(parameters)
        ? { path: rest.slice(0, at + 1), parameters: parameters.trim() }
        : null
    }
  }
  return null
}
