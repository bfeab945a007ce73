import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSrs, isSrs } from './srs.ts'

const secret = Buffer.from('0123456789abcdef')
const srs = createSrs({ secrets: [secret] })
const dayMs = 86_400_000
const nowMs = Date.UTC(2026, 5, 1)
const alice = { localPart: 'Alice', domain: 'one.test' }

describe('SRS', () => {
  it('writes what was worked out by hand', () => {
    // Day 20605 of the epoch is 125 modulo 1024: D5. The hash: printf 'd5=one.test=alice' | openssl dgst -sha256 -hmac
    // 0123456789abcdef, the low five bits of its first six octets.
    expect(srs.forward(alice, nowMs)).toBe('SRS0=5NWC7E=D5=one.test=Alice')
    expect(srs.forward({ localPart: 'SRS0=AAAA=BB=one.test=alice', domain: 'two.test' }, nowMs)).toBe(
      'SRS1=O57A2B=two.test==AAAA=BB=one.test=alice',
    )
  })

  it('brings a bounce back to the sender, whatever case the local part comes in', () => {
    const local = srs.forward(alice, nowMs)
    expect(srs.reverse(local, nowMs)).toEqual(alice)
    expect(srs.reverse(local.toLowerCase(), nowMs)).toEqual({ localPart: 'alice', domain: 'one.test' })
    expect(srs.reverse(local.toUpperCase(), nowMs)).toEqual({ localPart: 'ALICE', domain: 'ONE.TEST' })
  })

  it('brings a bounce of the second forwarder to the first, and there to the sender', () => {
    const first = createSrs({ secrets: [Buffer.from('another secret of a first host')] })
    const third = createSrs({ secrets: [Buffer.from('and a third host has its own')] })
    const once = { localPart: first.forward(alice, nowMs), domain: 'two.test' }
    const twice = { localPart: srs.forward(once, nowMs), domain: 'three.test' }
    const thrice = third.forward(twice, nowMs)
    expect(thrice).toMatch(/^SRS1=[A-Z2-7]{6}=two\.test==/)
    // The third knows the first, so the second is not asked again.
    expect(third.reverse(thrice, nowMs)).toEqual(once)
    expect(srs.reverse(twice.localPart, nowMs)).toEqual(once)
    expect(first.reverse(once.localPart, nowMs)).toEqual(alice)
  })

  it('keeps the separator of another maker', () => {
    const foreign = { localPart: 'SRS0+abc=de=one.test=alice', domain: 'two.test' }
    const local = srs.forward(foreign, nowMs)
    expect(local).toContain('=two.test=+abc=')
    expect(srs.reverse(local, nowMs)).toEqual(foreign)
  })

  it('is dead after 21 days, also where the count of days begins anew', () => {
    for (const start of [nowMs, 1023 * dayMs, (20 * 1024 - 10) * dayMs]) {
      const local = srs.forward(alice, start)
      expect(srs.reverse(local, start + 20 * dayMs)).toEqual(alice)
      expect(srs.reverse(local, start + 21 * dayMs)).toBeUndefined()
      expect(srs.reverse(local, start - dayMs)).toBeUndefined()
    }
  })

  it('knows the addresses that an earlier secret made', () => {
    const newer = createSrs({ secrets: [Buffer.from('fedcba9876543210'), secret] })
    expect(newer.reverse(srs.forward(alice, nowMs), nowMs)).toEqual(alice)
    expect(srs.reverse(newer.forward(alice, nowMs), nowMs)).toBeUndefined()
  })

  it('refuses every changed digit', () => {
    const local = srs.forward(alice, nowMs)
    for (let at = 0; at < local.length; at++) {
      const changed = `${local.slice(0, at)}${local[at] === 'X' ? 'Y' : 'X'}${local.slice(at + 1)}`
      expect(srs.reverse(changed, nowMs), changed).toBeUndefined()
    }
  })

  it('is inverse for any sender', () => {
    const property = fc.property(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((text) => !isSrs(text)),
      fc.domain(),
      fc.nat(4e12),
      (localPart, domain, at) => {
        const local = srs.forward({ localPart, domain }, at)
        expect(isSrs(local)).toBe(true)
        expect(srs.reverse(local, at)).toEqual({ localPart, domain })
      },
    )
    fc.assert(property, { seed: 21, numRuns: 1000 })
  })

  it('reverses no junk', () => {
    const piece = fc.constantFrom(
      'SRS0',
      'SRS1',
      '=',
      '==',
      '+',
      'AAAAAA',
      'D5',
      'one.test',
      'alice',
      'ſ',
      'ü',
      '\n',
      '',
    )
    const property = fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      expect(srs.reverse(pieces.join(''), nowMs)).toBeUndefined()
      srs.forward({ localPart: pieces.join(''), domain: 'x.test' }, nowMs)
    })
    fc.assert(property, { seed: 22, numRuns: 3000 })
  })

  it('wants real secrets', () => {
    expect(() => createSrs({ secrets: [] })).toThrow(TypeError)
    expect(() => createSrs({ secrets: [secret, Buffer.from('short')] })).toThrow(TypeError)
  })
})
