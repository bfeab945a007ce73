/** What a POP3 client sends right behind the TLS handshake that STLS has asked for. */
import { once } from 'node:events'
import { connect } from 'node:tls'
import type { Clock } from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom } from '@pennypost/model/testing'
import { expect, it } from 'vitest'
import { openHost } from './host.ts'

it('the command behind a login that came with the end of the handshake was run before the login was done', async () => {
  let time!: Clock
  await using host = await openHost(async (clock) =>
    createMemoryStore({ clock: (time = clock), random: seededRandom(2) }),
  )
  // A handshake takes so long that others have their turn behind it.
  let passed = 0
  time.elapsed = () => (passed += 10)
  const clear = await host.connect('pop3')
  await once(clear, 'data')
  clear.write('STLS\r\n')
  await once(clear, 'data')
  const client = connect({ socket: clear, rejectUnauthorized: false })
  let received = ''
  client.on('data', (octets: Buffer) => (received += octets.toString()))
  client.end('AUTH PLAIN AGJvYkBvbmUudGVzdABzZWNyZXQ=\r\nSTAT\r\nQUIT\r\n')
  await once(client, 'end')
  expect(received).toBe('+OK 0 messages\r\n+OK 0 0\r\n+OK Bye\r\n')
})
