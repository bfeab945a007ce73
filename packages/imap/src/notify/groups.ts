/** What a client wants to be told (RFC 5465 §5, §6): groups of events, read from NOTIFY SET and asked by name. */
import type { FetchItem } from '../fetch/fetch-item.ts'
import { fetchAtts } from '../grammar/fetch-att.ts'
import { type FilterMailboxes, filterMailboxes, isMeant } from '../grammar/filter-mailboxes.ts'
import { bad } from '../refusal.ts'
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

/** Events, and the mailboxes of which they are wanted. */
interface Group extends Events, FilterMailboxes {}

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
  const meaning = groups.filter((group) => isMeant(group, name, subscribed))
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

/** `event-groups = event-group *(SP event-group)` */
export function eventGroups(cursor: Cursor, session: Session): Wanted {
  const limit = session.service.limits.parameters
  const groups: Group[] = []
  const unknown: string[] = []
  let selected: SelectedEvents | undefined
  do {
    if (groups.length >= limit) throw bad('Too many groups of events')
    cursor.expect('(')
    const word = cursor.word('Mailbox filter')
    const ofSelected = word === 'SELECTED' || word === 'SELECTED-DELAYED'
    const filter = ofSelected ? undefined : filterMailboxes(word, cursor, session)
    cursor.sp()
    const { fetch, names } = events(cursor, session, ofSelected)
    cursor.expect(')')
    const wanted = { ...nothing }
    unknown.push(...apply(wanted, names))
    if (filter) groups.push({ ...filter, ...wanted })
    else if (selected) throw bad('SELECTED or SELECTED-DELAYED once')
    else {
      if (names.some((name) => name in otherEvents)) throw bad('Of the selected mailbox only events of messages')
      selected = { messages: wanted.messages, flags: wanted.flags, immediate: word === 'SELECTED', fetch }
    }
  } while (cursor.skip(' '))
  return { selected: selected ?? nothingWanted.selected, groups, unknown }
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
  const limit = session.service.limits.parameters
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
