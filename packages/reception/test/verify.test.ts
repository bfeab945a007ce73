/** VRFY and EXPN about addresses beyond ASCII (RFC 6531 §3.7.4.2). */
import { expect, test } from 'vitest'
import { testReception } from './test-reception.ts'

/** What a client of an account is told. */
async function told(...commands: string[]): Promise<string[]> {
  const host = await testReception()
  const { directory } = host.store
  const account = await directory.accountByLogin('bob@one.test')
  if (!account) throw new Error('no account')
  await directory.putAlias({ address: 'team@one.test', targets: ['bob@one.test', 'zoë@far.test'] })
  await directory.putAlias({ address: 'zoë@one.test', targets: ['bob@one.test'] })
  host.options.trusted = new Map([['192.0.2.7', account]])
  const client = host.connect()
  client.say('EHLO client.test\r\n', Buffer.from(commands.map((command) => `${command}\r\n`).join('')), 'NOOP\r\n')
  await client.until(/^250 2\.0\.0 Ok\r\n/m)
  const [, replies = ''] = Buffer.from(client.text, 'latin1').toString().split('250 HELP\r\n')
  return replies.split('\r\n').slice(0, -2)
}

test('SMTPUTF8 was taken for a part of the address', async () => {
  expect(await told('VRFY bob SMTPUTF8', 'EXPN bob smtputf8')).toEqual([
    '250 2.1.5 <bob@one.test>',
    '250 2.1.5 <bob@one.test>',
  ])
})

test('who did not say SMTPUTF8 was told addresses with holes in them', async () => {
  expect(await told('VRFY zoë', 'EXPN team')).toEqual([
    '252 2.6.8 The reply has UTF-8, say SMTPUTF8',
    '252 2.6.8 The reply has UTF-8, say SMTPUTF8',
  ])
})

test('who says SMTPUTF8 is told them whole', async () => {
  expect(await told('VRFY zoë SMTPUTF8', 'EXPN team SMTPUTF8')).toEqual([
    '250 2.1.5 <zoë@one.test>',
    '250-2.1.5 <bob@one.test>',
    '250 2.1.5 <zoë@far.test>',
  ])
})
