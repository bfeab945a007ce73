import { isUtf8 } from 'node:buffer'
import { type MailParameters, parseMailParameters } from './mail-parameters.ts'
import { parseParameters } from './parameters.ts'
import { type Parsed, parsed, type Refused, refused } from './parsed.ts'
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

/** The argument of MAIL: `FROM:<…> …`. A space behind the colon is tolerated, missing brackets too, and a name. */
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

/** Whoever tells of the refusal has the path as it was written, or all of it where there is none. */
interface RefusedRcpt extends Refused {
  written: string
}

/** The argument of RCPT: `TO:<…> …`; `smtpUtf8` is what MAIL said. */
export function parseRcptArgument(
  argument: string,
  smtpUtf8: boolean,
): { ok: true; value: RcptArgument } | RefusedRcpt {
  const split = splitPath('TO:', argument)
  if (!split) return { ...refused(withText(replies.badArgument, 'Syntax: RCPT TO:<address>')), written: argument }
  const { path, parameters: words } = split
  const read = readRcpt(path, words, smtpUtf8)
  return read.ok ? read : { ...read, written: path.slice(1, -1) }
}

function readRcpt(path: string, text: string, smtpUtf8: boolean): Parsed<RcptArgument> {
  const words = parseParameters(text)
  if (!words.ok) return words
  const parameters = parseRcptParameters(words.value, smtpUtf8)
  if (!parameters.ok) return parameters
  const forwardPath = parseForwardPath(path, { smtpUtf8 })
  return forwardPath.ok ? parsed({ forwardPath: forwardPath.value, parameters: parameters.value }) : forwardPath
}

/** An address without its brackets, as controllers of disks and other small devices send it. */
const bareAddress = /^([^\s<>"@]+@[^\s<>"@]+)(?:[ \t]+(.*))?$/s
/** One with a name, `<Name <a@b>>` or `Name <a@b>`: what people write into the settings of daemons that send alarms. */
const namedAddress = /^(?:<[^<>@]*<([^\s<>"@]+@[^\s<>"@]+)>>|[^<>@]+<([^\s<>"@]+@[^\s<>"@]+)>)(?:[ \t]+(.*))?$/s

/** The path with its brackets, and what follows it. */
function splitPath(prefix: string, argument: string): { path: string; parameters: string } | null {
  if (argument.slice(0, prefix.length).toUpperCase() !== prefix) return null
  const rest = argument.slice(prefix.length).trimStart()
  const end = endOfPath(rest)
  if (end > 0) return { path: rest.slice(0, end), parameters: rest.slice(end).trim() }
  const [, bare, parameters = ''] = bareAddress.exec(rest) ?? []
  if (bare !== undefined) return { path: `<${bare}>`, parameters }
  const [, inner, behind = inner, words = ''] = namedAddress.exec(rest) ?? []
  return behind === undefined ? null : { path: `<${behind}>`, parameters: words }
}

/** Index behind the first `>` outside a quoted string, where white space or nothing follows; 0 when there is none. */
function endOfPath(text: string): number {
  if (!text.startsWith('<')) return 0
  let quoted = false
  for (let at = 1; at < text.length; at++) {
    const character = text[at]
    if (quoted && character === '\\') at++
    else if (character === '"') quoted = !quoted
    else if (character === '>' && !quoted) return /^(?:[ \t]|$)/.test(text.slice(at + 1)) ? at + 1 : 0
  }
  return 0
}
