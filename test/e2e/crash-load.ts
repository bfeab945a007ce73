/**
 * Mixed work for a server that is about to be killed: letters by SMTP, LMTP and APPEND, STORE, COPY, MOVE, EXPUNGE, POP3
 * and the queue, all at once. Each driver writes down what it was told before it goes on, in `Told`: what was
 * acknowledged must be so after the crash, what was under way may be so or not.
 */
import { randomBytes } from 'node:crypto'
import { type Random, UidSet } from '@pennypost/model'
import { type Dialogue, openDialogue, openImapDialogue, openPop3Dialogue } from './full-disk-dialogue.ts'

export const bob = 'bob@one.test'
const alice = 'alice@one.test'
/** Where our letter begins in what is stored: behind the trace that the server put before it. */
export const mark = 'X-Letter: '

export type Ports = Readonly<Record<string, number>>

export class Told {
  /** Letters to Bob that were acknowledged. */
  readonly stored = new Set<string>()
  /** Letters to Bob by SMTP or LMTP that nobody answered for: to be sent again, as clients do. */
  readonly unanswered = new Map<string, { lane: string; raw: Buffer }>()
  /** Letters whose expunge was acknowledged, or was under way. */
  readonly expunged = new Set<string>()
  readonly perhapsExpunged = new Set<string>()
  /** What each UID was said to be: `mailbox uidvalidity uid` → letter. */
  readonly uids = new Map<string, string>()
  /** Copies in Archive that were acknowledged, as keys of `uids`. */
  readonly copies = new Set<string>()
  modSeq = 0
  /** Letters to Alice that POP3 took away, or was about to. */
  readonly taken = new Set<string>()
  readonly perhapsTaken = new Set<string>()
  readonly toAlice = new Set<string>()
  /** Queue ids of letters to elsewhere. */
  readonly queued = new Set<string>()
  acknowledgements = 0
}

export function letterOf(name: string, octets: number): Buffer {
  const text = randomBytes(octets * 0.74).toString('base64')
  const lines = text.match(/.{1,76}/g) ?? []
  return Buffer.from(`${mark}${name}\r\nFrom: x@elsewhere.test\r\n\r\n${lines.join('\r\n')}\r\n`)
}

const hello = (lane: string): string => (lane === 'lmtp' ? 'LHLO client.test' : 'EHLO client.test')

export interface Work {
  ports: Ports
  told: Told
  random: Random
}

/** Delivers to Bob, letter after letter. */
export async function deliver({ ports, told }: Work, lane: string, octets: number): Promise<void> {
  using session = await openDialogue(ports[lane] ?? 0, hello(lane))
  for (;;) {
    const name = randomBytes(9).toString('hex')
    const raw = letterOf(name, octets)
    told.unanswered.set(name, { lane, raw })
    if (!(await session.deliver(bob, raw)).startsWith('250')) throw new Error('not taken')
    told.stored.add(name)
    told.unanswered.delete(name)
    told.acknowledgements++
  }
}

/** Sends again what nobody answered for. */
export async function repeat(ports: Ports, told: Told): Promise<void> {
  for (const [name, { lane, raw }] of told.unanswered) {
    using session = await openDialogue(ports[lane] ?? 0, hello(lane))
    const reply = await session.deliver(bob, raw)
    if (!reply.startsWith('250')) throw new Error(`not taken again: ${reply}`)
    told.stored.add(name)
    told.unanswered.delete(name)
  }
}

export async function append({ ports, told }: Work, octets: number): Promise<void> {
  using session = await openImapDialogue(ports.imaps ?? 0, bob)
  for (;;) {
    const name = randomBytes(9).toString('hex')
    const response = await session.append('INBOX', letterOf(name, octets))
    const [, validity, uid] = /\[APPENDUID (\d+) (\d+)\]/.exec(response) ?? []
    if (uid === undefined) throw new Error(response)
    told.stored.add(name)
    told.uids.set(`INBOX ${validity} ${uid}`, name)
    told.acknowledgements++
  }
}

/** The UIDs of a mailbox with their letters, and its UIDVALIDITY; the mailbox is selected. */
export async function lettersIn(imap: Dialogue, mailbox: string, told: Told): Promise<Map<number, string>> {
  const selected = await imap.command(`SELECT ${mailbox}`)
  const validity = /\[UIDVALIDITY (\d+)\]/.exec(selected)?.[1]
  const found = new Map<number, string>()
  const fetched = await imap.command('UID FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (X-Letter)])')
  for (const [, uid, name] of fetched.matchAll(
    /UID (\d+) BODY\[HEADER\.FIELDS \(X-Letter\)\] \{\d+\}\r\nX-Letter: (\w+)/g,
  )) {
    found.set(Number(uid), name as string)
    told.uids.set(`${mailbox} ${validity} ${uid}`, name as string)
  }
  return found
}

/** Flags, copies, moves and expunges of Bob's messages, at random. */
export async function rearrange({ ports, told, random }: Work): Promise<void> {
  using imap = await openImapDialogue(ports.imaps ?? 0, bob)
  await imap.command('ENABLE QRESYNC')
  const say = async (line: string): Promise<string> => {
    const response = await imap.command(line)
    for (const [, modSeq] of response.matchAll(/(?:MODSEQ \(?|HIGHESTMODSEQ )(\d+)/g)) {
      told.modSeq = Math.max(told.modSeq, Number(modSeq))
    }
    if (!/^a\d+ OK/m.test(response)) throw new Error(response)
    told.acknowledgements++
    return response
  }
  for (;;) {
    const known = [...(await lettersIn(imap, 'INBOX', told))]
    for (let steps = 0; steps < 12 && known.length > 0; steps++) {
      const index = Math.floor(random.fraction() * known.length)
      const [uid, name] = known[index] as [number, string]
      const kind = random.fraction()
      if (kind < 0.5) await say(`UID STORE ${uid} ${kind < 0.25 ? '+' : '-'}FLAGS (\\Flagged k${uid % 7})`)
      else if (kind < 0.65) {
        const [, validity, copy] = /\[COPYUID (\d+) \d+ (\d+)\]/.exec(await say(`UID COPY ${uid} Archive`)) ?? []
        told.uids.set(`Archive ${validity} ${copy}`, name)
        told.copies.add(`Archive ${validity} ${copy}`)
      } else if (kind < 0.85) {
        const [, validity, moved] = /\[COPYUID (\d+) \d+ (\d+)\]/.exec(await say(`UID MOVE ${uid} Trash`)) ?? []
        told.uids.set(`Trash ${validity} ${moved}`, name)
        known.splice(index, 1)
      } else {
        told.perhapsExpunged.add(name)
        await say(`UID STORE ${uid} +FLAGS (\\Deleted)`)
        await say(`UID EXPUNGE ${uid}`)
        told.expunged.add(name)
        known.splice(index, 1)
      }
    }
  }
}

/** Letters to Alice, which she takes away by POP3. */
export async function take({ ports, told }: Work): Promise<void> {
  using lmtp = await openDialogue(ports.lmtp ?? 0, 'LHLO client.test')
  for (;;) {
    const name = randomBytes(9).toString('hex')
    if (!(await lmtp.deliver(alice, letterOf(name, 1000))).startsWith('250')) throw new Error('not taken')
    told.toAlice.add(name)
    using pop3 = await openPop3Dialogue(ports.pop3s ?? 0, alice)
    const top = await pop3.say('TOP 1 0', /\r\n\.\r\n$/)
    const first = new RegExp(`${mark}(\\w+)`).exec(top)?.[1] as string
    await pop3.say('DELE 1')
    told.perhapsTaken.add(first)
    if (!(await pop3.say('QUIT')).startsWith('+OK')) throw new Error('not taken away')
    told.taken.add(first)
    told.acknowledgements++
  }
}

/** Letters of Bob to somewhere that cannot be reached: the queue tries and defers. */
export async function submit({ ports, told }: Work): Promise<void> {
  using session = await openDialogue(ports.submission ?? 0, 'EHLO client.test')
  const login = Buffer.from(`\0${bob}\0secret`).toString('base64')
  const answer = await session.say(`AUTH PLAIN ${login}`)
  if (!answer.startsWith('235')) throw new Error(answer)
  for (let n = 0; ; n++) {
    for (const line of [`MAIL FROM:<${bob}>`, `RCPT TO:<x@d${n % 5}.test>`, 'DATA']) await session.say(line)
    const raw = Buffer.from(`From: ${bob}\r\nSubject: ${n}\r\n\r\ntext\r\n`)
    const id = /queued as (\S+)/.exec(await session.content(raw))?.[1]
    if (id === undefined) throw new Error('not queued')
    told.queued.add(id)
    told.acknowledgements++
  }
}

export interface Cached {
  uidValidity: string
  modSeq: string
  flags: Map<number, string>
}

const flagsOf = (text: string): string =>
  (/FLAGS \(([^)]*)\)/.exec(text)?.[1] ?? '')
    .split(' ')
    .filter((flag) => flag !== '\\Recent')
    .sort()
    .join(' ')

/** What a client keeps of INBOX, to come up to date later. */
export async function cacheInbox(ports: Ports): Promise<Cached> {
  using imap = await openImapDialogue(ports.imaps ?? 0, bob)
  await imap.command('ENABLE QRESYNC')
  const selected = await imap.command('SELECT INBOX')
  const [, uidValidity = ''] = /\[UIDVALIDITY (\d+)\]/.exec(selected) ?? []
  const [, modSeq = ''] = /\[HIGHESTMODSEQ (\d+)\]/.exec(selected) ?? []
  return { uidValidity, modSeq, flags: flagsByUid(await imap.command('UID FETCH 1:* (FLAGS)')) }
}

function flagsByUid(text: string): Map<number, string> {
  const lines = text.match(/^\* \d+ FETCH \(.*\)\r\n/gm) ?? []
  return new Map(lines.map((line) => [Number(/UID (\d+)/.exec(line)?.[1]), flagsOf(line)]))
}

/** What such a client has after QRESYNC, and what is there. */
export async function resynchronise(ports: Ports, cached: Cached): Promise<{ known: object; there: object }> {
  using imap = await openImapDialogue(ports.imaps ?? 0, bob)
  await imap.command('ENABLE QRESYNC')
  const news = await imap.command(`SELECT INBOX (QRESYNC (${cached.uidValidity} ${cached.modSeq}))`)
  const known = new Map(cached.flags)
  for (const [, set = ''] of news.matchAll(/^\* VANISHED \(EARLIER\) (\S+)\r$/gm)) {
    for (const uid of known.keys()) if (parseSet(set).has(uid)) known.delete(uid)
  }
  for (const [uid, flags] of flagsByUid(news)) known.set(uid, flags)
  const there = flagsByUid(await imap.command('UID FETCH 1:* (FLAGS)'))
  const sorted = (map: Map<number, string>) => Object.fromEntries([...map].sort(([a], [b]) => a - b))
  return { known: sorted(known), there: sorted(there) }
}

function parseSet(text: string): UidSet {
  const ranges = text.split(',').map((range) => range.split(':').map(Number) as [number, number?])
  return UidSet.ofRanges(ranges.map(([first, last = first]) => [first, last]))
}
