import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findLoops } from './loops.ts'
import type { Delivery } from './mda.ts'

const forward: Delivery = { kind: 'relay', forwardPath: 'x@far.test', trace: 'Delivered-To: Fwd@one.test\r\n' }
const filed: Delivery = { kind: 'file', account: 1 as never, deliveredTo: 'fwd@one.test' }
const header = (...lines: string[]): Buffer => Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
const find = (octets: Buffer, deliveries: readonly Delivery[]) => findLoops(octets, [deliveries], 100)[0]
const loop = { code: 554, enhanced: '5.4.6' }

describe('findLoops', () => {
  it('finds the own Delivered-To of a forward, in any case and folding', () => {
    for (const line of [
      'Delivered-To: fwd@one.test',
      'DELIVERED-to:<FWD@One.Test>',
      'Delivered-To :\r\n\tfwd@one.test ',
    ]) {
      expect(find(header('From: a@b', line, 'To: c'), [filed, forward]), line).toMatchObject(loop)
    }
    expect(find(header('Delivered-To: other@one.test'), [forward])).toBeUndefined()
    expect(find(header('X-Delivered-To: fwd@one.test', ' Delivered-To: fwd@one.test'), [forward])).toBeUndefined()
    expect(find(header('Delivered-Tonight: fwd@one.test'), [forward])).toBeUndefined()
  })

  it('knows a forward for a quoted local part with a space, as it came', () => {
    const quoted = { ...forward, trace: 'Delivered-To: "a b"@one.test\r\n' }
    expect(find(header('Delivered-To: "a b"@one.test'), [quoted])).toEqual({
      ...loop,
      lines: ['mail loop: already forwarded for <"a b"@one.test>'],
    })
  })

  it('does not mind one when the message is only filed or relayed', () => {
    const relayed: Delivery = { kind: 'relay', forwardPath: 'x@far.test', trace: '' }
    for (const address of ['fwd@one.test', '']) {
      expect(find(header(`Delivered-To: ${address}`), [filed, relayed])).toBeUndefined()
    }
  })

  it('finds it for the recipient that it is of, too many hops for all', () => {
    const both = (octets: Buffer) => findLoops(octets, [[filed], [forward]], 0)
    expect(both(header('Delivered-To: fwd@one.test'))).toEqual([undefined, expect.objectContaining(loop)])
    expect(both(header('Received: x'))).toEqual([expect.objectContaining(loop), expect.objectContaining(loop)])
  })

  it('counts hops: 100 pass, 101 do not (RFC 5321 §6.3)', () => {
    const received = (count: number): string[] => Array.from({ length: count }, () => 'Received: from a\r\n\tby b; now')
    const others = ['X-Received: no', 'Subject: Received: no', 'Return-Path: <>', 'Reply-To: a@b']
    expect(find(header(...received(100), ...others), [])).toBeUndefined()
    expect(find(header(...received(100), 'received: by c'), [])).toMatchObject(loop)
  })

  it('ends on any junk', () => {
    const piece = fc.constantFrom(
      'Received:',
      'Delivered-To:',
      'fwd@one.test',
      '\r\n',
      '\n',
      '\r',
      ' ',
      '\t',
      ':',
      '\0',
      'é',
      'd',
      '',
    )
    const property = fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const found = find(Buffer.from(pieces.join('')), [forward])
      if (found) expect(pieces).toContain('Delivered-To:')
    })
    fc.assert(property, { seed: 46, numRuns: 2000 })
  })
})
