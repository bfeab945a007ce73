import { UidSet, uid } from '@pennypost/model'
import { expect, test } from 'vitest'
import { sampleMessage, TestServer } from './dialogue/server.ts'

/** What a session has changed itself is known, and only what others did is looked for. */
test('a STORE was read back from the store before the next command', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  const changesSince = mail.changesSince.bind(mail)
  let looks = 0
  mail.changesSince = (...args) => {
    looks++
    return changesSince(...args)
  }
  for (let i = 0; i < 2; i++) await server.deliver('INBOX', sampleMessage('simple'))
  const one = await server.alice('SELECT INBOX')
  const other = await server.alice('SELECT INBOX')
  looks = 0
  for (const sign of ['+', '-', '+']) {
    await one.say(`STORE 1 ${sign}FLAGS (\\Flagged)`)
    await one.say('NOOP')
  }
  expect(await other.say('NOOP')).toEqual(['* 1 FETCH (UID 1 FLAGS (\\Flagged))', 'x OK NOOP completed'])
  expect(looks).toBe(0)
  const { id } = await server.mailbox('INBOX')
  // Changes of others in between and behind are found all the same.
  await mail.updateFlags(id, { uids: UidSet.of(uid(2)), mode: 'add', flags: ['\\Answered'] })
  const [own] = await Promise.all([
    one.say('STORE 1 +FLAGS.SILENT (\\Deleted)'),
    mail.updateFlags(id, { uids: UidSet.of(uid(2)), mode: 'add', flags: ['\\Draft'] }),
  ])
  const told = [...own, ...(await one.say('NOOP'))]
  expect(told.filter((response) => response.startsWith('*')).at(-1)).toMatch(/^\* 2 FETCH .*\\Answered.*\\Draft/)
  expect(looks).toBeGreaterThan(0)
  await server.stop()
})
