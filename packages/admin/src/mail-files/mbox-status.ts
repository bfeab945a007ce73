/**
 * The fields by which mbox files keep what IMAP keeps beside a message: Status, X-Status, X-Keywords, X-UID, X-UIDL, as
 * mutt, Dovecot and UW-IMAP write them. They are read and taken out on import, and set before the header on export: all of
 * them, so that the first of a name is never one that the message has brought along.
 */
import { fieldsOf } from '@pennypost/message'
import { isUidl } from '@pennypost/model'

export interface MboxStatus {
  flags: string[]
  uidl?: string
  /** The header section without these fields. */
  header: Buffer
  /** The message that UW-IMAP puts first to keep its own data; no mail, and so without a UID. */
  isInternal: boolean
}

const letters: Readonly<Record<string, string>> = {
  R: '\\Seen',
  A: '\\Answered',
  F: '\\Flagged',
  D: '\\Deleted',
  T: '\\Draft',
}

// A field of the same name that says something else is the author's own.
const forms: ReadonlyMap<string, RegExp> = new Map([
  ['status', /^[ROUND]*$/],
  ['x-status', /^[RAFDT]*$/],
  ['x-keywords', /^[^\x00-\x1f]*$/],
  ['x-uid', /^\d+$/],
  ['x-uidl', /^[\x21-\x7e]{1,70}$/],
])

/** Takes the fields out of a header section. */
export function readMboxStatus(header: Buffer): MboxStatus {
  const flags = new Set<string>()
  const kept: Buffer[] = []
  const read = new Set<string>()
  let from = 0
  let uidl: string | undefined
  let isInternal = false
  for (const { name, start, valueStart, end } of fieldsOf(header)) {
    if (name === 'x-imap') isInternal ||= !read.has('x-uid')
    const value = header.toString('latin1', valueStart, end).trim()
    if (!forms.get(name)?.test(value) || read.has(name)) continue
    read.add(name)
    kept.push(header.subarray(from, start))
    from = end
    if (name === 'x-uidl' && isUidl(value)) uidl = value
    else if (name === 'x-keywords') for (const keyword of value.split(/\s+/)) if (keyword) flags.add(keyword)
    if (name === 'status' && value.includes('R')) flags.add('\\Seen')
    if (name === 'x-status') for (const letter of value) if (letters[letter]) flags.add(letters[letter])
  }
  kept.push(header.subarray(from))
  return { flags: [...flags], header: Buffer.concat(kept), isInternal, ...(uidl === undefined ? {} : { uidl }) }
}

/** The fields for a message, each ended by CRLF. */
export function writeMboxStatus(flags: readonly string[], uid: number, uidl: string): Buffer {
  const has = (flag: string): boolean => flags.includes(flag)
  const status = Object.entries(letters).filter(([letter, flag]) => letter !== 'R' && has(flag))
  const keywords = flags.filter((flag) => !flag.startsWith('\\'))
  const lines = [
    `Status: ${has('\\Seen') ? 'RO' : 'O'}`,
    `X-Status: ${status.map(([letter]) => letter).join('')}`,
    `X-Keywords: ${keywords.join(' ')}`,
    `X-UID: ${uid}`,
    `X-UIDL: ${uidl}`,
  ]
  return Buffer.from(lines.map((line) => `${line}\r\n`).join(''))
}
