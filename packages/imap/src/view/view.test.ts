import {
  bitsOf,
  type FlagChange,
  type FlagsUpdated,
  flagsAfter,
  highestUid,
  type MailboxChanges,
  type MailStore,
  type ModSeq,
  type Uid,
  UidSet,
} from '@pennypost/model'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { By } from '../grammar/sequence-set.ts'
import { OpenMailbox } from './open-mailbox.ts'
import { report } from './report.ts'
import { View } from './view.ts'

/** A mailbox that other sessions change, and what the store would say of it. */
class Mailbox {
  readonly messages = new Map<number, { flags: number; modSeq: number }>()
  readonly vanished: { uid: number; modSeq: number }[] = []
  modSeq = 1
  uidNext = 1

  add(): void {
    this.messages.set(this.uidNext++, { flags: 0, modSeq: ++this.modSeq })
  }

  flag(uid: number, flags: number): void {
    const message = this.messages.get(uid)
    if (message) Object.assign(message, { flags, modSeq: ++this.modSeq })
  }

  /** Two steps: the first messages, then the others; each has one MODSEQ. */
  store({ uids, mode, flags }: FlagChange): FlagsUpdated {
    const since = this.modSeq as ModSeq
    const steps = [4, highestUid].map((last, index) => {
      let isChanged = false
      for (const uid of uids) {
        const message = this.messages.get(uid)
        const after = message && flagsAfter(message.flags, mode, bitsOf(flags, []))
        if (after === undefined || uid <= 4 !== (index === 0) || after === message?.flags) continue
        this.messages.set(uid, { flags: after, modSeq: this.modSeq + 1 })
        isChanged = true
      }
      if (isChanged) this.modSeq++
      return { last, modSeq: this.modSeq as ModSeq }
    })
    return { since, modSeq: this.modSeq as ModSeq, steps, modified: UidSet.empty }
  }

  expunge(uid: number): void {
    if (this.messages.delete(uid)) this.vanished.push({ uid, modSeq: ++this.modSeq })
  }

  changesSince(since: number): MailboxChanges {
    const changed = [...this.messages].filter(([, { modSeq }]) => modSeq > since)
    return {
      modSeq: this.modSeq as ModSeq,
      uidNext: this.uidNext as Uid,
      keywords: [],
      uids: Uint32Array.from(changed.map(([uid]) => uid)),
      flags: Float64Array.from(changed.map(([, { flags }]) => flags)),
      modSeqs: Float64Array.from(changed.map(([, { modSeq }]) => modSeq)),
      vanished: UidSet.of(...this.vanished.filter(({ modSeq }) => modSeq > since).map(({ uid }) => uid)),
      deleted: false,
    }
  }

  async open(): Promise<OpenMailbox> {
    const { uids, flags, modSeqs } = this.changesSince(0)
    const mailbox = { id: 1, keywords: [], uidNext: this.uidNext, highestModSeq: this.modSeq, recentUid: this.uidNext }
    const mail = { snapshot: async () => ({ mailbox, uids, flags, modSeqs }) }
    return OpenMailbox.load(mail as unknown as MailStore, 1 as never)
  }
}

/** What a client believes, from what it is told alone. */
class Client {
  readonly view: View
  uids: number[]
  readonly flags = new Map<number, number>()

  constructor(view: View) {
    this.view = view
    this.uids = [...view.uids.subarray(0, view.count)]
    for (const uid of this.uids) this.flags.set(uid, view.open.flags[view.open.indexOf(uid)] as number)
  }

  /** Changes flags as STORE.SILENT does, and works out by itself what it is not told. */
  store(mailbox: Mailbox, { uids, ...change }: FlagChange): void {
    const { view } = this
    const own = { ...change, uids: uids.intersect(view.all()) }
    const done = mailbox.store(own)
    if (!view.open.applyUpdate(own, done)) view.open.apply(mailbox.changesSince(view.open.modSeq))
    if (view.toldOwn(done)) {
      for (const [uid, flags] of this.flags) {
        if (own.uids.has(uid)) this.flags.set(uid, flagsAfter(flags, change.mode, bitsOf(change.flags, [])))
      }
    }
  }

  hear(mayExpunge: boolean): void {
    const { view } = this
    const changes = report(view, mayExpunge)
    if (!changes) return
    const { expunged, exists, flags } = changes
    if (expunged.seqs.length > 0) expect(mayExpunge).toBe(true)
    for (const [place, seq] of expunged.seqs.entries()) {
      expect(this.uids.splice(seq - 1, 1)).toEqual([expunged.uids[place]])
    }
    expect(exists).toBe(view.count > this.uids.length)
    while (this.uids.length < view.count) {
      const uid = view.uids[this.uids.length] as number
      this.uids.push(uid)
      this.flags.set(uid, view.open.flags[view.open.indexOf(uid)] as number)
    }
    for (const uid of flags) {
      expect(this.uids[view.seqOf(uid) - 1]).toBe(uid)
      this.flags.set(uid, view.open.flags[view.open.indexOf(uid)] as number)
    }
  }
}

describe('views', () => {
  const action = fc.oneof(
    { weight: 3, arbitrary: fc.constant({ do: 'add' } as const) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('flag' as const), uid: fc.nat(20), flags: fc.nat(31) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('expunge' as const), uid: fc.nat(20) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('store' as const),
        who: fc.nat(1),
        range: fc.tuple(fc.integer({ min: 1, max: 8 }), fc.nat(8)),
        mode: fc.constantFrom('add' as const, 'remove' as const, 'replace' as const),
        flag: fc.constantFrom('\\Seen', '\\Flagged'),
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('hear' as const), who: fc.nat(1), mayExpunge: fc.boolean() }) },
  )

  test('each session believes what is so, however the changes and reports fall', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
        const mailbox = new Mailbox()
        for (let i = 0; i < 4; i++) mailbox.add()
        const open = await mailbox.open()
        const clients = [new Client(new View(open, false)), new Client(new View(open, true))]
        const read = (): void => open.apply(mailbox.changesSince(open.modSeq))
        for (const step of actions) {
          if (step.do === 'add') mailbox.add()
          else if (step.do === 'flag') mailbox.flag(step.uid, step.flags)
          else if (step.do === 'expunge') mailbox.expunge(step.uid)
          else if (step.do === 'read') read()
          else if (step.do === 'store') {
            const [first, more] = step.range
            const uids = UidSet.ofRanges([[first, first + more]])
            clients[step.who]?.store(mailbox, { uids, mode: step.mode, flags: [step.flag] })
          } else clients[step.who]?.hear(step.mayExpunge)
        }
        read()
        const truth = [...mailbox.messages]
        expect([...open.modSeqs.subarray(0, open.count)]).toEqual(truth.map(([, { modSeq }]) => modSeq))
        for (const client of clients) {
          client.hear(false)
          client.hear(true)
          expect(client.uids).toEqual(truth.map(([uid]) => uid))
          expect(client.uids.map((uid) => client.flags.get(uid))).toEqual(truth.map(([, { flags }]) => flags))
          expect([...client.view.uids.subarray(0, client.view.count)]).toEqual(client.uids)
        }
      }),
      { seed: 8, numRuns: 400 },
    )
  })

  test('a flag change that was told by other means is not told again, a later one is', async () => {
    const mailbox = new Mailbox()
    mailbox.add()
    const open = await mailbox.open()
    const view = new View(open, false)
    const told: number[] = []
    const hear = (): void => {
      for (const uid of report(view, true)?.flags ?? []) told.push(open.flags[open.indexOf(uid)] as number)
    }
    mailbox.flag(1, 8)
    open.apply(mailbox.changesSince(open.modSeq))
    view.markTold(0)
    hear()
    expect(told).toEqual([])
    mailbox.flag(1, 1)
    open.apply(mailbox.changesSince(open.modSeq))
    hear()
    hear()
    expect(told).toEqual([1])
  })

  test('what comes letter by letter is one range of \\Recent: to find it and to count it costs the same for thousands', async () => {
    const mailbox = new Mailbox()
    const open = await mailbox.open()
    const view = new View(open, false)
    for (let i = 0; i < 100; i++) {
      mailbox.add()
      open.apply(mailbox.changesSince(open.modSeq))
      report(view, true)
    }
    expect(view.recent.toString()).toBe('1:100')
    expect(view.recentCount).toBe(100)
    mailbox.expunge(50)
    open.apply(mailbox.changesSince(open.modSeq))
    report(view, true)
    expect(view.recentCount).toBe(99)
  })

  test('more changes than the journal holds are found all the same', async () => {
    const mailbox = new Mailbox()
    for (let i = 0; i < 10_000; i++) mailbox.add()
    const open = await mailbox.open()
    const client = new Client(new View(open, false))
    for (let uid = 1; uid <= 10_000; uid++) mailbox.flag(uid, 8)
    open.apply(mailbox.changesSince(open.modSeq))
    client.hear(true)
    expect([...client.flags.values()].every((flags) => flags === 8)).toBe(true)
  })

  test('sets: message numbers, UIDs, star', async () => {
    const mailbox = new Mailbox()
    for (let i = 0; i < 6; i++) mailbox.add()
    for (const uid of [2, 4]) mailbox.expunge(uid)
    const view = new View(await mailbox.open(), false)
    const star = Number.POSITIVE_INFINITY
    const by = (how: By, ...ranges: [number, number][]): string => view.select({ saved: false, ranges }, how).toString()
    expect([...view.uids.subarray(0, view.count)]).toEqual([1, 3, 5, 6])
    expect(by('sequence', [2, 3])).toBe('3:5')
    expect(by('sequence', [star, star])).toBe('6')
    expect(by('sequence', [2, star])).toBe('3:6')
    expect(() => by('sequence', [5, 5])).toThrow('There is no message 5')
    expect(by('uid', [559, star])).toBe('6')
    expect(by('uid', [4, star])).toBe('4:6')
    expect(by('uid', [7, 9])).toBe('')
    const empty = new View(await new Mailbox().open(), false)
    expect(empty.select({ saved: false, ranges: [[1, star]] }, 'sequence').isEmpty).toBe(true)
    expect(empty.select({ saved: false, ranges: [[1, star]] }, 'uid').isEmpty).toBe(true)
    expect(() => empty.select({ saved: false, ranges: [[1, 1]] }, 'sequence')).toThrow()
    expect(empty.select({ saved: false, ranges: [[2, star]] }, 'sequence', 'nothing').isEmpty).toBe(true)
  })
})
