/** The contract of `Flow`. */
import { describe, expect } from 'vitest'
import type { JourneyId } from '../ids.ts'
import type { FlowEvent, FlowFact } from '../ports/flow.ts'
import { type OpenEngine, worldTest } from './engine.ts'

const id = (digit: string): JourneyId => digit.repeat(16) as JourneyId
const event = (journey: JourneyId, at: number, fact: FlowFact): FlowEvent => ({ journey, at, ...fact })
const received = (messageId: string): FlowFact => ({
  kind: 'received',
  service: 'mx',
  session: 's',
  peer: '192.0.2.1',
  reversePath: '',
  forwardPaths: ['a@b'],
  size: 1,
  messageId,
})
const attempt: FlowFact = {
  kind: 'attempt',
  entry: 1,
  destination: 'x.test',
  host: 'mx.x.test',
  address: '192.0.2.9',
  elapsedMs: 7,
  dns: ['x.test MX 10 mx.x.test'],
  transcript: ['C: EHLO', 'S: 250 ok'],
  tlsReason: 'offered',
}

export function describeFlow(name: string, open: OpenEngine): void {
  describe(`${name}: Flow`, () => {
    describeRecording(open)
    describeFinding(open)
    describePruning(open)
  })
}

function describeRecording(open: OpenEngine): void {
  const it = worldTest(open)

  it('a journey has its events as recorded, in the order of recording', async ({ store: { flow } }) => {
    const events = [
      event(id('A'), 2000, received('m@x')),
      event(id('A'), 2000, {
        kind: 'finding',
        check: 'spf',
        result: 'pass',
        detail: 'ip4',
        facts: { domain: 'one.test', codes: ['a'] },
      }),
      event(id('A'), 1500, attempt),
      event(id('A'), 3000, { kind: 'dsn', action: 'failed', to: 'a@b', dsn: id('B') }),
    ]
    await flow.record(events.slice(0, 2))
    await flow.record([event(id('B'), 2500, { kind: 'about', about: id('A') }), ...events.slice(2)])
    expect(await flow.journey(id('A'))).toEqual({ id: id('A'), events })
    expect((await flow.journey(id('B')))?.events).toHaveLength(1)
  })

  it('an unknown journey is undefined, and recording nothing does nothing', async ({ store: { flow } }) => {
    await flow.record([])
    expect(await flow.journey(id('Z'))).toBeUndefined()
    expect(await flow.recent(10)).toEqual([])
  })
}

function describeFinding(open: OpenEngine): void {
  const it = worldTest(open)

  it('finds by Message-ID, newest first, at most so many', async ({ store: { flow } }) => {
    await flow.record([
      event(id('A'), 1000, received('same@x')),
      event(id('B'), 3000, received('same@x')),
      event(id('C'), 2000, received('same@x')),
      event(id('D'), 4000, received('other@x')),
    ])
    expect(await flow.findByMessageId('same@x', 10)).toEqual([id('B'), id('C'), id('A')])
    expect(await flow.findByMessageId('same@x', 2)).toEqual([id('B'), id('C')])
    expect(await flow.findByMessageId('none@x', 10)).toEqual([])
  })

  it('tells the newest by their first event', async ({ store: { flow } }) => {
    await flow.record([event(id('A'), 1000, received('a@x')), event(id('B'), 2000, received('b@x'))])
    await flow.record([event(id('A'), 9000, { kind: 'unconfirmed' }), event(id('C'), 2000, received('c@x'))])
    expect(await flow.recent(10)).toEqual([id('C'), id('B'), id('A')])
    expect(await flow.recent(1)).toEqual([id('C')])
  })
}

function describePruning(open: OpenEngine): void {
  const it = worldTest(open)

  it('drops journeys that began before, whole, and says how many', async ({ store: { flow } }) => {
    await flow.record([
      event(id('A'), 1000, received('a@x')),
      event(id('A'), 9000, { kind: 'unconfirmed' }),
      event(id('B'), 2000, received('b@x')),
    ])
    expect(await flow.prune(2000, 0)).toBe(1)
    expect(await flow.journey(id('A'))).toBeUndefined()
    expect(await flow.findByMessageId('a@x', 1)).toEqual([])
    expect(await flow.recent(10)).toEqual([id('B')])
    expect(await flow.prune(2000, 0)).toBe(0)
  })

  it('drops old transcripts and leaves the attempts', async ({ store: { flow } }) => {
    await flow.record([event(id('A'), 1000, attempt), event(id('A'), 2000, attempt)])
    expect(await flow.prune(0, 2000)).toBe(0)
    const { transcript: _, ...without } = attempt as Extract<FlowFact, { kind: 'attempt' }>
    expect((await flow.journey(id('A')))?.events).toEqual([
      event(id('A'), 1000, without),
      event(id('A'), 2000, attempt),
    ])
  })

  it('drops of several transcripts of one record each when its time has come', async ({ store: { flow } }) => {
    await flow.record([1000, 2000, 3000].map((at) => event(id('A'), at, attempt)))
    const kept = async (before: number): Promise<number[]> => {
      await flow.prune(0, before)
      const events = (await flow.journey(id('A')))?.events ?? []
      return events.flatMap((told) => ('transcript' in told ? [told.at] : []))
    }
    for (const before of [2000, 3000, 4000])
      expect(await kept(before)).toEqual([2000, 3000].filter((at) => at >= before))
  })
}
