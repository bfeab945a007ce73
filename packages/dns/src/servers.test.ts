import { describe, expect, it } from 'vitest'
import { parseResolvConf, parseServer, readSystemServers } from './servers.ts'

describe('parseServer', () => {
  it('reads every way to write one', () => {
    expect(parseServer('192.0.2.1:5353')).toMatchObject({ address: '192.0.2.1', port: 5353, label: '192.0.2.1:5353' })
    expect(parseServer('192.0.2.1')).toMatchObject({ port: 53 })
    expect(parseServer('[2001:db8::1]:5353')).toMatchObject({ address: '2001:db8::1', port: 5353 })
    expect(parseServer('[2001:db8::1]').label).toBe('[2001:db8::1]:53')
    expect(parseServer('2001:db8::1').label).toBe('[2001:db8::1]:53')
  })

  it('knows what is on this machine', () => {
    for (const text of ['127.0.0.1', '127.0.0.53:53', '::1', '[::1]:5300'])
      expect(parseServer(text).loopback).toBe(true)
    for (const text of ['128.0.0.1', '10.0.0.1', '::2', '2001:db8::1']) expect(parseServer(text).loopback).toBe(false)
  })

  it('says what is wrong', () => {
    for (const text of ['dns.test:53', '192.0.2.1:0', '192.0.2.1:65536', '192.0.2.1:', '', '[192.0.2.1', ':53']) {
      expect(() => parseServer(text), text).toThrow(TypeError)
    }
  })
})

describe('parseResolvConf', () => {
  it('takes the name servers and nothing else', () => {
    const text =
      '# made by hand\nsearch one.test\nnameserver 192.0.2.1\nnameserver\t2001:db8::1 \noptions rotate\n#nameserver 192.0.2.3\n'
    expect(parseResolvConf(text)).toEqual(['192.0.2.1:53', '[2001:db8::1]:53'])
  })

  it('asks this machine when the file names none', () => {
    expect(parseResolvConf('nameserver not-an-address\n')).toEqual(['127.0.0.1:53'])
  })

  it('takes three as libc does', () => {
    expect(parseResolvConf('nameserver 192.0.2.1\n'.repeat(5))).toHaveLength(3)
  })
})

describe('readSystemServers', () => {
  it('gives what a resolver takes, also where there is no such file', async () => {
    for (const servers of [await readSystemServers(), await readSystemServers('/nowhere/resolv.conf')]) {
      for (const server of servers) expect(parseServer(server).label).toBe(server)
    }
  })
})
