import { hostname } from 'node:os'
import { join } from 'node:path'
import type { LocalSubmission } from '@pennypost/admin'
import {
  AdminError,
  callAdmin,
  type Frame,
  type LocalOutcome,
  laterOrNever,
  NoServer,
  type RefusedRecipient,
  refusalOf,
  systemFault,
} from '@pennypost/admin/client'
import { ConfigError } from '../config/document.ts'
import {
  adminSocket,
  becomeOwner,
  findPlace,
  hostnameOf,
  isThere,
  NoConfiguration,
  type Place,
  spoolDirectory,
  submissionSocket,
} from '../config/place.ts'
import { parseSendmailArguments, type SendmailArguments } from './sendmail-arguments.ts'
import {
  argumentRecipients,
  completeHeader,
  headerRecipients,
  normalizeInput,
  splitMessage,
} from './sendmail-message.ts'
import { sendmailSession } from './sendmail-session.ts'
import { currentUser } from './session.ts'
import { note, out, readInput } from './terminal.ts'
import { UsageError } from './usage-error.ts'

/**
 * `sendmail -t -i -f … [recipients]`, for cron, PHP, git: hands the message to the running server, or spools it for the
 * next one. Exit codes are those of sysexits.h, which such programs look at.
 */
const exits = {
  ok: 0,
  usage: 64,
  dataError: 65,
  noUser: 67,
  software: 70,
  ioError: 74,
  tryAgain: 75,
  noPermission: 77,
  config: 78,
}

const inputLimit = 256 * 1024 * 1024
const pieceOctets = 256 * 1024

/** Runs it; the exit code. */
export async function sendmail(args: readonly string[]): Promise<number> {
  try {
    const parsed = parseSendmailArguments(args)
    if (parsed.mode === 'smtp-session') return await talk(parsed)
    return parsed.mode === 'deliver' ? await deliver(parsed) : otherMode(parsed.mode)
  } catch (error) {
    const system = systemFault(error)
    const advice = system?.advice ?? (error instanceof AdminError ? error.advice : '')
    note(`sendmail: ${system?.text ?? (error as Error).message}\n${advice === '' ? '' : `  ${advice}\n`}`)
    if (error instanceof NoConfiguration) return exits.config
    // Somebody is about to mend it; whoever hands mail on would send it back for anything else.
    if (error instanceof ConfigError) return exits.tryAgain
    if (error instanceof UsageError) return exits.usage
    if (system) return system.reason === 'not-allowed' ? exits.noPermission : exits.ioError
    return error instanceof AdminError ? exitOf(error) : exits.software
  }
}

function exitOf({ reason }: AdminError): number {
  switch (reason) {
    case 'bad-input':
    case 'limit':
      return exits.dataError
    case 'not-found':
      return exits.noUser
    case 'not-allowed':
      return exits.noPermission
    default:
      return exits.tryAgain
  }
}

type OtherMode = Exclude<SendmailArguments['mode'], 'deliver' | 'smtp-session'>

const otherModes: Readonly<Record<Exclude<OtherMode, 'help'>, string>> = {
  'list-queue': 'use `pennypost queue list`.',
  'run-queue': 'use `pennypost queue retry --all`; the server runs its queue by itself.',
  daemon: 'use `pennypost serve`.',
  'rebuild-aliases': 'nothing to rebuild: `pennypost alias` changes aliases at once.',
}

function otherMode(mode: OtherMode): number {
  if (mode === 'help') {
    out(help)
    return exits.ok
  }
  note(`sendmail: ${otherModes[mode]}\n`)
  return mode === 'rebuild-aliases' ? exits.ok : exits.usage
}

const help = `Usage: pennypost sendmail [-t] [-i] [-f SENDER] [-F NAME] [recipients...] < message

  -t             take recipients from To, Cc and Bcc too; Bcc is taken out
  -i, -oi        a line with a lone dot does not end the message
  -f SENDER      envelope sender; "<>" for none (default: the user)
  -F NAME        name for the From field, if the message has none
  -bs            speak SMTP on standard input and output instead, with the running server
  --config FILE  configuration file

Recipients that are refused are named, the others have the message. Who cannot be reached now gets it when that is over.

Other options of sendmail are accepted without effect. Exit codes: 0 taken, 64 usage, 65 message refused, 67 no such
recipient, 70 a fault of Pennypost, 74 a file cannot be read or written, 75 try again later, 77 not allowed, 78 no configuration.
`

async function talk({ configFile }: SendmailArguments): Promise<number> {
  try {
    await sendmailSession(submissionSocket(findPlace(configFile)), process.stdin, process.stdout)
    return exits.ok
  } catch (error) {
    if (!(error instanceof NoServer)) throw error
    out('421 4.3.2 No server is running here, try again later\r\n')
    return exits.tryAgain
  }
}

async function deliver(options: SendmailArguments): Promise<number> {
  const place = findPlace(options.configFile)
  const { header, body } = splitMessage(normalizeInput(await readInput(inputLimit), options.ignoreDots))
  const forwardPaths = [
    ...options.recipients.flatMap(argumentRecipients),
    ...(options.fromHeader ? headerRecipients(header) : []),
  ]
  if (forwardPaths.length === 0)
    throw new UsageError('No recipients: name some, or -t with To, Cc or Bcc in the header.')
  const user = currentUser()
  const reversePath = options.sender ?? user
  const author = reversePath || user
  const from = {
    name: options.senderName,
    address: author.includes('@') ? author : `${author}@${hostnameOf(place) ?? hostname()}`,
  }
  const content = Buffer.concat([completeHeader(header, from), body])
  const envelope = { reversePath, forwardPaths: [...new Set(forwardPaths)], user }
  const { later, never } = laterOrNever(await submit(place, envelope, content))
  if (later.length > 0) {
    const { writeSpool } = await import('../serve/spool.ts')
    becomeOwner(place)
    const rest = { ...envelope, forwardPaths: later.map(({ forwardPath }) => forwardPath) }
    await writeSpool(spoolDirectory(place), rest, content).catch((cause: Error) => {
      throw new AdminError('unavailable', `No server takes it, and it cannot be spooled: ${cause.message}`)
    })
  }
  if (never.length > 0) throw refusalOf(never)
  return exits.ok
}

type Envelope = Omit<LocalSubmission, 'content'>

/** Who has it not; where no server takes it, all of them may have it later. */
async function submit(place: Place, envelope: Envelope, content: Buffer): Promise<readonly RefusedRecipient[]> {
  try {
    const upload = (): AsyncGenerator<Frame> => piecesOf(content)
    const outcome = await callAdmin(adminSocket(place), 'submit', envelope, envelope.user, { upload })
    return (outcome as LocalOutcome).refused
  } catch (error) {
    if (error instanceof NoServer) requireStore(place)
    else if (!(error instanceof AdminError) || error.reason !== 'unavailable') throw error
    const { message: text } = error
    return envelope.forwardPaths.map((forwardPath) => ({ forwardPath, reason: 'unavailable', text }))
  }
}

/**
 * What is spooled where there is none may wait beneath a disk that is not mounted, or for a server that never comes. One that
 * `restore` is making ready, or was when it broke off, is as good.
 */
function requireStore({ dataDirectory }: Place): void {
  if (['mail.db', 'restoring'].some((name) => isThere(join(dataDirectory, name)))) return
  const text = `No server is running, and ${dataDirectory} holds no store with which to keep a message.`
  throw new AdminError('unavailable', text, 'See whether its disk is mounted; if the server is new, start it.')
}

async function* piecesOf(content: Buffer): AsyncGenerator<Frame> {
  for (let at = 0; at < content.length; at += pieceOctets) yield { octets: content.subarray(at, at + pieceOctets) }
  yield { end: true }
}
