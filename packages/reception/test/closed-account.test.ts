/** An account that is suspended or removed while its sessions are open. */
import { type Account, accountId } from '@pennypost/model'
import { expect, test } from 'vitest'
import { testReception, turns } from './test-reception.ts'

/** A device that sends as bob@one.test, and what closes his account. */
async function device() {
  const ends = new Set<() => void>()
  const trusted = new Map<string, Account>()
  const host = await testReception({
    trusted,
    follow(_account, _actor, end) {
      ends.add(end)
      return { [Symbol.dispose]: () => void ends.delete(end) }
    },
  })
  const account = await host.store.directory.accountByLogin('bob@one.test')
  if (!account) throw new Error('no account')
  trusted.set('192.0.2.7', account)
  const client = host.connect()
  return { ...host, client, ends, close: () => [...ends].map((end) => end()) }
}

const letter = 'MAIL FROM:<bob@one.test>\r\nRCPT TO:<bob@one.test>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n'

test('a session that was open when its account was suspended went on sending', async () => {
  const { client, close, ends, messages } = await device()
  client.say('EHLO a\r\n')
  await client.until(/^250 /m)
  close()
  client.say(letter)
  await client.until(/^421 4\.7\.0 The administrator has ended the sessions of this account\r\n/m)
  await turns()
  expect(client.closed).toBe(true)
  expect(await messages()).toBe(0)
  expect(ends.size).toBe(0)
})

test('a message that was being stored when its account was suspended was kept, and its reply never came', async () => {
  const { client, close, store, messages } = await device()
  const asked = Promise.withResolvers<void>()
  const synced = Promise.withResolvers<void>()
  const accept = store.mail.accept.bind(store.mail)
  store.mail.accept = async (acceptances) => {
    asked.resolve()
    await synced.promise
    return accept(acceptances)
  }
  client.say(`EHLO a\r\n${letter}`)
  await asked.promise
  close()
  synced.resolve()
  await client.until(/^250 .*queued as .*\r\n421 4\.7\.0 /m)
  expect(await messages()).toBe(1)
})

test('a session that has ended is told of no account any more', async () => {
  const { client, ends } = await device()
  client.say('EHLO a\r\n')
  await client.until(/^250 /m)
  expect(ends.size).toBe(1)
  client.stream.end()
  await expect.poll(() => ends.size).toBe(0)
})

test('who left while its password was being checked was followed for ever', async () => {
  const [asked, checked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const ends = new Set<() => void>()
  const { connect, options, store } = await testReception({
    offersAuth: () => true,
    requireTlsForAuth: false,
    follow(_account, _actor, end) {
      ends.add(end)
      return { [Symbol.dispose]: () => void ends.delete(end) }
    },
  })
  const account = await store.directory.accountByLogin('bob@one.test')
  if (!account) throw new Error('no account')
  options.authenticator.authenticate = async () => {
    asked.resolve()
    await checked.promise
    return { ok: true, account, actor: account }
  }
  const client = connect()
  client.say('EHLO a\r\nAUTH PLAIN AGJvYkBvbmUudGVzdAB4\r\n')
  await asked.promise
  client.stream.destroy()
  await turns()
  checked.resolve()
  await turns()
  expect(ends.size).toBe(0)
})

test('the session of an administrator who acts for an account was followed for that account alone', async () => {
  const followed: string[][] = []
  const { connect, options, store } = await testReception({
    offersAuth: () => true,
    requireTlsForAuth: false,
    follow(account, actor, _end) {
      followed.push([account, actor].map(String))
      return { [Symbol.dispose]() {} }
    },
  })
  const account = await store.directory.accountByLogin('bob@one.test')
  if (!account) throw new Error('no account')
  const actor = { ...account, id: accountId(4711) }
  options.authenticator.authenticate = async () => ({ ok: true, account, actor })
  const client = connect()
  client.say('EHLO a\r\nAUTH PLAIN AGJvYkBvbmUudGVzdAB4\r\n')
  await client.until(/^235 /m)
  expect(followed).toEqual([[String(account.id), '4711']])
})
