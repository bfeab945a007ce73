/** Sessions that are ended from outside, as by `account suspend`, in the midst of a literal. */
import { expect, test } from 'vitest'
import { sampleMessage, TestServer } from './dialogue/server.ts'

/** Its sessions are ended as soon as the body of a large message is being read. */
async function endingServer(): Promise<TestServer> {
  const server = await TestServer.start()
  const { mail } = server.store
  let end = (): void => {}
  server.options.admit = (_account, _actor, endSession) => {
    end = endSession
    return { [Symbol.dispose]() {} }
  }
  server.options.mail = {
    ...mail,
    async *readBody(...range) {
      for await (const octets of mail.readBody(...range)) {
        // Not at the look at the last octet, which comes before anything is said.
        if (octets.length > 1) end()
        yield octets
      }
    },
  }
  return server
}

test('BYE came in the midst of a message that was being fetched', async () => {
  const server = await endingServer()
  await server.deliver('INBOX', sampleMessage('large'))
  const client = await server.alice('SELECT INBOX')
  client.send(Buffer.from('x FETCH 1 BODY[]\r\n'))
  expect(await client.response()).toBeUndefined()
  expect(client.unread).not.toContain('BYE')
  await server.stop()
})

test('BYE came in the midst of a new message that was told in IDLE', async () => {
  const server = await endingServer()
  const events = '(SELECTED (MessageNew (BODY.PEEK[]) MessageExpunge))'
  const client = await server.alice('SELECT INBOX', `NOTIFY SET ${events}`)
  client.send(Buffer.from('x IDLE\r\n'))
  expect(await client.response()).toBe('+ idling')
  await server.deliver('INBOX', sampleMessage('large'))
  const said = [await client.response(), await client.response(), await client.response()]
  expect(said.slice(0, 2)).toEqual(['* 1 EXISTS', '* 1 RECENT'])
  expect(said[2]).toBe(`* 1 FETCH (BODY[] {201644}\r\n${sampleMessage('large').toString('latin1')})`)
  expect(await client.response()).toBe('* BYE The administrator has ended the sessions of this account')
  expect(await client.response()).toBe('x OK IDLE completed')
  expect(await client.response()).toBeUndefined()
  await server.stop()
})
