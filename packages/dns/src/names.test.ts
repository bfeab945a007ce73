import { describe, expect, it } from 'vitest'
import { canonicalName } from './names.ts'

describe('canonicalName', () => {
  it('makes every spelling of a name one string', () => {
    expect(canonicalName('One.Test.')).toBe('one.test')
    expect(canonicalName('one.test')).toBe('one.test')
    expect(canonicalName('_25._tcp.MX.one.test')).toBe('_25._tcp.mx.one.test')
    expect(canonicalName('.')).toBe('')
    expect(canonicalName('')).toBe('')
  })

  it('takes the longest label and the longest name, and no longer ones (RFC 1035 §2.3.4)', () => {
    const label = 'a'.repeat(63)
    expect(canonicalName(`${label}.test`)).toBe(`${label}.test`)
    expect(canonicalName(`${label}a.test`)).toBeUndefined()
    const longest = `${label}.${label}.${label}.${'a'.repeat(61)}`
    expect(longest).toHaveLength(253)
    expect(canonicalName(`${longest}.`)).toBe(longest)
    expect(canonicalName(`${longest}a`)).toBeUndefined()
  })

  it('refuses what is no name', () => {
    for (const text of ['a..b', '.a', 'a..', '..', 'a b', 'a\nb', 'bücher.test', 'a\0.test']) {
      expect(canonicalName(text), JSON.stringify(text)).toBeUndefined()
    }
  })
})
