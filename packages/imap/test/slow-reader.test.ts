/** A client that takes a literal in small bits, while others change what it is from. */
import { setImmediate } from 'node:timers/promises'
import { type Uid, UidSet } from '@pennypost/model'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sampleMessage, TestServer } from './dialogue/server.ts'

let server: TestServer
beforeEach(async () => {
  server = await TestServer.start()
})
afterEach(() => server.stop())

test.each([
  ['FETCH 2 BODY[]', 4],
  ['UID FETCH 2 BODY[]', 2],
])('%s is whole to the octet, and what others did meanwhile comes behind it', async (command, exist) => {
  for (const sample of ['simple', 'large', 'simple']) await server.deliver('INBOX', sampleMessage(sample))
  const client = await server.alice('SELECT INBOX')
  const { id } = await server.mailbox('INBOX')
  const { mail } = server.store
  const { stream } = client
  stream.removeAllListeners('data')
  stream.pause()
  client.send(Buffer.from(`x ${command}\r\ny NOOP\r\n`))
  let told = ''
  const acts = [
    () => mail.expunge(id, UidSet.of(1 as Uid, 2 as Uid), 'all'),
    () => mail.updateFlags(id, { uids: UidSet.of(3 as Uid), mode: 'add', flags: ['$new'] }),
    () => server.deliver('INBOX', sampleMessage('simple')),
  ]
  for (let reads = 0; !/^y OK/m.test(told); reads++) {
    await setImmediate()
    // Within the literal, not before it and not behind.
    if (told.length > 20_000 * (4 - acts.length)) await acts.shift()?.()
    const chunk = stream.read(Math.min(stream.readableLength, 1 + ((reads * 7) % 997))) as Buffer | null
    told += chunk?.toString('latin1') ?? ''
    expect(reads).toBeLessThan(100_000)
  }
  expect(acts).toEqual([])
  const start = told.indexOf('\r\n') + 2
  expect(told.slice(0, start)).toMatch(/^\* 2 FETCH .*BODY\[\] \{201644\}\r\n$/)
  expect(told.slice(start, start + 201644)).toBe(sampleMessage('large').toString('latin1'))
  const behind = told.slice(start + 201644)
  expect(behind).toMatch(/^ .*FLAGS \(\\Seen \\Recent\).*\)\r\n/)
  expect(behind).toMatch(/\* 1 EXPUNGE\r\n\* 1 EXPUNGE\r\n/)
  expect(behind).toContain(`* ${exist} EXISTS\r\n`)
  expect(behind).toContain(`* ${exist - 1} FETCH (UID 3 FLAGS ($new \\Recent))\r\n`)
})
