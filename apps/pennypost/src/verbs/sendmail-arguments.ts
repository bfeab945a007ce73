import { UsageError } from './usage-error.ts'

/**
 * The arguments of /usr/sbin/sendmail: single letters in the manner of getopt, values attached or in the next argument
 * (`-falice@one.test`, `-f alice@one.test`, `-oi`, `-o i`). Programs everywhere call it with what some sendmail of old
 * wanted, so what has no meaning here is accepted without effect.
 */
export interface SendmailArguments {
  /** `deliver`, or one of the other things that sendmail is asked for. */
  mode: 'deliver' | 'help' | 'list-queue' | 'rebuild-aliases' | 'run-queue' | 'smtp-session' | 'daemon'
  /** `-f`: reverse-path, '' for `<>`; undefined when not given. */
  sender: string | undefined
  /** `-F` */
  senderName: string
  recipients: string[]
  /** `-t`: the header names recipients too. */
  fromHeader: boolean
  /** `-i`: a line with a lone dot does not end the message. */
  ignoreDots: boolean
  configFile: string | undefined
}

const withValue = new Set('ABCFLNORVXbefhopr')

const modes: Readonly<Record<string, SendmailArguments['mode']>> = {
  m: 'deliver',
  d: 'daemon',
  D: 'daemon',
  i: 'rebuild-aliases',
  p: 'list-queue',
  s: 'smtp-session',
}

/** Throws `UsageError`. */
export function parseSendmailArguments(args: readonly string[]): SendmailArguments {
  const found: SendmailArguments = {
    mode: 'deliver',
    sender: undefined,
    senderName: '',
    recipients: [],
    fromHeader: false,
    ignoreDots: false,
    configFile: undefined,
  }
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] as string
    const next = (): string => {
      if (++at >= args.length) throw new UsageError(`${argument} needs a value.`)
      return args[at] as string
    }
    if (argument === '--') {
      found.recipients.push(...args.slice(at + 1))
      break
    }
    if (argument === '--help') found.mode = 'help'
    else if (argument === '--config') found.configFile = next()
    else if (argument.startsWith('--')) throw new UsageError(`${argument} is no option of sendmail.`)
    else if (argument.startsWith('-') && argument.length > 1) takeLetters(found, argument.slice(1), next)
    else found.recipients.push(argument)
  }
  return found
}

function takeLetters(found: SendmailArguments, letters: string, next: () => string): void {
  for (let at = 0; at < letters.length; at++) {
    const letter = letters.charAt(at)
    if (letter === 'q') {
      // Its value, an interval, is only ever attached.
      found.mode = 'run-queue'
      return
    }
    if (withValue.has(letter)) {
      takeValue(found, letter, letters.slice(at + 1) || next())
      return
    }
    if (letter === 't') found.fromHeader = true
    else if (letter === 'i') found.ignoreDots = true
    else if (!/[GIUcmnv]/.test(letter)) throw new UsageError(`-${letter} is no option of sendmail.`)
  }
}

function takeValue(found: SendmailArguments, letter: string, value: string): void {
  if (letter === 'f' || letter === 'r') found.sender = value === '<>' ? '' : value.replace(/^<(.*)>$/, '$1')
  else if (letter === 'F') found.senderName = value
  else if (letter === 'o' && value === 'i') found.ignoreDots = true
  else if (letter === 'b') {
    const mode = modes[value]
    if (!mode) throw new UsageError(`-b${value} is no mode of sendmail.`)
    found.mode = mode
  }
}
