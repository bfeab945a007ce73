import bcrypt from 'bcrypt'
import { describe, expect, test } from 'vitest'
import { createPasswords, importVerifier, PasswordRefused } from './passwords.ts'

const passwords = createPasswords({ cost: 4 })

describe('our own verifiers', () => {
  test('match their password and no other', async () => {
    const verifier = await passwords.hash('correct horse')
    expect(verifier).toMatch(/^\{v1\}\$2b\$04\$/)
    expect(await passwords.verify('correct horse', verifier)).toBe(true)
    expect(await passwords.verify('correct horse ', verifier)).toBe(false)
    expect(await passwords.verify('correct horse\0', verifier)).toBe(false)
  })

  test('no octet of a long password is without effect', async () => {
    const long = 'x'.repeat(80)
    const verifier = await passwords.hash(long)
    expect(await passwords.verify(long, verifier)).toBe(true)
    expect(await passwords.verify(`${'x'.repeat(79)}y`, verifier)).toBe(false)
    expect(await passwords.verify('x'.repeat(72), verifier)).toBe(false)
    const exactly72 = await passwords.hash('x'.repeat(72))
    expect(await passwords.verify('x'.repeat(72), exactly72)).toBe(true)
    expect(await passwords.verify('x'.repeat(73), exactly72)).toBe(false)
  })

  test('a password is the same however the keyboard composed it', async () => {
    const verifier = await passwords.hash('ca\u0301ndido\u00a0\u2168')
    expect(await passwords.verify('c\u00e1ndido IX', verifier)).toBe(true)
    expect(await passwords.verify('candido IX', verifier)).toBe(false)
  })

  test('emoji are fine; control characters and nothing are refused without being repeated', async () => {
    const verifier = await passwords.hash('\u{1fae0}')
    expect(await passwords.verify('\u{1fae0}', verifier)).toBe(true)
    for (const bad of ['', 'tab\tsecret', 'nul\0secret', '\u00ad']) {
      const refusal = await passwords.hash(bad).catch((error: Error) => error)
      expect(refusal).toBeInstanceOf(PasswordRefused)
      expect((refusal as Error).message).not.toContain('secret')
    }
  })
})

test('a password in Hebrew with a digit behind it was refused for control characters', async () => {
  await expect(passwords.hash('סיסמה1')).rejects.toThrow('Hebrew')
  expect(await passwords.verify('סיסמה1ה', await passwords.hash('סיסמה1ה'))).toBe(true)
})

describe('imported verifiers', () => {
  test.each(['$2a$', '$2b$', '$2y$'])('%s keeps verifying', async (prefix) => {
    const verifier = importVerifier((await bcrypt.hash('secret', 4)).replace('$2b$', prefix))
    expect(await passwords.verify('secret', verifier)).toBe(true)
    expect(await passwords.verify('Secret', verifier)).toBe(false)
  })

  test('a known hash from elsewhere', async () => {
    // From the test vectors of OpenBSD's bcrypt as John the Ripper publishes them.
    const verifier = importVerifier('$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW')
    expect(await passwords.verify('U*U', verifier)).toBe(true)
    expect(await passwords.verify('U*U*', verifier)).toBe(false)
  })

  test("with Dovecot's prefix", async () => {
    const hash = await bcrypt.hash('secret', 4)
    expect(importVerifier(`{BLF-CRYPT}${hash}`)).toBe(hash)
  })

  test('are compared as their maker did: unprepared, and by 72 octets', async () => {
    const decomposed = importVerifier(await bcrypt.hash('ca\u0301ndido', 4))
    expect(await passwords.verify('ca\u0301ndido', decomposed)).toBe(true)
    const tab = importVerifier(await bcrypt.hash('tab\tsecret', 4))
    expect(await passwords.verify('tab\tsecret', tab)).toBe(true)
    const long = importVerifier(await bcrypt.hash('x'.repeat(300), 4))
    expect(await passwords.verify('x'.repeat(300), long)).toBe(true)
  })

  test.each([
    ['{SSHA}abcdef', /only bcrypt hashes/],
    ['$6$rounds=5000$salt$hash', /only bcrypt hashes/],
    [`$2b$31$${'.'.repeat(53)}`, /cost 31 is not within 4 and 15/],
    [`$2x$10$${'.'.repeat(53)}`, /only bcrypt hashes/],
  ])('%s is refused', (hash, reason) => {
    expect(() => importVerifier(hash)).toThrow(reason)
  })
})

describe('pretending', () => {
  const counted = async (work: () => Promise<void>): Promise<string[]> => {
    const seen: string[] = []
    const compare = bcrypt.compare
    bcrypt.compare = (async (data: Buffer, hash: string) => {
      seen.push(hash.slice(0, 7))
      return compare(data, hash)
    }) as typeof compare
    try {
      await work()
    } finally {
      bcrypt.compare = compare
    }
    return seen
  }
  const cost6 = createPasswords({ cost: 6 })

  test('costs one comparison of ours', async () => {
    expect(await counted(() => cost6.pretend('secret'))).toEqual(['$2b$06$'])
  })

  test('after a cheaper imported verifier, makes up for the difference', async () => {
    const cheap = await bcrypt.hash('secret', 4)
    expect(await counted(() => cost6.pretend('wrong', cheap))).toEqual(['$2b$04$', '$2b$05$'])
    expect(await counted(() => cost6.pretend('wrong', `$2b$06$${'.'.repeat(53)}`))).toEqual([])
  })
})
