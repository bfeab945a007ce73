/**
 * Several sessions change two mailboxes at random and at once, with NOTIFY, IDLE, kept results, MOVE, REPLACE, `$`,
 * parts of results, and connections that end and begin again with QRESYNC. What each of them believes in the end must be
 * what a fresh session is told. GAMES=FIRST:LAST plays others.
 */
import { seededRandom } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import { password, TestServer } from './dialogue/server.ts'
import { type Known, Mirror, numbers, type Result, sortFlags } from './mirror.ts'

const [firstGame, lastGame] = (process.env.GAMES ?? '1:12').split(':').map(Number) as [number, number]

test.each(Array.from({ length: lastGame - firstGame + 1 }, (_, index) => firstGame + index))(
  'no session believes what is not so: game %i',
  async (seed) => {
    const game = await Game.begin(seed)
    try {
      for (let turn = 0; turn < 2; turn++) {
        for (let round = 0; round < 60; round++) await game.round()
        await game.settle()
      }
    } finally {
      await game.server.stop()
    }
  },
)

const kinds = ['plain', 'condstore', 'qresync', 'qresync', 'plain', 'condstore']
const flags = ['\\Seen', '\\Flagged', '\\Deleted', '\\Answered', 'red', 'blue']
const criteria = [
  ...['UNSEEN', 'FLAGGED', 'UNDELETED', 'NOT KEYWORD red', 'ALL', 'OR SEEN ANSWERED', 'SUBJECT 1'],
  ...['FLAGGED SUBJECT 2', 'UID 3:9 UNSEEN', 'KEYWORD blue UNFLAGGED'],
]
const orders = ['SUBJECT', 'SIZE', 'ARRIVAL', 'DATE REVERSE SIZE', 'FROM SUBJECT']
const notifications = [
  'SET (SELECTED (MessageNew (UID FLAGS) MessageExpunge FlagChange))',
  'SET STATUS (SELECTED (MessageNew MessageExpunge FlagChange)) (PERSONAL (MessageNew MessageExpunge FlagChange))',
  'SET (SELECTED (MessageNew (UID FLAGS) MessageExpunge))',
  'SET (SELECTED-DELAYED (MessageNew MessageExpunge))',
  'NONE',
]

/** A command by UID, or by message number where that is safe, on messages near each other. */
interface Choice {
  set: string
  uid: '' | 'UID '
}

class Game {
  readonly server: TestServer
  readonly #sessions: { mirror: Mirror; kind: string; mailbox: string }[] = []
  readonly #log: string[] = []
  readonly #random: ReturnType<typeof seededRandom>
  #messages = 0

  private constructor(server: TestServer, seed: number) {
    this.server = server
    this.#random = seededRandom(seed)
  }

  static async begin(seed: number): Promise<Game> {
    const server = await TestServer.start()
    const game = new Game(server, seed)
    await server.createMailbox('Other')
    for (let i = 0; i < 6; i++) await server.deliver('INBOX', Buffer.from(game.#message()))
    for (const kind of kinds) {
      game.#sessions.push({ mirror: await game.#session(kind, 'INBOX'), kind, mailbox: 'INBOX' })
    }
    return game
  }

  /** Some of the sessions give a command each, none waiting for another. */
  async round(): Promise<void> {
    const count = this.#below(3) === 0 ? 1 : 2 + this.#below(4)
    const first = this.#below(this.#sessions.length)
    const acting = [...this.#sessions, ...this.#sessions].slice(first, first + count)
    const done = await Promise.allSettled(acting.map((session) => this.#act(session, count === 1)))
    for (const { reason } of done.filter((one) => one.status === 'rejected')) throw this.#explained(reason)
  }

  /** All are told all, and compared. */
  async settle(): Promise<void> {
    for (const { mirror } of this.#sessions) {
      await this.#endIdle(mirror)
      mirror.mayExpunge = true
      if (mirror.notifies) await mirror.say('NOTIFY SET (SELECTED-DELAYED (MessageNew MessageExpunge FlagChange))')
    }
    for (const { mirror } of this.#sessions) await mirror.say('NOOP')
    for (const { mirror, kind, mailbox } of this.#sessions) {
      const fresh = await this.#session('condstore', mailbox)
      await fresh.say('UID FETCH 1:* (UID FLAGS MODSEQ)')
      expect(mirror.messages.length, mirror.name).toBe(fresh.messages.length)
      for (const [index, truth] of fresh.messages.entries()) {
        const believed = mirror.messages[index] as Known
        if (kind === 'plain') delete believed.modSeq
        const known = Object.fromEntries(Object.entries(believed).filter(([, value]) => value !== undefined))
        expect({ ...truth, ...known }, `${mirror.name}: message ${index + 1}`).toEqual(truth)
        believed.uid = truth.uid
      }
      for (const result of mirror.results.values()) await compareResult(fresh, result)
      fresh.client.end()
    }
  }

  async #session(kind: string, mailbox: string): Promise<Mirror> {
    const mirror = new Mirror(`${kind}${this.#sessions.length}`, this.server.connect(), this.#log)
    await mirror.client.response()
    await mirror.say(`LOGIN alice ${password}`)
    if (kind !== 'plain') await mirror.say(`ENABLE ${kind.toUpperCase()}`)
    await mirror.say(`SELECT ${mailbox}`)
    return mirror
  }

  /** The connection ends, wherever it is, and the client takes up what it remembers. */
  async #again({ mirror, kind, mailbox }: { mirror: Mirror; kind: string; mailbox: string }, alone: boolean) {
    mirror.client.end()
    const { place, uidValidity } = mirror
    const known = mirror.reconnect(this.server.connect())
    await mirror.client.response()
    await mirror.say(`LOGIN alice ${password}`)
    await mirror.say(`ENABLE ${kind.toUpperCase()}`)
    const remembers = kind === 'qresync' && known.length > 0
    const uids = known.map(({ uid }) => uid as number)
    const set = this.#below(2) === 0 ? ` ${uids},${(uids.at(-1) ?? 0) + 1}:99999` : ''
    await mirror.say(`SELECT ${mailbox}${remembers ? ` (QRESYNC (${uidValidity} ${place}${set}))` : ''}`)
    if (remembers) mirror.remember(known, alone)
  }

  async #act(session: { mirror: Mirror; kind: string; mailbox: string }, alone: boolean): Promise<void> {
    const { mirror, mailbox, kind } = session
    if (kind !== 'plain' && this.#below(12) === 0) return this.#again(session, alone)
    if (mirror.idling !== '') return this.#below(2) === 0 ? this.#endIdle(mirror) : undefined
    const other = mailbox === 'INBOX' ? 'Other' : 'INBOX'
    const choice = this.#choice(mirror)
    const { set, uid } = choice
    mirror.mayExpunge = true
    const acts: (() => Promise<unknown>)[] = [
      () => this.#store(session, choice),
      () => this.#store(session, choice),
      () => this.#numbered(mirror, choice, `FETCH ${set} (UID FLAGS)`),
      () => mirror.say(`UID FETCH 1:* (UID FLAGS) (PARTIAL ${this.#pick(['1:3', '-1:-3'])})`),
      () => mirror.say(`UID FETCH 1:* (UID FLAGS${kind === 'plain' ? '' : ' MODSEQ'})`),
      () => mirror.say('EXPUNGE'),
      () => mirror.say(`UID EXPUNGE ${this.#around(this.#messages)}`),
      () => mirror.say(`${uid}MOVE ${set} ${other}`),
      async () => mirror.messages.length < 25 && mirror.say(`${uid}COPY ${set} ${this.#pick(['INBOX', 'Other'])}`),
      () => mirror.say(`APPEND ${mailbox} (${this.#pick(flags)}) ${this.#literal()}`),
      () => mirror.say(`APPEND ${this.#pick(['INBOX', 'Other'])} (${this.#pick(flags)}) ${this.#literal()}`),
      () => this.#replace(mirror, this.#pick([mailbox, other])),
      () => this.#keep(session, choice),
      () => this.#keep(session, choice),
      () => this.#cancel(mirror),
      () => this.#saved(mirror, other),
      async () => {
        mirror.idling = mirror.send('IDLE')
        await mirror.until('+')
      },
      async () => {
        mirror.notifies = true
        await mirror.say(`NOTIFY ${this.#pick(notifications)}`)
      },
      async () => {
        session.mailbox = this.#pick(['INBOX', 'INBOX', 'Other'])
        await mirror.say(`SELECT ${session.mailbox}`)
      },
    ]
    await this.#pick(acts)()
  }

  #choice(mirror: Mirror): Choice {
    const count = mirror.messages.length
    // Between two commands a number may come to mean another message where NOTIFY tells at any time.
    const uid = mirror.notifies || count === 0 || this.#below(5) < 3 ? 'UID ' : ''
    return { uid, set: this.#below(10) === 0 ? '1:*' : this.#around(uid === '' ? count : this.#messages) }
  }

  #around(last: number): string {
    const first = 1 + this.#below(last)
    return `${first}:${Math.min(last, first + this.#below(4))}`
  }

  async #numbered(mirror: Mirror, { uid }: Choice, command: string): Promise<void> {
    mirror.mayExpunge = uid !== ''
    await mirror.say(`${uid}${command}`)
  }

  async #store({ mirror, kind }: { mirror: Mirror; kind: string }, choice: Choice): Promise<void> {
    const since = kind !== 'plain' && this.#below(3) === 0
    const silent = !since && !mirror.notifies && this.#below(5) < 2
    const mode = this.#pick(['+', '-', ''])
    const named = [...new Set([this.#pick(flags), this.#pick(flags)])]
    if (silent) assume(mirror, choice, mode, named)
    const unless = since ? ` (UNCHANGEDSINCE ${Math.max(0, mirror.highest - this.#below(4))})` : ''
    const item = `${mode}FLAGS${silent ? '.SILENT' : ''} (${named.join(' ')})`
    await this.#numbered(mirror, choice, `STORE ${choice.set}${unless} ${item}`)
  }

  async #replace(mirror: Mirror, target: string): Promise<void> {
    const uids = mirror.messages.map(({ uid }) => uid).filter((uid) => uid !== undefined)
    if (uids.length > 0) await mirror.say(`UID REPLACE ${this.#pick(uids)} ${target} ${this.#literal()}`)
  }

  async #keep({ mirror, kind }: { mirror: Mirror; kind: string }, choice: Choice): Promise<void> {
    if (mirror.results.size > 3) return
    // VANISHED tells no numbers: by them a result could not be followed.
    const uid = kind === 'qresync' ? 'UID ' : choice.uid
    const sorted = this.#below(5) < 2
    const update = `UPDATE${this.#below(3) === 0 ? ' (UID FLAGS)' : ''}`
    const find = sorted
      ? `SORT RETURN (${update} ALL) (${this.#pick(['', 'REVERSE '])}${this.#pick(orders)}) UTF-8`
      : `SEARCH RETURN (${update} ALL)`
    mirror.mayExpunge = uid !== ''
    const command = `${uid}${find} ${this.#pick(criteria)}`
    const tag = mirror.send(command)
    mirror.results.set(tag, { command, sorted, by: uid === '' ? 'seq' : 'uid', list: [] })
    await mirror.until(tag)
  }

  async #cancel(mirror: Mirror): Promise<void> {
    for (const [tag, result] of mirror.results) {
      result.ending = true
      await mirror.say(`CANCELUPDATE "${tag}"`)
      mirror.results.delete(tag)
      return
    }
  }

  async #saved(mirror: Mirror, other: string): Promise<void> {
    mirror.mayExpunge = false
    await mirror.say(`SEARCH RETURN (SAVE PARTIAL 2:4) ${this.#pick(criteria)}`)
    mirror.mayExpunge = true
    const uses = [
      'FETCH $ (UID FLAGS)',
      'STORE $ +FLAGS (\\Flagged)',
      `MOVE $ ${other}`,
      `COPY $ ${other}`,
      'EXPUNGE $',
    ]
    await mirror.say(`UID ${this.#pick(uses)}`)
  }

  async #endIdle(mirror: Mirror): Promise<void> {
    if (mirror.idling === '') return
    mirror.client.send(Buffer.from('DONE\r\n'))
    await mirror.until(mirror.idling)
    mirror.idling = ''
  }

  #message(): string {
    const number = this.#messages++
    const date = `Date: ${1 + (number % 3)} Feb 2026 10:00:00 +0000`
    return `Subject: s${number % 5}\r\nFrom: f${number % 2}@one.test\r\n${date}\r\n\r\n${'x'.repeat(number % 4)}\r\n`
  }

  #literal(): string {
    const message = this.#message()
    return `{${message.length}+}\r\n${message}`
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T
  }

  #below(limit: number): number {
    return Math.floor(this.#random.fraction() * limit)
  }

  #explained(reason: Error): Error {
    return new Error(`${reason.message}; at last:\n${this.#log.slice(-40).join('\n')}`)
  }
}

/** What a client takes as done by STORE …FLAGS.SILENT. */
function assume(mirror: Mirror, { set, uid }: Choice, mode: string, named: readonly string[]): void {
  const meant = set === '1:*' ? undefined : new Set(numbers(set))
  for (const [index, message] of mirror.messages.entries()) {
    // Without its UID nobody can say whether it is among them.
    if (uid !== '' && message.uid === undefined) message.flags = undefined
    if (meant && !meant.has(uid === '' ? index + 1 : (message.uid ?? 0))) continue
    const before = message.flags?.split(' ')
    if (!before) continue
    const after =
      mode === '+' ? [...before, ...named] : mode === '-' ? before.filter((flag) => !named.includes(flag)) : named
    message.flags = sortFlags([...new Set(after)].join(' '))
  }
}

async function compareResult(fresh: Mirror, { command, sorted, list }: Result): Promise<void> {
  const tag = fresh.send(command.replace(/UPDATE (\(UID FLAGS\) )?/, '').replace(/^(UID )?/, 'UID '))
  await fresh.until(tag)
  const kept = list.map((one) => (typeof one === 'number' ? one : (one.uid as number)))
  expect(sorted ? kept : kept.sort((a, b) => a - b), command).toEqual(fresh.found(tag))
}
