/** Who may say by XCLIENT for whom it speaks, and whose connections are counted then. */
import { expect, it } from 'vitest'
import { testReception, turns } from './test-reception.ts'

it('all clients of a proxy counted as one, and none of them for itself', async () => {
  const host = await testReception({ xclient: ['192.0.2.7'] }, 'smtp', 1)
  const clientOf = async (address: string) => {
    const proxy = host.connect()
    proxy.say(`EHLO proxy.test\r\nXCLIENT ADDR=${address}\r\n`)
    await proxy.until(/^250 [\s\S]*\r\n[24]2|^421 /m)
    await turns()
    return { proxy, last: proxy.replies().at(-1) }
  }
  const welcome = '220 mail.one.test ESMTP Pennypost'
  const first = await clientOf('198.51.100.1')
  expect(first.last).toBe(welcome)
  expect((await clientOf('198.51.100.2')).last).toBe(welcome)
  expect((await clientOf('198.51.100.1')).last).toBe('421 4.7.0 Too many connections from your network')
  first.proxy.stream.destroy()
  await turns()
  const again = await clientOf('198.51.100.1')
  expect(again.last).toBe(welcome)
  // It may become another one, whose place is free, and leaves its own.
  again.proxy.say('EHLO proxy.test\r\nXCLIENT ADDR=198.51.100.3\r\n')
  await again.proxy.until(/(220 [\s\S]*){3}/)
  expect((await clientOf('198.51.100.1')).last).toBe(welcome)
})

it('a client that a proxy has named took two places of all', async () => {
  const host = await testReception({ xclient: ['192.0.2.7'] }, 'smtp', 1)
  const proxy = host.connect()
  for (const address of ['198.51.100.1', '198.51.100.2']) {
    proxy.say(`EHLO proxy.test\r\nXCLIENT ADDR=${address}\r\n`)
    await proxy.until(/^250 [\s\S]*\r\n220 /m)
    await turns()
    expect(host.limiter.open).toBe(1)
  }
  proxy.stream.destroy()
  await turns()
  expect(host.limiter.open).toBe(0)
})

it('whoever came through a proxy that speaks the PROXY protocol could name another client, where that may', async () => {
  const host = await testReception({ proxy: ['192.0.2.7'], xclient: ['192.0.2.7', '198.51.100.8'] })
  const behindProxy = async (address: string) => {
    const client = host.connect()
    client.say(`PROXY TCP4 ${address} 192.0.2.1 4025 25\r\nEHLO client.test\r\nXCLIENT ADDR=203.0.113.1\r\n`)
    return (await client.until(/^250 [\s\S]*\r\n(?:220|550) .*\r\n/m)).at(-1)
  }
  expect(await behindProxy('198.51.100.9')).toBe('550 5.7.0 Not from here')
  expect(await behindProxy('198.51.100.8')).toBe('220 mail.one.test ESMTP Pennypost')
})
