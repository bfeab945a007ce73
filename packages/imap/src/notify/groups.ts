/** What a client wants to be told (RFC 5465 §5, §6): groups of events, read from NOTIFY SET and asked by name. */
import { isAmongOthers, superiors } from '@pennypost/model'
import type { FetchItem } from '../fetch/fetch-item.ts'
import { fetchAtts } from '../grammar/fetch-att.ts'
import { decodeMailbox } from '../grammar/mailbox.ts'
import { bad, ImapRefusal } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'

/** Events of mailboxes that are not selected, and of the server. MessageNew and MessageExpunge only come together. */
export interface Events {
  messages: boolean
  flags: boolean
  names: boolean
  subscriptions: boolean
  metadata: boolean
  serverMetadata: boolean
}

/** Which mailboxes a group means. */
interface Group extends Events {
  filter: 'personal' | 'subscribed' | 'subtree' | 'subtree-one' | 'mailboxes'
  mailboxes: ReadonlySet<string>
}

/** What is told of the selected mailbox. */
export interface SelectedEvents {
  messages: boolean
  flags: boolean
  /** Expunges are told between commands too: SELECTED, not SELECTED-DELAYED. */
  immediate: boolean
  /** Of each new message. */
  fetch: readonly FetchItem[]
}

/** The events of one NOTIFY SET. */
export interface Wanted {
  selected: SelectedEvents
  groups: readonly Group[]
  /** In upper case; a NO [BADEVENT] when there are any. */
  unknown: readonly string[]
}

const nothing: Events = {
  messages: false,
  flags: false,
  names: false,
  subscriptions: false,
  metadata: false,
  serverMetadata: false,
}

/** NOTIFY NONE: not even of the selected mailbox (RFC 5465 §3.1). */
export const nothingWanted: Wanted = {
  selected: { messages: false, flags: false, immediate: false, fetch: [] },
  groups: [],
  unknown: [],
}

/** What is wanted of a mailbox of that name, by all groups together. */
export function eventsOf(groups: readonly Group[], name: string, subscribed: boolean): Events {
  const meaning = groups.filter((group) => means(group, name, subscribed))
  if (meaning.length === 0) return nothing
  const any = (event: keyof Events): boolean => meaning.some((group) => group[event])
  return {
    messages: any('messages'),
    flags: any('flags'),
    names: any('names'),
    subscriptions: any('subscriptions'),
    metadata: any('metadata'),
    serverMetadata: any('serverMetadata'),
  }
}

function means({ filter, mailboxes }: Group, name: string, subscribed: boolean): boolean {
  if (filter === 'personal') return !isAmongOthers(name)
  if (filter === 'subscribed') return subscribed
  if (mailboxes.has(name)) return true
  const above = filter === 'mailboxes' ? [] : superiors(name)
  return (filter === 'subtree' ? above : above.slice(-1)).some((superior) => mailboxes.has(superior))
}

/** `event-groups = event-group *(SP event-group)` */
export function eventGroups(cursor: Cursor, session: Session): Wanted {
  const limit = session.service.limits.listPatterns
  const groups: Group[] = []
  const unknown: string[] = []
  let selected: SelectedEvents | undefined
  do {
    if (groups.length >= limit) throw bad('Too many groups of events')
    cursor.expect('(')
    const filter = cursor.word('Mailbox filter')
    const ofSelected = filter === 'SELECTED' || filter === 'SELECTED-DELAYED'
    const group = { ...filterOf(filter, ofSelected, cursor, session), ...nothing }
    cursor.sp()
    const { fetch, names } = events(cursor, session, ofSelected)
    cursor.expect(')')
    unknown.push(...apply(group, names))
    if (!ofSelected) groups.push(group)
    else if (selected) throw bad('SELECTED or SELECTED-DELAYED once')
    else {
      if (names.some((name) => name in otherEvents)) throw bad('Of the selected mailbox only events of messages')
      selected = { messages: group.messages, flags: group.flags, immediate: filter === 'SELECTED', fetch }
    }
  } while (cursor.skip(' '))
  return { selected: selected ?? nothingWanted.selected, groups, unknown }
}

const filters: Readonly<Record<string, Group['filter']>> = {
  PERSONAL: 'personal',
  // Mail may come into INBOX and into whatever mailbox is \Junk at that moment: too much to follow (RFC 5465 §6.3).
  INBOXES: 'personal',
  SUBSCRIBED: 'subscribed',
  SUBTREE: 'subtree',
  // Added to the filters of NOTIFY by RFC 7377 §4.
  'SUBTREE-ONE': 'subtree-one',
  MAILBOXES: 'mailboxes',
}

/** `filter-mailboxes`, the names behind it included. */
function filterOf(
  word: string,
  ofSelected: boolean,
  cursor: Cursor,
  session: Session,
): Pick<Group, 'filter' | 'mailboxes'> {
  const mailboxes = new Set<string>()
  const filter = ofSelected ? 'mailboxes' : filters[word]
  if (!filter) throw bad(`Unknown mailbox filter ${word.slice(0, 40)}`)
  if (ofSelected || filter === 'personal' || filter === 'subscribed') return { filter, mailboxes }
  const name = (): void => {
    const wire = cursor.astring('Mailbox name')
    try {
      mailboxes.add(decodeMailbox(wire, session.utf8Names))
    } catch (error) {
      // A name that no mailbox can have is that of none: RFC 5465 §3.1 wants it ignored.
      if (!(error instanceof ImapRefusal && error.kind === 'NO')) throw error
    }
  }
  cursor.sp()
  if (cursor.peek() === '(') {
    cursor.someOf('Mailbox name', name, session.service.limits.listPatterns)
  } else name()
  return { filter, mailboxes }
}

/** `events`; without parentheses around several too, as the RFC's own example in §3.1 has them. */
function events(cursor: Cursor, session: Session, ofSelected: boolean): { names: string[]; fetch: FetchItem[] } {
  const names: string[] = []
  let fetch: FetchItem[] = []
  const event = (): void => {
    const name = cursor.word('Event')
    names.push(name)
    if (name !== 'MESSAGENEW' || !cursor.match(/ (?=\()/y)) return
    if (!ofSelected) throw bad('Fetch items go with the selected mailbox only')
    fetch = fetchAtts(cursor, session)
  }
  const limit = session.service.limits.listPatterns
  if (cursor.peek() === '(') {
    cursor.someOf('Event', event, limit)
    return { names, fetch }
  }
  if (cursor.peekWord() === 'NONE') {
    cursor.word()
    return { names, fetch }
  }
  do {
    if (names.length >= limit) throw bad('Too many events')
    event()
  } while (cursor.skip(' '))
  return { names, fetch }
}

const otherEvents: Readonly<Record<string, keyof Events>> = {
  MAILBOXNAME: 'names',
  SUBSCRIPTIONCHANGE: 'subscriptions',
  MAILBOXMETADATACHANGE: 'metadata',
  SERVERMETADATACHANGE: 'serverMetadata',
}

/** Sets them in the group and gives those that nobody knows; RFC 5465 §5 says which must come together. */
function apply(group: Events, names: readonly string[]): string[] {
  const has = (name: string): boolean => names.includes(name)
  if (has('MESSAGENEW') !== has('MESSAGEEXPUNGE')) throw bad('MessageNew and MessageExpunge come together')
  if ((has('FLAGCHANGE') || has('ANNOTATIONCHANGE')) && !has('MESSAGENEW')) {
    throw bad('FlagChange needs MessageNew and MessageExpunge')
  }
  group.messages = has('MESSAGENEW')
  group.flags = has('FLAGCHANGE')
  const unknown: string[] = []
  for (const name of names) {
    const event = otherEvents[name]
    if (event) group[event] = true
    else if (!messageEvents.includes(name)) unknown.push(name)
  }
  return unknown
}

const messageEvents = ['MESSAGENEW', 'MESSAGEEXPUNGE', 'FLAGCHANGE']
