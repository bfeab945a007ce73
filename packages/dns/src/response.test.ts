import { decode, encode } from 'dns-packet'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeQuery } from './exchange.ts'
import { beginChain, decodeResponse, failureOf, type Query, readResponse } from './response.ts'

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s|\/\/.*$/gm, ''), 'hex')

const query: Query = { id: 0x1234, name: 'one.test', type: 'MX' }

/** Written octet by octet after RFC 1035 §4: an MX answer with compression, and its address in the additional section. */
const mxResponse = hex(`
  1234 81a0 0001 0002 0000 0001                 // id; QR RD RA AD; counts
  03 6f6e65 04 74657374 00 000f 0001            // one.test MX IN
  c00c 000f 0001 0000012c 0009 000a 04 6d61696c c00c   // 10 mail.one.test, 300 s
  c00c 000f 0001 0000003c 0009 0014 04 4d583032 c00c   // 20 MX02.one.test, 60 s
  c028 0001 0001 0000012c 0004 c0000201         // mail.one.test A 192.0.2.1
`)

/** RFC 2308 §2.1: NXDOMAIN with the SOA in the authority section; TTL 900, minimum 600. */
const nxResponse = hex(`
  1234 8183 0001 0000 0001 0000
  03 6f6e65 04 74657374 00 000f 0001
  c010 0006 0001 00000384 001c
    02 6e73 c010  04 686f7374 c010  00000001 00000e10 00000258 00015180 00000258
`)

const read = (octets: Buffer, asked: Query = query) => {
  const packet = decodeResponse(octets, asked)
  return packet && readResponse(packet, asked.type, beginChain(asked.name), true, 8)
}

describe('the query', () => {
  it('is RFC 1035 §4.1 with an OPT record of RFC 6891 §6.1.2', () => {
    const plain = hex('1234 0100 0001 0000 0000 0000 03 6f6e65 04 74657374 00 000f 0001')
    expect(encodeQuery(query, { edns: false, dnssec: false })).toEqual(plain)
    const validating = hex(
      '1234 0120 0001 0000 0000 0001 03 6f6e65 04 74657374 00 000f 0001  00 0029 04d0 00 00 8000 0000',
    )
    expect(encodeQuery(query, { edns: true, dnssec: true })).toEqual(validating)
  })
})

describe('a response from the wire', () => {
  it('gives records, the least TTL, and what AD says', () => {
    expect(read(mxResponse)).toEqual({
      status: 'found',
      records: [
        { preference: 10, exchange: 'mail.one.test' },
        { preference: 20, exchange: 'mx02.one.test' },
      ],
      ttlSeconds: 60,
      authentic: true,
    })
  })

  it('says that it was truncated, when it was cut in the middle of a record too', () => {
    const cut = Buffer.from(mxResponse.subarray(0, 45))
    expect(decodeResponse(cut, query), 'cut, and not said so').toBeUndefined()
    cut.writeUInt16BE(cut.readUInt16BE(2) | 0x0200, 2)
    expect(decodeResponse(cut, query)).toMatchObject({ flag_tc: true })
    expect(decodeResponse(cut, { ...query, name: 'two.test' }), 'another question').toBeUndefined()
    expect(decodeResponse(cut.subarray(0, 20), query), 'cut within the question').toBeUndefined()
  })

  it('gives the lesser of SOA TTL and minimum to what does not exist (RFC 2308 §5)', () => {
    expect(read(nxResponse)).toEqual({ status: 'nxdomain', ttlSeconds: 600, authentic: false })
  })

  it('counts only with our id, our question, and as a response', () => {
    const changed = (at: number, value: number): Buffer => {
      const octets = Buffer.from(mxResponse)
      octets[at] = value
      return octets
    }
    expect(read(changed(1, 0x35)), 'id').toBeUndefined()
    expect(read(changed(2, 0x01)), 'a query').toBeUndefined()
    expect(read(changed(2, 0x91)), 'opcode').toBeUndefined()
    expect(read(changed(13, 0x74)), 'name').toBeUndefined()
    expect(read(changed(23, 0x10)), 'type').toBeUndefined()
    expect(read(changed(25, 0x03)), 'class').toBeUndefined()
    expect(read(changed(13, 0x4f)), 'another case is the same name').toBeDefined()
  })

  it('may lack the question only if it reports an error', () => {
    expect(failureOf(decodeResponse(hex('1234 8181 0000 0000 0000 0000'), query)!)).toBe('FORMERR')
    expect(decodeResponse(hex('1234 8180 0000 0000 0000 0000'), query)).toBeUndefined()
    expect(decodeResponse(hex('1234 8183 0000 0000 0000 0000'), query)).toBeUndefined()
  })

  it('that only refers to other servers was taken for "no MX", by which mail went to the A record (RFC 2308 §2.2)', () => {
    const referral = hex(`
      1234 8100 0001 0000 0001 0000                 // QR RD; no AA, no RA
      03 6f6e65 04 74657374 00 000f 0001
      c010 0002 0001 00000384 0005 02 6e73 c010     // test NS ns.test
    `)
    const packet = decodeResponse(referral, query)
    expect(packet && failureOf(packet)).toBe('a referral')
    referral.writeUInt16BE(0x8180, 2)
    expect(read(referral), 'of one who recurses').toMatchObject({ status: 'nodata' })
  })

  it('that is empty, of one who neither recurses nor knows, bounced mail as "no MX, no address"', () => {
    const empty = hex('1234 8100 0001 0000 0000 0000  03 6f6e65 04 74657374 00 000f 0001')
    const failure = (flags: number): string | undefined => {
      empty.writeUInt16BE(flags, 2)
      return failureOf(decodeResponse(empty, query)!)
    }
    expect(failure(0x8100)).toBe('an empty answer')
    expect(failure(0x8180), 'RA').toBeUndefined()
    expect(failure(0x8500), 'AA').toBeUndefined()
    expect(decodeResponse(hex('1234 8100 0000 0000 0000 0000'), query), 'without the question').toBeUndefined()
  })

  it('reports a code that EDNS extends', () => {
    const badVersion = hex(
      '1234 8180 0001 0000 0000 0001 03 6f6e65 04 74657374 00 000f 0001 00 0029 04d0 01 00 0000 0000',
    )
    expect(failureOf(decodeResponse(badVersion, query)!)).toBe('RCODE16')
  })

  it('did not say that it failed by DNSSEC, though the server does (RFC 8914)', () => {
    const failing = (option: string) => {
      const octets = hex(
        `1234 8182 0001 0000 0000 0001 03 6f6e65 04 74657374 00 000f 0001 00 0029 04d0 0000 0000 ${option}`,
      )
      return failureOf(decodeResponse(octets, query)!)
    }
    expect(failing('0008 000f 0004 0007 6f6c')).toBe('SERVFAIL (signature expired)')
    expect(failing('000c 000f 0002 0006 000f 0002 0016')).toBe('SERVFAIL (DNSSEC bogus, no reachable authority)')
    expect(failing('0006 000f 0002 0000'), 'other').toBe('SERVFAIL')
    expect(failing('0005 000f 0001 00'), 'too short').toBe('SERVFAIL')
    expect(failing('0000')).toBe('SERVFAIL')
  })

  it('ignores records of other names and classes', () => {
    const packet = encode({
      type: 'response',
      id: 0x1234,
      questions: [{ type: 'MX', name: 'one.test', class: 'IN' }],
      answers: [
        { type: 'MX', name: 'two.test', ttl: 60, data: { preference: 1, exchange: 'evil.test' } },
        { type: 'MX', name: 'one.test', class: 'CH', ttl: 60, data: { preference: 1, exchange: 'evil.test' } },
      ],
    })
    expect(read(packet)).toEqual({ status: 'nodata', ttlSeconds: 0, authentic: false })
  })

  it('makes records that cannot be read a failure, not an absence', () => {
    const packet = encode({
      type: 'response',
      id: 0x1234,
      questions: [{ type: 'MX', name: 'one.test', class: 'IN' }],
      answers: [{ type: 'MX', name: 'one.test', ttl: 60, data: { preference: 1, exchange: 'not a name.test' } }],
    })
    expect(read(packet)).toMatchObject({ status: 'failed' })
  })

  it('takes a TTL with the top bit set for zero (RFC 2181 §8)', () => {
    const octets = Buffer.from(mxResponse)
    octets[32] = 0x80
    expect(read(octets)).toMatchObject({ ttlSeconds: 0 })
  })

  it('keeps its own octets of a certificate association', () => {
    const octets = encode({
      type: 'response',
      id: 1,
      questions: [{ type: 'TLSA', name: '_25._tcp.one.test', class: 'IN' }],
      answers: [
        {
          type: 'TLSA',
          name: '_25._tcp.one.test',
          ttl: 60,
          data: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.alloc(32, 7) },
        },
      ],
    })
    const answer = read(octets, { id: 1, name: '_25._tcp.one.test', type: 'TLSA' })
    octets.fill(0)
    expect(answer).toMatchObject({ records: [{ usage: 3, selector: 1, certificate: Buffer.alloc(32, 7) }] })
  })

  it('survives junk', () => {
    const junk = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      // Junk that passes for a response to the query as far as its header goes.
      fc.uint8Array({ maxLength: 300 }).map((tail) => Buffer.concat([mxResponse.subarray(0, 26), tail])),
      // A good response with a few octets changed, or cut short.
      fc
        .tuple(
          fc.array(fc.tuple(fc.nat(mxResponse.length - 1), fc.nat(255)), { maxLength: 6 }),
          fc.nat(mxResponse.length),
        )
        .map(([changes, length]) => {
          const octets = Buffer.from(mxResponse)
          for (const [at, value] of changes) octets[at] = value
          return octets.subarray(0, length)
        }),
    )
    const property = fc.property(junk, (octets) => {
      const answer = read(Buffer.from(octets))
      if (answer?.status !== 'found') return
      for (const record of answer.records) {
        expect((record as { exchange: string }).exchange).toMatch(/^[!-@[-~]*$/)
      }
      expect(answer.ttlSeconds).toBeGreaterThanOrEqual(0)
      expect(answer.ttlSeconds).toBeLessThan(2 ** 31)
    })
    fc.assert(property, { seed: 5321, numRuns: 20_000 })
  })

  it('is not led in circles by compression pointers', () => {
    const loop = hex('1234 8180 0001 0000 0000 0000 c00c 000f 0001')
    expect(() => decode(loop)).toThrow('pointer')
    expect(decodeResponse(loop, query)).toBeUndefined()
  })
})
