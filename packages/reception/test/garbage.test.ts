/** Anything on the port: a reply for each line, or the end; never a fault of ours, never a broken reply. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { testReception, turns } from './test-reception.ts'

const words = [
  'EHLO a',
  'MAIL FROM:<a@b>',
  'MAIL FROM:<>',
  'RCPT TO:<bob@one.test>',
  'RCPT TO:<x@y>',
  'DATA',
  '.',
  'RSET',
  'QUIT',
  'BDAT 3',
  'BDAT 0 LAST',
  'BDAT 99999',
  'AUTH PLAIN',
  'AUTH LOGIN =',
  'STARTTLS',
  'NOOP',
  'VRFY',
  'ETRN x',
  'EXPN',
  'XCLIENT ADDR=1',
  'HELP',
  'Subject: x',
  '',
  'SIZE=1',
  ' BODY=8BITMIME',
  '\xff\xfe',
  '\0',
  'x'.repeat(5000),
]
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...words) },
  { weight: 6, arbitrary: fc.constantFrom('\r\n', '\n', '\r', '\r\n.\r\n') },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((octets) => Buffer.from(octets).toString('latin1')) },
)

it('plays random pieces of the protocol and of nothing', async () => {
  const host = await testReception({ offersAuth: () => true, requireTlsForAuth: false })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(piece, { maxLength: 12 }), { maxLength: 6 }), fc.nat(2), async (writes, end) => {
      const client = host.connect()
      for (const pieces of writes) {
        client.say(pieces.join(''))
        await turns(2)
      }
      if (end === 0) client.stream.end()
      else if (end === 1) client.stream.resetAndDestroy()
      else client.stream.destroy()
      await turns(4)
      for (const line of client.text.split('\r\n').slice(0, -1)) expect(line).toMatch(/^[2-5]\d\d[ -][ -~]*$/)
      expect(host.errors).toEqual([])
    }),
    { seed: 11, numRuns: 400 },
  )
  await turns()
  expect(host.listener.open).toBe(0)
  expect(host.waits.nextTimerAt()).toBeUndefined()
})
