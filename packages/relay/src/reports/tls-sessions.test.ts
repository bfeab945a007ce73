import { silentLog } from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom, virtualClock } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import { createTlsSessions, type TlsSession } from './tls-sessions.ts'

const session: TlsSession = {
  domain: 'two.test',
  by: 'none',
  result: 'validation-failure',
  host: 'mx.two.test',
  address: '192.0.2.2',
  reason: '',
}

test('sessions that came while others were written down were not counted', async () => {
  const clock = virtualClock()
  const { memory } = createMemoryStore({ clock, random: seededRandom(1) })
  const sessions = createTlsSessions({ memory, clock, log: silentLog })
  sessions.note(session)
  const first = sessions.flush()
  sessions.note(session)
  await Promise.all([first, sessions.flush()])
  expect((await sessions.before('2026-01-02')).get('2026-01-01')).toEqual([{ ...session, count: 2 }])
})

test('a reason that is too long in JSON spoiled the report of its day', async () => {
  const clock = virtualClock()
  const { memory } = createMemoryStore({ clock, random: seededRandom(1) })
  const sessions = createTlsSessions({ memory, clock, log: silentLog })
  for (let i = 0; i < 2; i++) {
    sessions.note({ ...session, reason: '\u0001'.repeat(300) })
    await sessions.flush()
  }
  expect((await sessions.before('2026-01-02')).get('2026-01-01')).toEqual([{ ...session, count: 2 }])
})

test('what is forgotten is of one domain on one day', async () => {
  const clock = virtualClock()
  const { memory } = createMemoryStore({ clock, random: seededRandom(1) })
  const sessions = createTlsSessions({ memory, clock, log: silentLog })
  for (let host = 0; host < 50; host++) sessions.note({ ...session, host: `mx${host}.two.test` })
  sessions.note({ ...session, domain: 'two.test.example' })
  sessions.note({ ...session, domain: 'one.test' })
  await sessions.flush()
  await sessions.forget('2026-01-01', 'two.test')
  const left = (await sessions.before('2026-01-02')).get('2026-01-01')
  expect(left?.map(({ domain }) => domain)).toEqual(['one.test', 'two.test.example'])
})

test('kinds without end, of one domain, leave the reports of the others whole', async () => {
  const clock = virtualClock()
  const { memory } = createMemoryStore({ clock, random: seededRandom(1) })
  const sessions = createTlsSessions({ memory, clock, log: silentLog })
  for (let round = 0; round < 2; round++) {
    for (let host = 0; host < 2500; host++) sessions.note({ ...session, host: `mx${host}.two.test` })
    sessions.note({ ...session, domain: 'one.test' })
    await sessions.flush()
  }
  const counted = Map.groupBy((await sessions.before('2026-01-02')).get('2026-01-01')!, ({ domain }) => domain)
  expect(counted.get('two.test')).toHaveLength(2000)
  expect(counted.get('one.test')).toEqual([{ ...session, domain: 'one.test', count: 2 }])
})
