import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ProxyHeader, readProxyHeader } from './proxy-header.ts'

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

function binary(command: number, family: number, ...rest: number[]): Buffer {
  return Buffer.concat([signature, Buffer.from([0x20 | command, family, rest.length >> 8, rest.length & 255, ...rest])])
}

const v4 = [192, 0, 2, 1, 198, 51, 100, 9, 0x12, 0x67, 0, 25]
const v6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, ...new Array(16).fill(1), 0x12, 0x67, 0, 25]
const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1, ...new Array(16).fill(1), 0x12, 0x67, 0, 25]

const good: [name: string, octets: Buffer, client: Extract<ProxyHeader, { kind: 'read' }>['client']][] = [
  ['TCP4', Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.9 4711 25\r\n'), { address: '192.0.2.1', port: 4711 }],
  ['TCP6', Buffer.from('PROXY TCP6 2001:db8::7 ::1 4711 25\r\n'), { address: '2001:db8::7', port: 4711 }],
  ['TCP6, mapped', Buffer.from('PROXY TCP6 ::ffff:192.0.2.1 ::1 4711 25\r\n'), { address: '192.0.2.1', port: 4711 }],
  ['UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), undefined],
  ['UNKNOWN with more', Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), undefined],
  ['binary, IPv4', binary(1, 0x11, ...v4), { address: '192.0.2.1', port: 4711 }],
  ['binary, IPv4 with TLVs', binary(1, 0x11, ...v4, 4, 0, 1, 0), { address: '192.0.2.1', port: 4711 }],
  ['binary, IPv6', binary(1, 0x21, ...v6), { address: '2001:db8::7', port: 4711 }],
  ['binary, IPv6, mapped', binary(1, 0x21, ...mapped), { address: '192.0.2.1', port: 4711 }],
  ['binary, LOCAL', binary(0, 0), undefined],
  ['binary, LOCAL with addresses', binary(0, 0x11, ...v4), undefined],
  ['binary, Unix socket', binary(1, 0x31, ...new Array(216).fill(0)), undefined],
  ['binary, unspecified', binary(1, 0, 1, 2, 3), undefined],
]

const bad: [name: string, octets: Buffer][] = [
  ['a command', Buffer.from('EHLO client.test\r\n')],
  ['lower case', Buffer.from('proxy TCP4 192.0.2.1 198.51.100.9 4711 25\r\n')],
  ['another family', Buffer.from('PROXY TCP5 192.0.2.1 198.51.100.9 4711 25\r\n')],
  ['an address of the other family', Buffer.from('PROXY TCP4 2001:db8::7 ::1 4711 25\r\n')],
  ['no address', Buffer.from('PROXY TCP4 nowhere 198.51.100.9 4711 25\r\n')],
  ['a port too high', Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.9 65536 25\r\n')],
  ['a line without end', Buffer.from(`PROXY TCP4 ${'1'.repeat(100)}`)],
  ['a line too long', Buffer.from(`PROXY UNKNOWN ${'1'.repeat(100)}\r\n`)],
  ['version 3', Buffer.concat([signature, Buffer.from([0x31, 0x11, 0, 12, ...v4])])],
  ['another command', Buffer.concat([signature, Buffer.from([0x22, 0x11, 0, 12, ...v4])])],
  ['datagrams', binary(1, 0x12, ...v4)],
  ['too short for its addresses', binary(1, 0x11, ...v4.slice(0, 8))],
  ['a length beyond reason', Buffer.concat([signature, Buffer.from([0x21, 0x11, 0xff, 0xff])])],
]

describe('PROXY header', () => {
  it.each(good)('%s', (_, octets, client) => {
    const read = { kind: 'read', length: octets.length, ...(client ? { client } : {}) }
    expect(readProxyHeader(octets)).toEqual(read)
    expect(readProxyHeader(Buffer.concat([octets, Buffer.from('EHLO x\r\n')]))).toEqual(read)
    for (let length = 0; length < octets.length; length++) {
      expect(readProxyHeader(octets.subarray(0, length))).toEqual({ kind: 'more' })
    }
  })

  it.each(bad)('not %s', (_, octets) => {
    expect(readProxyHeader(octets)).toEqual({ kind: 'bad' })
  })

  it('asks for no more than 4 KB, whatever comes', () => {
    const begin = fc.constantFrom(Buffer.alloc(0), signature, Buffer.from('PROXY '), Buffer.from('PROXY TCP4 '))
    fc.assert(
      fc.property(begin, fc.uint8Array({ maxLength: 60 }), (start, rest) => {
        const header = readProxyHeader(Buffer.concat([start, rest, Buffer.alloc(5000)]))
        expect(['bad', 'read']).toContain(header.kind)
        if (header.kind === 'read') expect(header.length).toBeLessThanOrEqual(4096)
      }),
      { seed: 5, numRuns: 2000 },
    )
  })
})
