import { isAsciiText } from './charset.ts'
import { downgradeAddress, downgradeParameters, downgradeText } from './downgrade.ts'
import { nstring } from './imap-string.ts'
import type { Parameter } from './parameters.ts'

/**
 * Stored ENVELOPE and BODYSTRUCTURE texts for readers without UTF8=ACCEPT (RFC 6858). Only texts that are not ASCII, or have
 * a message/global, are read at all; the marks of extension data stay where they are.
 */

/** A stored envelope in ASCII. */
export function downgradeEnvelope(stored: string): string {
  if (isAsciiText(stored)) return stored
  const list = readList(stored)
  changeEnvelope(list)
  return printItem(list)
}

/**
 * A stored structure in ASCII, before or after `structureFor`. `rev2`: a message/global has an envelope and a structure, as
 * in RFC 9051; else it is a type like any other, since clients that go by RFC 3501 then read nothing of the whole answer.
 */
export function downgradeStructure(stored: string, rev2: boolean): string {
  if (isAsciiText(stored) && (rev2 || !stored.includes('"message" "global"'))) return stored
  const list = readList(stored)
  changeBody(list, rev2)
  return printItem(list)
}

/** What stands before an item (white space, marks) goes with it. */
type Item = { before: string } & (
  | { kind: 'string'; value: string }
  | { kind: 'atom'; value: string }
  | { kind: 'list'; items: Item[]; end: string }
)
type List = Extract<Item, { kind: 'list' }>

function readList(text: string): List {
  const token = /([ \u0001\u0002]*)(?:"((?:[^"\\]|\\.)*)"|([()])|([^ ()"\u0001\u0002]+))/gsy
  const open: List[] = [{ kind: 'list', before: '', items: [], end: '' }]
  for (let found = token.exec(text); found; found = token.exec(text)) {
    const [, before = '', string, bracket, atom] = found
    const list = open.at(-1) as List
    if (string !== undefined) list.items.push({ kind: 'string', before, value: string.replace(/\\(.)/gs, '$1') })
    else if (atom !== undefined) list.items.push({ kind: 'atom', before, value: atom })
    else if (bracket === '(') {
      const inner: List = { kind: 'list', before, items: [], end: '' }
      list.items.push(inner)
      open.push(inner)
    } else if (open.length > 1) {
      list.end = before
      open.pop()
    }
  }
  const whole = open[0] as List
  const [list] = whole.items
  // What is stored is a list, unless the database is damaged.
  return list?.kind === 'list' ? list : whole
}

function printItem(item: Item): string {
  if (item.kind === 'atom') return item.before + item.value
  if (item.kind === 'string') return item.before + nstring(item.value)
  return `${item.before}(${item.items.map(printItem).join('')}${item.end})`
}

function changeText(item: Item | undefined): void {
  if (item?.kind === 'string') item.value = downgradeText(item.value)
}

/** Ids, dates and locations have no form in ASCII. */
function dropUnlessAscii(list: List, at: number): void {
  const item = list.items[at]
  if (item?.kind === 'string' && !isAsciiText(item.value))
    list.items[at] = { kind: 'atom', before: item.before, value: 'NIL' }
}

function changeEnvelope(list: List): void {
  changeText(list.items[1])
  for (const at of [0, 8, 9]) dropUnlessAscii(list, at)
  for (const addresses of list.items.slice(2, 8)) {
    if (addresses.kind === 'list') for (const address of addresses.items) changeAddress(address)
  }
}

function changeAddress(item: Item): void {
  if (item.kind !== 'list') return
  const [name, route, mailbox, host] = item.items.map((part) => (part.kind === 'string' ? part.value : undefined))
  const changed = downgradeAddress({ name, route, mailbox, host })
  const values = [changed.name, changed.route, changed.mailbox, changed.host]
  item.items = values.map((value, at) => stringItem(at === 0 ? '' : ' ', value))
}

const stringItem = (before: string, value: string | undefined): Item =>
  value === undefined ? { kind: 'atom', before, value: 'NIL' } : { kind: 'string', before, value }

/** body = "(" (body-type-1part / body-type-mpart) ")" */
function changeBody(list: List, rev2: boolean): void {
  const { items } = list
  let at = 0
  for (let inner = items[at]; inner?.kind === 'list'; inner = items[++at]) changeBody(inner, rev2)
  if (at > 0) {
    changeParameters(items[at + 1])
    changeExtension(list, at + 2)
    return
  }
  changeParameters(items[2])
  dropUnlessAscii(list, 3)
  changeText(items[4])
  const [type, subtype, , , , , , envelope, body] = items
  let extension = type?.kind === 'string' && type.value === 'text' ? 8 : 7
  if (envelope?.kind === 'list' && body?.kind === 'list') {
    if (!rev2 && subtype?.kind === 'string' && subtype.value === 'global') {
      items.splice(7, 3)
    } else {
      changeEnvelope(envelope)
      changeBody(body, rev2)
      extension = 10
    }
  }
  dropUnlessAscii(list, extension)
  changeExtension(list, extension + 1)
}

/** body-fld-dsp, body-fld-lang, body-fld-loc */
function changeExtension(list: List, at: number): void {
  const disposition = list.items[at]
  if (disposition?.kind === 'list') changeParameters(disposition.items[1])
  dropUnlessAscii(list, at + 2)
}

function changeParameters(item: Item | undefined): void {
  if (item?.kind !== 'list') return
  const values = item.items.map((part) => (part.kind === 'string' ? part.value : ''))
  const pairs: Parameter[] = []
  for (let at = 0; at + 1 < values.length; at += 2) pairs.push([values[at] as string, values[at + 1] as string])
  const kept = downgradeParameters(pairs).flat()
  item.items = kept.map((value, at) => ({ kind: 'string', before: at === 0 ? '' : ' ', value }))
  if (kept.length === 0) Object.assign(item, { kind: 'atom', value: 'NIL' })
}
