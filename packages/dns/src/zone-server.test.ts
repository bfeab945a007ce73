import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { connect } from 'node:net'
import { systemDeadline } from '@pennypost/model'
import { type DecodedPacket, decode, encode, streamDecode, streamEncode } from 'dns-packet'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { zone } from './zone.ts'
import { answerQuery } from './zone-answer.ts'
import { createZoneServer, type ZoneServer } from './zone-server.ts'
import { createZones } from './zones.ts'

const one = zone('one.test', [
  ['@', 'MX', '10 mail'],
  ['mail', 'A', '192.0.2.1'],
  ['big', 'TXT', 'x'.repeat(1000)],
])

let server: ZoneServer
beforeEach(async () => {
  server = await createZoneServer({ zones: [one], deadline: systemDeadline, limits: { connections: 3 } })
})
afterEach(() => server.close())

describe('the zone server', () => {
  it("is understood by Node's own resolver, over UDP and TCP", async () => {
    const resolver = new Resolver()
    resolver.setServers([server.server])
    expect(await resolver.resolveMx('one.test')).toMatchObject([{ exchange: 'mail.one.test', priority: 10 }])
    expect(await resolver.resolveTxt('big.one.test')).toEqual([
      ['x'.repeat(255), 'x'.repeat(255), 'x'.repeat(255), 'x'.repeat(235)],
    ])
    await expect(resolver.resolve4('none.one.test')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    await expect(resolver.resolveMx('mail.one.test')).rejects.toMatchObject({ code: 'ENODATA' })
    server.zones.set('one.test', 'MX', ['20 mail'])
    expect(await resolver.resolveMx('one.test')).toMatchObject([{ priority: 20 }])
  })

  it('answers several queries that come in one TCP segment or in pieces', async () => {
    const query = (id: number): Buffer =>
      streamEncode({ type: 'query', id, questions: [{ type: 'A', name: 'mail.one.test', class: 'IN' }] })
    const socket = connect(server.port, '127.0.0.1')
    let received = Buffer.alloc(0)
    socket.on('data', (chunk) => (received = Buffer.concat([received, chunk])))
    socket.write(Buffer.concat([query(1), query(2), query(3).subarray(0, 5)]))
    await expect.poll(() => received.length).toBeGreaterThan(0)
    for (const octet of query(3).subarray(5)) socket.write(Buffer.from([octet]))
    const length = streamEncode(streamDecode(received) as DecodedPacket).length
    await expect.poll(() => received.length).toBe(3 * length)
    socket.destroy()
  })

  it('closes a stream of junk, and takes only so many', async () => {
    const junk = connect(server.port, '127.0.0.1', () => junk.write(Buffer.from('\0\x0cGET / HTTP/1.1\r\n\r\n')))
    await once(junk, 'close')
    const sockets = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const socket = connect(server.port, '127.0.0.1')
        await once(socket, 'connect')
        return socket
      }),
    )
    const tooMany = connect(server.port, '127.0.0.1')
    await once(tooMany, 'close')
    for (const socket of sockets) socket.destroy()
  })

  it('stays up under junk and responses, and answers afterwards', async () => {
    const socket = createSocket('udp4')
    socket.connect(server.port, '127.0.0.1')
    await once(socket, 'connect')
    socket.on('error', () => {})
    for (const junk of ['', 'x', '\0'.repeat(12), 'y'.repeat(1000)]) socket.send(junk)
    socket.send(encode({ type: 'response', id: 1, questions: [{ type: 'A', name: 'one.test' }] }))
    const query = encode({ type: 'query', id: 7, questions: [{ type: 'A', name: 'mail.one.test' }] })
    socket.send(query)
    const ids: number[] = []
    while (ids.at(-1) !== 7) {
      const [answer] = (await once(socket, 'message')) as [Buffer]
      ids.push(decode(answer).id!)
    }
    expect(ids).not.toContain(1)
    socket.close()
  })

  it('closes twice, and while an answer is delayed', async () => {
    let release = (): void => {}
    server.zones.fault('one.test', {
      kind: 'delay',
      until: () => new Promise((resolve) => (release = resolve)),
    })
    const socket = createSocket('udp4')
    const query = encode({ type: 'query', id: 7, questions: [{ type: 'MX', name: 'one.test' }] })
    socket.send(query, server.port, '127.0.0.1')
    await expect.poll(() => server.zones.asked('one.test')).toBe(1)
    await server.close()
    await server.close()
    release()
    socket.close()
  })
})

describe('answers to odd queries', () => {
  const zones = createZones([one])
  const codeOf = async (packet: Parameters<typeof encode>[0]): Promise<number> => {
    const octets = await answerQuery(zones, decode(encode(packet)), 'udp')
    return decode(octets!).flags! & 15
  }
  const question = { type: 'A', name: 'one.test', class: 'IN' } as const

  it('have the code that says what is odd', async () => {
    expect(await codeOf({ type: 'query', questions: [] })).toBe(1)
    expect(await codeOf({ type: 'query', questions: [question, question] })).toBe(1)
    expect(await codeOf({ type: 'query', questions: [question], flags: 4 << 11 })).toBe(4)
    expect(await codeOf({ type: 'query', questions: [{ ...question, class: 'CH' }] })).toBe(5)
    expect(await codeOf({ type: 'query', questions: [{ ...question, type: 'ANY' as 'A' }] })).toBe(5)
    expect(await codeOf({ type: 'query', questions: [{ ...question, type: 'CAA' }] })).toBe(0)
  })

  it('never throw', async () => {
    const head = encode({ type: 'query', id: 1, questions: [question] })
    const property = fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(head.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      fc.uint8Array({ maxLength: 40 }),
      async (changes, tail) => {
        const octets = Buffer.concat([head, tail])
        for (const [at, value] of changes) octets[at] = value
        let query: DecodedPacket
        try {
          query = decode(octets)
        } catch {
          return
        }
        const answer = await answerQuery(zones, query, 'udp')
        expect(answer!.length).toBeLessThanOrEqual(1232)
        decode(answer!)
      },
    )
    await fc.assert(property, { seed: 1035, numRuns: 3000 })
  })
})
