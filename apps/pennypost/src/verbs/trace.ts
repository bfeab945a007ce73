import type { OperationResult } from '@pennypost/admin'
import type { Command } from 'commander'
import { journeyLines } from './journey-lines.ts'
import { isUnderWay } from './queue.ts'
import type { Session } from './session.ts'
import { type Column, clean, formatDuration, formatTable, formatTime } from './table.ts'
import { UsageError } from './usage-error.ts'
import { addVerb, inSession } from './verb.ts'

/** `trace [QUEUE-ID | MESSAGE-ID]`; without an id, which messages there were. */
export function register(program: Command): void {
  addVerb(
    program,
    'trace [id]',
    'the way of a message, hop by hop: by queue id or Message-ID; without, the newest ones',
  )
    .option('--transcripts', 'with the lines of each SMTP session', false)
    .option('--from <address>', 'list those of this sender, also as forwarded, or @domain; "<>" for bounces')
    .option('--to <address>', 'list those for this recipient, also behind an alias, or @domain')
    .option('--limit <count>', 'list so many at most (default: 20)')
    .action(inSession(run))
}

interface ListOptions {
  from?: string
  to?: string
  limit?: string
}

function run(session: Session, id: string | undefined, { transcripts, ...rest }: TraceOptions): Promise<void> {
  if (id === undefined) return list(session, rest)
  if (Object.keys(rest).some((name) => listOptions.includes(name))) {
    throw new UsageError('--from, --to and --limit go without an id.')
  }
  return trace(session, id, { transcripts })
}

const listOptions = ['from', 'to', 'limit']

type TraceOptions = ListOptions & { transcripts: boolean }

async function list(session: Session, { from, to, limit = '20' }: ListOptions): Promise<void> {
  if (!/^[1-9]\d{0,3}$/.test(limit)) throw new UsageError(`"${limit}" is no count from 1 to 9999.`)
  const found = await session.call('trace.list', { from: from === '<>' ? '' : from, to, limit: Number(limit) })
  const isAll = from === undefined && to === undefined
  const columns: Column<(typeof found)[number]>[] = [
    { title: 'TIME', value: ({ at }) => formatTime(at) },
    { title: 'QUEUE ID', value: ({ id }) => id },
    { title: 'FROM', value: (message) => message.from || '<>' },
    { title: 'TO', value: (message) => manyText(message.to) },
    { title: 'WHAT BECAME OF IT', value: ({ outcomes }) => outcomes.join(', ') },
  ]
  session.show(found, formatTable(found, columns, isAll ? 'No message yet.' : 'No message that fits is known.'))
}

function manyText([first = '', ...others]: readonly string[]): string {
  return others.length === 0 ? first : `${first} and ${others.length} more`
}

type Kept = OperationResult<'trace'>['journeys'][number]['kept'][number]

/** Names of mailboxes are the account's own choice. */
function keptText({ login, places }: Kept): string {
  if (places.length === 0) return `${login} has it no longer`
  return `${login} has it in ${places.map(({ mailbox, uid }) => `${clean(mailbox)}, UID ${uid}`).join('; ')}`
}

type Waiting = OperationResult<'trace'>['journeys'][number]['waiting'][number]

function nextText(entry: Waiting, now: number): string {
  if (isUnderWay(entry, now)) return entry.held ? 'an attempt is under way, then it is held' : 'an attempt is under way'
  if (entry.held) return 'held'
  return entry.dueAt <= now ? 'due now' : `next attempt in ${formatDuration(entry.dueAt - now)}`
}

async function trace(session: Session, id: string, options: { transcripts: boolean }): Promise<void> {
  const result = await session.call('trace', { id })
  session.show(result, () =>
    result.journeys
      .map(({ journey, waiting, kept }) => {
        const rest = waiting.map((entry) => {
          const to = entry.recipients.map(({ forwardPath }) => forwardPath).join(', ')
          return `still waits for ${entry.destination}: ${to}; ${nextText(entry, result.now)}\n`
        })
        const places = kept.map((each) => `${keptText(each)}\n`)
        return `${journey.id}\n${journeyLines(journey.events, options)}${[...places, ...rest].join('')}`
      })
      .join('\n'),
  )
}
