/** The store cannot do something now, or has done it, and cannot say at once what has changed. */
import { nextTurn, type Rights, StoreError, UidSet, uid } from '@pennypost/model'
import { expect, test } from 'vitest'
import { password, sampleMessage, TestServer } from './dialogue/server.ts'

test.each([
  ['EXPUNGE', 1],
  ['UID EXPUNGE 1', 1],
  ['MOVE 1 Drafts', 1],
  ['REPLACE 1 INBOX {9+}\r\nSubject:\r\n', 2],
])('what was done was answered by NO when its changes could not be read: %s', async (command, messages) => {
  const server = await TestServer.start()
  let fails = false
  server.failWhile(() => fails, 'changesSince', new StoreError('unavailable', 'the disk is slow'))
  for (let i = 0; i < 2; i++) await server.deliver('INBOX', sampleMessage('simple'))
  const client = await server.alice('ENABLE QRESYNC', 'SELECT INBOX', 'STORE 1 +FLAGS.SILENT (\\Deleted)')
  fails = true
  const said = await client.say(command)
  // Nothing of where the mailbox stands, since what has gone was not told.
  expect(said.at(-1)).toMatch(/^x OK [A-Z ]+ completed$/)
  expect(said.join()).not.toContain('VANISHED')
  fails = false
  expect(await client.say('NOOP')).toContain('* VANISHED 1')
  expect((await server.mailbox('INBOX')).messages).toBe(messages)
  await server.stop()
})

test('STORE was answered by NO though it was done, when what others had changed just before could not be read', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  let fails = false
  server.failWhile(() => fails, 'changesSince', new StoreError('unavailable', 'the disk is slow'))
  server.options.mail = {
    ...(server.options.mail as typeof mail),
    async updateFlags(id, ...args) {
      await mail.updateFlags(id, { uids: UidSet.of(uid(2)), mode: 'add', flags: ['\\Answered'] })
      fails = true
      return mail.updateFlags(id, ...args)
    },
  }
  for (let i = 0; i < 2; i++) await server.deliver('INBOX', sampleMessage('simple'))
  const client = await server.alice('SELECT INBOX')
  expect(await client.say('STORE 1 +FLAGS (\\Flagged)')).toEqual(['x OK STORE completed'])
  fails = false
  const later = await client.say('NOOP')
  expect(later).toContain('* 1 FETCH (UID 1 FLAGS (\\Flagged \\Recent))')
  expect(later).toContain('* 2 FETCH (UID 2 FLAGS (\\Answered \\Recent))')
  await server.stop()
})

test('it was told where a mailbox stands without what had gone, when the right to read it was taken away meanwhile', async () => {
  const server = await TestServer.start()
  const { mail, sharing } = server.store
  const { id: grantee } = await server.account('bob@one.test')
  const { id } = await server.mailbox('INBOX')
  const share = (rights: Rights) => sharing.setAcl(id, { grantee, negative: false, mode: 'replace', rights })
  server.options.mail = {
    ...mail,
    async expunge(...args) {
      const expunged = await mail.expunge(...args)
      await share('' as Rights)
      return expunged
    },
  }
  await share('lrte' as Rights)
  await server.deliver('INBOX', sampleMessage('simple'), ['\\Deleted'])
  const client = server.connect()
  await client.response()
  for (const command of [`LOGIN bob ${password}`, 'ENABLE QRESYNC', 'SELECT "Other Users/alice@one.test/INBOX"'])
    expect((await client.say(command)).at(-1)).toMatch(/^x OK /)
  expect(await client.say('EXPUNGE')).toEqual(['x OK EXPUNGE completed'])
  expect(await client.response()).toBe('* BYE The selected mailbox was deleted')
  await server.stop()
})

test('CLOSE left the mailbox though it was answered by NO', async () => {
  const server = await TestServer.start()
  let fails = true
  server.failWhile(() => fails, 'expunge', new StoreError('unavailable', 'the disk is slow'))
  await server.deliver('INBOX', sampleMessage('simple'), ['\\Deleted'])
  const client = await server.alice('SELECT INBOX')
  expect(await client.say('CLOSE')).toEqual([expect.stringMatching(/^x NO \[UNAVAILABLE\]/)])
  fails = false
  expect(await client.say('CLOSE')).toEqual(['x OK CLOSE completed'])
  expect((await server.mailbox('INBOX')).messages).toBe(0)
  await server.stop()
})

test('it was told where a mailbox stands without what had gone, while somebody idled and a wake came late', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  server.options.mail = {
    ...mail,
    watch: (account, onWake) => mail.watch(account, (touched) => void setImmediate(() => onWake(touched))),
    async changesSince(...args) {
      await nextTurn()
      return mail.changesSince(...args)
    },
  }
  await server.deliver('INBOX', sampleMessage('simple'), ['\\Deleted'])
  const idling = await server.alice('SELECT INBOX')
  idling.send(Buffer.from('y IDLE\r\n'))
  expect(await idling.response()).toBe('+ idling')
  const client = await server.alice('ENABLE QRESYNC', 'SELECT INBOX')
  expect(await client.say('EXPUNGE')).toEqual(['* VANISHED 1', expect.stringMatching(/^x OK \[HIGHESTMODSEQ \d+\] /)])
  await server.stop()
})
