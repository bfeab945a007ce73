import type { OperationResult } from '@pennypost/admin'
import type { Command } from 'commander'
import { parseDuration } from '../config/quantity.ts'
import { journeyLines } from './journey-lines.ts'
import type { Session } from './session.ts'
import { clean, formatDuration, formatSize, formatTable, formatTime, plural } from './table.ts'
import { UsageError } from './usage-error.ts'
import { addVerb, inSession } from './verb.ts'

/** `queue list|show|hold|release|retry|redirect|fail|remove|rules`. */
export function register(program: Command): void {
  const group = program.command('queue').description('mail that is not yet where it should be')
  withFilters(addVerb(group, 'list', 'what waits'))
    .option('--limit <count>', 'at most so many entries', '1000')
    .action(inSession(list))
  addVerb(group, 'show <id>', 'an entry with every attempt').action(inSession(show))
  for (const [name, { summary }] of Object.entries(changes)) {
    withFilters(addVerb(group, `${name} [ids...]`, summary))
      .option('--all', 'everything in the queue', false)
      .action(
        inSession((session, ids: string[], options: SelectOptions) => change(session, name as Change, ids, options)),
      )
  }
  withFilters(
    addVerb(group, 'redirect <next-hop> [ids...]', 'send another way: host:port, mx:domain, lmtp:…, or direct'),
  )
    .option('--all', 'everything in the queue', false)
    .action(inSession(redirect))
  withRule(addVerb(group, 'rule-add', 'hold what comes, when it is first due')).action(inSession(addRule))
  withRule(addVerb(group, 'rule-remove', 'hold it no more; what is held stays held')).action(inSession(removeRule))
  addVerb(group, 'rules', 'what is held when it comes').action(inSession(listRules))
}

const changes = {
  hold: { summary: 'try no more until released', done: 'held', untouched: 'held already' },
  release: { summary: 'try held mail again, at once', done: 'released', untouched: 'not held' },
  retry: {
    summary: 'try at once what is not held',
    done: 'due now',
    untouched: 'held: `pennypost queue release` lets that go',
  },
  fail: { summary: 'give up: the sender gets a bounce', done: 'bounced', untouched: '' },
  remove: { summary: 'drop without a word to anybody', done: 'removed', untouched: '' },
} as const
type Change = keyof typeof changes

interface FilterOptions {
  destination?: string
  from?: string
  to?: string
  held?: boolean
  olderThan?: string
}

type SelectOptions = FilterOptions & { all: boolean }

function withFilters(command: Command): Command {
  return command
    .option('--destination <domain>', 'on its way to this next hop')
    .option('--from <address>', 'from this sender; "<>" for bounces')
    .option('--to <address>', 'to this recipient')
    .option('--held', 'held ones')
    .option('--older-than <duration>', 'accepted so long ago, such as 4h or 2d')
}

function filterOf({ destination, from, to, held, olderThan }: FilterOptions) {
  const olderThanMs = olderThan === undefined ? undefined : parseDuration(olderThan)
  if (olderThan !== undefined && olderThanMs === undefined) {
    throw new UsageError(`"${olderThan}" is no duration; write e.g. 30m, 4h, 2d.`)
  }
  return { destination, from: senderOf(from), to, held, olderThanMs }
}

/** `<>` is how people write the null reverse-path. */
const senderOf = (from: string | undefined): string | undefined => (from === '<>' ? '' : from)

async function list(session: Session, { limit, ...filter }: FilterOptions & { limit: string }): Promise<void> {
  if (!/^([1-9]\d{0,4}|100000)$/.test(limit)) throw new UsageError(`"${limit}" is no count from 1 to 100000.`)
  const result = await session.call('queue.list', { limit: Number(limit), ...filterOf(filter) })
  session.show(result, () => listText(result))
}

type Listed = OperationResult<'queue.list'>
type Entry = Listed['entries'][number]

/** The screen of `queue list`. */
export function listText({ entries, now, more, counts }: Listed): string {
  const table = formatTable(
    entries,
    [
      { title: 'QUEUE ID', value: ({ journey }) => journey },
      { title: 'ENTRY', value: ({ id }) => id, right: true },
      { title: 'AGE', value: ({ acceptedAt }) => formatDuration(now - acceptedAt), right: true },
      { title: 'SIZE', value: ({ size }) => formatSize(size), right: true },
      { title: 'TRIES', value: ({ attempts }) => attempts, right: true },
      { title: 'NEXT', value: (entry) => nextAttempt(entry, now) },
      { title: 'NEXT HOP', value: ({ destination }) => destination },
      { title: 'FROM', value: ({ envelope }) => envelope.reversePath || '<>' },
      { title: 'TO', value: recipientsOf },
      { title: 'LAST REPLY', value: ({ recipients }) => clean(recipients[0]?.lastReply ?? '').slice(0, 80) },
    ],
    '',
  )
  const total = counts.waiting + counts.due + counts.leased + counts.held
  const rest = more ? 'More that fits waits: --limit shows more.\n' : ''
  const sum = `In all ${plural(total, 'entry', 'entries')}: ${counts.due} due, ${counts.leased} under way, ${counts.waiting} waiting, ${counts.held} held.\n`
  if (total === 0) return 'Nothing waits.\n'
  return entries.length === 0 ? `Nothing that fits waits. ${sum}` : `${table}${rest}${sum}`
}

function nextAttempt(entry: Entry, now: number): string {
  const { held, dueAt } = entry
  if (isUnderWay(entry, now)) return held ? 'under way, then held' : 'under way'
  if (held) return 'held'
  return dueAt <= now ? 'now' : `in ${formatDuration(dueAt - now)}`
}

export function isUnderWay({ leasedUntil }: Pick<Entry, 'leasedUntil'>, now: number): boolean {
  return leasedUntil !== null && leasedUntil > now
}

function recipientsOf({ recipients }: Entry): string {
  const [first] = recipients
  return recipients.length > 1 ? `${first?.forwardPath} and ${recipients.length - 1} more` : (first?.forwardPath ?? '')
}

async function show(session: Session, id: string): Promise<void> {
  const result = await session.call('queue.show', { id })
  session.show(result, () => {
    const entries = result.entries.map((entry) => entryText(entry, result.now))
    return `${entries.join('\n')}\n${journeyLines(result.events, { transcripts: true })}`
  })
}

/** An entry on the screen of `queue show`. */
export function entryText(entry: Entry, now: number): string {
  const { reversePath, requireTls, tlsOptional } = entry.envelope
  const lines = [
    `entry ${entry.id} of ${entry.journey}, to ${clean(entry.destination)} (${entry.route})`,
    `  from      ${clean(reversePath) || '<>'}`,
    `  accepted  ${formatTime(entry.acceptedAt)}, ${formatSize(entry.size)}, Message-ID <${clean(entry.messageId)}>`,
    `  next      ${nextAttempt(entry, now)}, after ${plural(entry.attempts, 'attempt')}`,
    ...(requireTls ? ['  asks for  REQUIRETLS'] : []),
    // RFC 8689 §3: the header field counts only where REQUIRETLS does not.
    ...(tlsOptional && !requireTls ? ['  asks for  TLS-Required: No'] : []),
    ...entry.recipients.map(({ forwardPath, lastReply }) => {
      return `  to        ${clean(forwardPath)}${lastReply ? `: ${clean(lastReply)}` : ''}`
    }),
  ]
  return `${lines.join('\n')}\n`
}

/** The entries that a verb means. Throws `UsageError` when none are named: everything has to be said. */
function selectionOf(verb: string, ids: string[], { all, ...filter }: SelectOptions) {
  const conditions = filterOf(filter)
  if (ids.length === 0 && !all && Object.values(conditions).every((each) => each === undefined)) {
    throw new UsageError(`Say what to ${verb}: queue ids, conditions such as --destination, or --all.`)
  }
  return { ids, all, ...conditions }
}

async function change(session: Session, verb: Change, ids: string[], options: SelectOptions): Promise<void> {
  const result = await session.call(`queue.${verb}`, selectionOf(verb, ids, options))
  const hint =
    result.selected > 0 || options.all
      ? ''
      : '`pennypost queue list` shows the next hops, senders and recipients that there are.\n'
  report(session, result, `${changeText(changes[verb], result)}${hint}`)
}

type Changed = OperationResult<'queue.hold'>

/** The lines of a verb that changes entries. */
export function changeText(words: { done: string; untouched: string }, result: Changed): string {
  const { selected, changed, untouched, missing } = result
  const others = selected - changed - untouched
  return [
    `${plural(changed, 'entry', 'entries')} ${words.done}.`,
    ...(untouched > 0 ? [`${untouched} ${are(untouched)} ${words.untouched}.`] : []),
    ...(others > 0 ? [`${others} had changed in the meantime.`] : []),
    ...missing.map((id) => `Nothing in the queue has the id ${id}.`),
  ].reduce((text, line) => `${text}${line}\n`, '')
}

const are = (count: number): string => (count === 1 ? 'is' : 'are')

/** With exit code 1 where something that was named is not there. */
function report(session: Session, result: Changed, text: string): void {
  session.show(result, text)
  if (result.missing.length > 0) process.exitCode = 1
}

async function redirect(session: Session, nextHop: string, ids: string[], options: SelectOptions): Promise<void> {
  const selection = selectionOf('redirect', ids, options)
  const result = await session.call('queue.redirect', { selection, nextHop })
  report(session, result, changeText({ done: 'on another way', untouched: 'not on the way to another host' }, result))
}

type RuleOptions = Pick<FilterOptions, 'destination' | 'from' | 'to'>

function withRule(command: Command): Command {
  return command
    .option('--destination <next-hop>', 'on its way to this next hop')
    .option('--from <address>', 'from this sender or @domain; "<>" for bounces')
    .option('--to <address>', 'to this recipient or @domain')
}

function ruleOf({ destination, from, to }: RuleOptions) {
  if ([destination, from, to].filter((each) => each !== undefined).length !== 1) {
    throw new UsageError('Say what the rule holds: one of --destination, --from, --to.')
  }
  return { destination, from: senderOf(from), to }
}

async function addRule(session: Session, options: RuleOptions): Promise<void> {
  const result = await session.call('queue.rule-add', { when: ruleOf(options) })
  session.show(result, `Mail is held: ${result.rule}. \`pennypost queue list --held\` shows it.\n`)
}

async function removeRule(session: Session, options: RuleOptions): Promise<void> {
  const result = await session.call('queue.rule-remove', { when: ruleOf(options) })
  session.show(result, `No longer held: ${result.rule}. \`pennypost queue release\` lets go what is.\n`)
}

async function listRules(session: Session): Promise<void> {
  const rules = await session.call('queue.rules', {})
  const columns = [
    { title: 'HELD', value: ({ rule }: (typeof rules)[number]) => rule },
    { title: 'SINCE', value: ({ since }: (typeof rules)[number]) => formatTime(since) },
  ]
  session.show(rules, formatTable(rules, columns, 'Nothing is held by a rule.'))
}
