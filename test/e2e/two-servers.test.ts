/** The main job: a letter from Alice at one domain to Bob at another, through DNS and two servers. */
import { createZoneServer, zone } from '@pennypost/dns'
import { journeyId, systemDeadline } from '@pennypost/model'
import { expect, it } from 'vitest'
import { eventually, type Instance, startInstance } from './instance.ts'
import { inbox, submit } from './letters.ts'

const quick = (dns: number, port: number): string => `
[dns]
servers = ["127.0.0.1:${dns}"]
[relay]
port = ${port}
retry = ["200ms"]
delay_warning = "600ms"
expire = "3s"
`

async function openZones() {
  return createZoneServer({
    zones: [
      zone('one.test', [
        ['@', 'MX', '10 mail'],
        ['mail', 'A', '127.0.0.1'],
      ]),
      zone('two.test', [
        ['@', 'MX', '10 mail'],
        ['mail', 'A', '127.0.0.1'],
      ]),
    ],
    address: '127.0.0.1',
    port: 0,
    deadline: systemDeadline,
  })
}

const kinds = async (at: Instance, id: string): Promise<string[]> =>
  (await at.server.store.flow.journey(journeyId(id)))?.events.map((event) => event.kind) ?? []

it('a letter goes all the way, and its journey can be read at both ends', async () => {
  await using zones = await openZones()
  await using two = await startInstance({ domain: 'two.test', accounts: ['bob'] })
  await using one = await startInstance({
    domain: 'one.test',
    accounts: ['alice'],
    toml: quick(zones.port, two.port('smtp')),
  })
  const id = await submit(one, 'alice@one.test', 'bob@two.test', 'hello')
  const letters = await eventually(async () => {
    const found = await inbox(two, 'bob@two.test')
    return found.length > 0 ? found : undefined
  }, 'Bob gets the letter')
  expect(letters).toHaveLength(1)
  expect(letters[0]).toMatch(
    /^Return-Path: <alice@one\.test>\r\nDelivered-To: bob@two\.test\r\nReceived: from mail\.one\.test/,
  )
  expect(letters[0]).toContain('Subject: hello\r\n')
  await eventually(
    async () => ((await kinds(one, id)).includes('delivered') ? true : undefined),
    'delivered is recorded',
  )
  expect(await kinds(one, id)).toEqual(['received', 'queued', 'attempt', 'delivered'])
  const [there] = await two.server.store.flow.recent(1)
  expect(await kinds(two, there ?? '')).toEqual(['received', 'filed'])
})

it('a letter for a server that is down waits, its sender is warned, and gets it back in the end', async () => {
  await using zones = await openZones()
  const two = await startInstance({ domain: 'two.test', accounts: ['bob'] })
  const port = two.port('smtp')
  await two[Symbol.asyncDispose]()
  await using one = await startInstance({ domain: 'one.test', accounts: ['alice'], toml: quick(zones.port, port) })
  const id = await submit(one, 'alice@one.test', 'bob@two.test', 'is anybody there')
  const notices = await eventually(async () => {
    const found = await inbox(one, 'alice@one.test')
    return found.length === 2 ? found : undefined
  }, 'Alice is warned and gets the letter back')
  expect(notices[0]).toMatch(/^Action: delayed\r$/m)
  expect(notices[1]).toMatch(/^Action: failed\r$/m)
  expect(notices[1]).toContain('Subject: is anybody there')
  const seen = await kinds(one, id)
  expect(seen.filter((kind) => kind === 'attempt').length).toBeGreaterThan(2)
  expect(seen.filter((kind) => kind === 'dsn')).toHaveLength(2)
})

it('a letter waits over a restart of both servers', async () => {
  await using zones = await openZones()
  const first = await startInstance({ domain: 'two.test', accounts: ['bob'] })
  const port = first.port('smtp')
  await first.stop()
  const patient = quick(zones.port, port).replace('"3s"', '"1h"').replace('"600ms"', '"1h"')
  const before = await startInstance({ domain: 'one.test', accounts: ['alice'], toml: patient })
  const id = await submit(before, 'alice@one.test', 'bob@two.test', 'patience')
  await eventually(async () => ((await kinds(before, id)).includes('deferred') ? true : undefined), 'a first attempt')
  await before.stop()
  await using one = await startInstance({
    domain: 'one.test',
    accounts: ['alice'],
    directory: before.directory,
    toml: patient,
  })
  await using two = await startInstance({
    domain: 'two.test',
    accounts: ['bob'],
    directory: first.directory,
    mxPort: port,
  })
  await eventually(async () => ((await inbox(two, 'bob@two.test')).length === 1 ? true : undefined), 'it arrives')
  await eventually(async () => ((await kinds(one, id)).includes('delivered') ? true : undefined), 'it is recorded')
})
