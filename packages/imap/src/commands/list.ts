/**
 * LIST in its plain and its extended form (RFC 5258): which names are chosen, and how a line of it is written. What
 * options there are, extensions say.
 */
import { delimiter, superiors, turnTaking } from '@pennypost/model'
import { hasRight, type VisibleMailbox } from '../access/visible-mailbox.ts'
import { type Command, loggedIn } from '../command.ts'
import type { ListReturn, ListSelection } from '../extension.ts'
import { listPattern, printMailbox, type WrittenMailbox } from '../grammar/mailbox.ts'
import { type HierarchyName, hierarchyOf } from '../list/hierarchy.ts'
import { nameMatcher, namesPerTurn } from '../list/pattern.ts'
import { bad } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'

interface Args {
  selections: ListSelection[]
  patterns: string[]
  /** What is said after the line of each mailbox. */
  returns: { kind: ListReturn; run: ReturnType<ListReturn['parse']> }[]
  /** No extended syntax was used. */
  basic: boolean
  /** The mailbox is "": whatever the reference, only the delimiter is asked for. */
  delimiterOnly: boolean
}

/** `"LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]` */
function parse(cursor: Cursor, session: Session): Args {
  const { limits, registry } = session.service
  const args: Args = { selections: [], patterns: [], returns: [], basic: true, delimiterOnly: false }
  cursor.sp()
  if (cursor.peek() === '(') {
    args.basic = false
    cursor.list(() => {
      const name = cursor.word('Selection option')
      const kind = registry.listSelections.get(name)
      if (!kind) throw bad(`Unknown selection option ${name.slice(0, 40)}`)
      if (!args.selections.includes(kind)) args.selections.push(kind)
    }, limits.parameters)
    if (args.selections.some((kind) => kind.modifies) && !args.selections.some((kind) => kind.selects)) {
      throw bad('RECURSIVEMATCH needs a selection option that chooses mailboxes')
    }
    cursor.sp()
  }
  const reference = cursor.astring('Reference')
  cursor.sp()
  const pattern = (): string => {
    const mailbox = cursor.listMailbox()
    args.patterns.push(listPattern(reference + mailbox, session.utf8Names))
    return mailbox
  }
  if (cursor.peek() === '(') {
    args.basic = false
    cursor.someOf('Pattern', pattern, limits.parameters)
  } else args.delimiterOnly = pattern() === '' && args.basic
  if (cursor.skip(' ')) {
    args.basic = args.delimiterOnly = false
    cursor.expect('RETURN')
    cursor.sp()
    cursor.list(() => {
      const name = cursor.word('Return option')
      const kind = registry.listReturns.get(name)
      if (!kind) throw bad(`Unknown return option ${name.slice(0, 40)}`)
      if (args.returns.some((known) => known.kind === kind)) throw bad('A return option is repeated')
      args.returns.push({ kind, run: kind.parse(cursor, session) })
    }, limits.parameters)
  }
  return args
}

async function run(session: Session, args: Args): Promise<undefined> {
  if (args.delimiterOnly) {
    session.untagged(`LIST (\\Noselect) "${delimiter}" ""`)
    return undefined
  }
  const names = await hierarchyOf(session)
  const matches = nameMatcher(args.patterns, session.utf8Names)
  const chosen = args.selections.filter((kind) => kind.selects)
  const recursive = args.selections.some((kind) => kind.modifies)
  const isChosen = (name: HierarchyName): boolean => chosen.every((kind) => kind.selects?.(name))
  const matching: HierarchyName[] = []
  const turnOfMatching = turnTaking(namesPerTurn(args.patterns))
  for (const name of names.values()) {
    if (matches(name.name)) matching.push(name)
    const othersTurn = turnOfMatching()
    if (othersTurn) await othersTurn
  }
  // RFC 9051 §6.3.9.2: what is below is spoken of only where it is not listed itself.
  const listed = new Set(matching)
  const hidden = recursive ? [...names.values()].filter((name) => isChosen(name) && !listed.has(name)) : []
  const above = superiorsOf(hidden)
  const turn = turnTaking()
  for (const name of matching) {
    const othersTurn = turn()
    if (othersTurn) await othersTurn
    const itself = chosen.length === 0 ? name.inHierarchy : isChosen(name)
    const inside = above.has(name.name)
    if (!itself && !inside) continue
    sayName(session, name, args, inside ? chosen.map((kind) => kind.name) : [])
    for (const { run } of name.mailbox ? args.returns : []) {
      await run(session, name.mailbox as VisibleMailbox)
      const turnAgain = turn()
      if (turnAgain) await turnAgain
    }
    const room = session.out.ready()
    if (room) await room
  }
  return undefined
}

function superiorsOf(names: readonly HierarchyName[]): Set<string> {
  return new Set(names.flatMap(({ name }) => superiors(name)))
}

/**
 * `mailbox-list = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox [SP mbox-list-extended]`
 * @param extended an item of mbox-list-extended with its values, none where there are no values
 */
export function sayList(
  session: Session,
  name: string,
  attributes: readonly string[],
  item: string,
  values: readonly string[],
): void {
  const extended = values.length === 0 ? '' : ` ("${item}" (${values.join(' ')}))`
  session.untagged(`LIST (${attributes.join(' ')}) "${delimiter}" ${printMailbox(name, session.utf8Names)}${extended}`)
}

function sayName(
  session: Session,
  name: HierarchyName,
  { selections, returns, basic }: Args,
  childInfo: readonly string[],
): void {
  const attributes = attributesOf(name, basic && !session.rev2 ? '\\Noselect' : '\\NonExistent')
  const tellsSubscribed = [...selections, ...returns.map(({ kind }) => kind)].some((kind) => kind.name === 'SUBSCRIBED')
  if (tellsSubscribed && name.subscribed) attributes.push('\\Subscribed')
  const kinds = childInfo.filter((kind) => kind === 'SUBSCRIBED').map((kind) => `"${kind}"`)
  sayList(session, name.name, attributes, 'CHILDINFO', kinds)
}

/**
 * Attributes that do not depend on what was asked (RFC 9051 §7.3.1, RFC 6154 §2). \NonExistent implies \Noselect, and
 * the grammar has one of them; who asks in the old way may know only the old one.
 */
export function attributesOf(
  { mailbox, hasChildren }: HierarchyName,
  absent: '\\Noselect' | '\\NonExistent',
): string[] {
  const attributes: string[] = []
  if (hasChildren !== undefined) attributes.push(hasChildren ? '\\HasChildren' : '\\HasNoChildren')
  if (!mailbox) attributes.unshift(absent)
  else if (!hasRight(mailbox, 'r')) attributes.unshift('\\Noselect')
  if (mailbox?.specialUse) attributes.push(mailbox.specialUse)
  return attributes
}

/** The LIST response for one mailbox, as SELECT has it under IMAP4rev2. */
export function sayListed(session: Session, name: HierarchyName): void {
  sayName(session, name, { selections: [], patterns: [], returns: [], basic: true, delimiterOnly: false }, [])
}

/** Which name it is that the client did not write in NFC (RFC 9051 §6.3.9.7). */
export function sayNormalized(session: Session, { name, written }: WrittenMailbox, attributes: string[] = []): void {
  if (session.rev2 && written !== undefined)
    sayList(session, name, attributes, 'OLDNAME', [printMailbox(written, true)])
}

export const list = {
  name: 'LIST',
  rfc: 'RFC 9051 §6.3.9',
  states: loggedIn,
  effects: {},
  parse,
  run,
} satisfies Command<Args>
