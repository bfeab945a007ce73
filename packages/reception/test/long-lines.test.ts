/** Lines of more octets than a server has to take, in what programs submit. */
import { UidSet } from '@pennypost/model'
import { expect, it } from 'vitest'
import { testReception } from './test-reception.ts'

const page = `<p>${'x'.repeat(2000)}</p>`
const html = `From: bob@one.test\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n${page}\r\n`

/** What was filed of it, and what was signed. */
async function sent(content: string, trusted: boolean) {
  const signed: string[] = []
  const host = await testReception({
    async sign({ header, body }) {
      signed.push(Buffer.concat([header, ...(await Array.fromAsync(body()))]).toString('latin1'))
      return ''
    },
  })
  const account = await host.store.directory.accountByLogin('bob@one.test')
  if (account && trusted) host.options.trusted = new Map([['192.0.2.7', account]])
  const client = host.connect()
  client.say('EHLO client.test\r\nMAIL FROM:<bob@one.test>\r\nRCPT TO:<bob@one.test>\r\nDATA\r\n')
  await client.until(/^354 /m)
  client.say(`${content}.\r\n`)
  await client.until(/^250 .*queued as/m)
  const [inbox] = await host.store.mail.mailboxes(account!.id)
  const [rows] = await Array.fromAsync(host.store.mail.fetch(inbox!.id, UidSet.ofRanges([[1, 1]]), { header: true }))
  const { header = '', message } = rows![0]!
  const body = Buffer.concat(await Array.fromAsync(host.store.mail.readBody(message)))
  return { filed: header.toString('latin1') + body.toString('latin1'), signed }
}

it('are encoded in what is submitted, before it is signed', async () => {
  const { filed, signed } = await sent(html, true)
  expect(Math.max(...filed.split('\r\n').map(({ length }) => length))).toBeLessThanOrEqual(998)
  expect(filed).toContain('Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n')
  expect(filed.replaceAll('=\r\n', '')).toContain(page)
  expect(signed).toHaveLength(1)
  expect(filed.endsWith(signed[0]!)).toBe(true)
})

it.each([
  ['mail of other servers', html, false],
  ['what its author has signed', `DKIM-Signature: v=1; d=one.test\r\n${html}`, true],
  ['what is too large for memory', `${html}${`${'y'.repeat(900)}\r\n`.repeat(18_700)}`, true],
])('stay in %s', async (_, content, trusted) => {
  const { filed } = await sent(content, trusted)
  expect(filed).toContain(page)
})
