import { foldText as fold } from '@pennypost/message'
import { type SearchQuery, systemFlags } from '@pennypost/model'
import type { SearchKeyKind } from '../extension.ts'
import { date } from '../grammar/date.ts'
import { atSequenceSet, sequenceSet } from '../grammar/sequence-set.ts'
import { bad } from '../refusal.ts'
import type { Cursor } from '../wire/cursor.ts'
import { nothingMatches, numbersMean, type SearchContext, type SearchKey } from './search-key.ts'

/** The search keys of RFC 9051 §6.4.4, and of RFC 3501 §6.4.4 those that speak of \Recent. */

function fixed(name: string, query: SearchQuery): SearchKeyKind {
  return { name, parse: () => () => query }
}

function flagKeys(name: string, bit: number): SearchKeyKind[] {
  return [fixed(name, { key: 'flags', set: bit, clear: 0 }), fixed(`UN${name}`, { key: 'flags', set: 0, clear: bit })]
}

/**
 * `KEYWORD SP flag-keyword`; a keyword that the mailbox does not have is set on no message. SnappyMail, go-imap and emailjs
 * write a string here, which Dovecot takes.
 */
function keyword(name: string, isSet: boolean): SearchKeyKind {
  return {
    name,
    parse(cursor) {
      cursor.sp()
      const flag = cursor.astring('Keyword')
      return ({ view }) => {
        const bits = view.open.bitsOf(flag)
        if (bits === undefined) return isSet ? nothingMatches : { key: 'all' }
        return { key: 'flags', set: isSet ? bits : 0, clear: isSet ? 0 : bits }
      }
    },
  }
}

function day(name: string, of: 'internal' | 'sent', relation: 'before' | 'on' | 'since'): SearchKeyKind {
  return {
    name,
    parse(cursor) {
      cursor.sp()
      const query: SearchQuery = { key: 'day', of, relation, day: date(cursor) }
      return () => query
    },
  }
}

function octets(name: string, key: 'larger' | 'smaller'): SearchKeyKind {
  return {
    name,
    parse(cursor) {
      cursor.sp()
      const query: SearchQuery = { key, octets: cursor.number64() }
      return () => query
    },
  }
}

/** A tab in a header section counts as a space: many fold lines with it. */
function inHeader(text: string): string {
  return fold(text.replaceAll('\t', ' '))
}

/** `"BCC" SP astring` and its kin: a header field contains the text. */
function field(name: string): SearchKeyKind {
  return {
    name,
    parse(cursor, _, { text }) {
      cursor.sp()
      const query: SearchQuery = { key: 'header', field: fold(name), text: inHeader(text()) }
      return () => query
    },
  }
}

function text(name: string, key: 'body' | 'text'): SearchKeyKind {
  return {
    name,
    parse(cursor, _, { text }) {
      cursor.sp()
      const query: SearchQuery = { key, text: fold(text()) }
      return () => query
    },
  }
}

/** `"HEADER" SP header-fld-name SP astring` */
const header: SearchKeyKind = {
  name: 'HEADER',
  parse(cursor, _, { text }) {
    cursor.sp()
    const name = fold(cursor.astring('Header field name'))
    cursor.sp()
    const query: SearchQuery = { key: 'header', field: name, text: inHeader(text()) }
    return () => query
  },
}

const not: SearchKeyKind = {
  name: 'NOT',
  parse(cursor, _, { key }) {
    cursor.sp()
    const inner = cursor.nested(key)
    return (context) => ({ key: 'not', query: inner(context) })
  },
}

const or: SearchKeyKind = {
  name: 'OR',
  parse(cursor, _, { key }) {
    const [left, right] = cursor.nested(() => {
      cursor.sp()
      const first = key()
      cursor.sp()
      return [first, key()] as const
    })
    return (context) => ({ key: 'or', queries: [left(context), right(context)] })
  },
}

/** `"UID" SP sequence-set`, which PHP-IMAP puts between quotes. */
const uid: SearchKeyKind = {
  name: 'UID',
  parse(cursor) {
    cursor.sp()
    const isQuoted = cursor.skip('"')
    if (!atSequenceSet(cursor)) throw bad('UID set expected')
    const set = sequenceSet(cursor)
    if (isQuoted) cursor.expect('"')
    return (context) => ({ key: 'uids', uids: set.saved ? numbersMean(context, set) : context.view.select(set, 'uid') })
  },
}

function recentUids({ view }: SearchContext): SearchQuery {
  return view.recent.isEmpty ? nothingMatches : { key: 'uids', uids: view.recent }
}

const unseen: SearchQuery = { key: 'flags', set: 0, clear: systemFlags['\\Seen'] }

export const baseSearchKeys: readonly SearchKeyKind[] = [
  fixed('ALL', { key: 'all' }),
  ...flagKeys('ANSWERED', systemFlags['\\Answered']),
  ...flagKeys('DELETED', systemFlags['\\Deleted']),
  ...flagKeys('DRAFT', systemFlags['\\Draft']),
  ...flagKeys('FLAGGED', systemFlags['\\Flagged']),
  ...flagKeys('SEEN', systemFlags['\\Seen']),
  keyword('KEYWORD', true),
  keyword('UNKEYWORD', false),
  day('BEFORE', 'internal', 'before'),
  day('ON', 'internal', 'on'),
  day('SINCE', 'internal', 'since'),
  day('SENTBEFORE', 'sent', 'before'),
  day('SENTON', 'sent', 'on'),
  day('SENTSINCE', 'sent', 'since'),
  octets('LARGER', 'larger'),
  octets('SMALLER', 'smaller'),
  field('BCC'),
  field('CC'),
  field('FROM'),
  field('SUBJECT'),
  field('TO'),
  header,
  text('BODY', 'body'),
  text('TEXT', 'text'),
  not,
  or,
  uid,
  { name: 'RECENT', parse: () => recentUids },
  { name: 'NEW', parse: () => (context) => ({ key: 'and', queries: [recentUids(context), unseen] }) },
  { name: 'OLD', parse: () => (context) => ({ key: 'not', query: recentUids(context) }) },
]

/** `"(" search-key *(SP search-key) ")"` and `sequence-set`, which have no name. */
export function unnamedKey(cursor: Cursor, key: () => SearchKey): SearchKey | undefined {
  if (cursor.peek() === '(') {
    const keys: SearchKey[] = []
    cursor.someOf('Search key', () => keys.push(key()), Number.POSITIVE_INFINITY)
    return allOf(keys)
  }
  if (!atSequenceSet(cursor)) return undefined
  const set = sequenceSet(cursor)
  return (context) => ({ key: 'uids', uids: numbersMean(context, set) })
}

/** All of them must hold. */
export function allOf(keys: readonly SearchKey[]): SearchKey {
  const [only] = keys
  if (keys.length === 1 && only) return only
  return (context) => ({ key: 'and', queries: keys.map((key) => key(context)) })
}
