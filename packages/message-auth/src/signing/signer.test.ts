import { rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import fc from 'fast-check'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { anyMessage } from '../../test/any-message.ts'
import { askDkimpy, noDkimpy } from '../../test/dkimpy.ts'
import { type DkimRecord, dkimRecords } from './dkim-records.ts'
import { generateKeys } from './generate-keys.ts'
import { createSigner, NothingToSignError, type Signer } from './signer.ts'

let directory: string
let records: DkimRecord[]
let signer: Signer
const clock = virtualClock(Date.UTC(2026, 7, 1))

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pennypost-signer-'))
  await generateKeys(directory, 'one.test', [
    { name: 'r', algorithm: 'rsa' },
    { name: 'e', algorithm: 'ed25519' },
  ])
  records = await dkimRecords(directory, 'one.test')
  signer = createSigner({ keyDirectory: directory, clock, log: silentLog })
})
afterAll(() => rmSync(directory, { recursive: true }))

async function* pieces(body: Buffer, size: number): AsyncIterable<Buffer> {
  for (let from = 0; from < body.length; from += size) yield body.subarray(from, from + size)
}

const octets = (text: string) => Buffer.from(text, 'latin1')

const sign = (header: string, body: string, size = 1 << 16) =>
  signer.sign({ domain: 'one.test', header: octets(header), body: () => pieces(octets(body), size) })

async function verify(message: string): Promise<string[]> {
  const { results } = await dkimVerify(octets(message), {
    strict: true,
    curTime: new Date(clock.now()),
    resolver: async (name) => records.filter((record) => record.name === name).map(({ value }) => [value]),
  })
  return results.map(({ status }) => status.result)
}

const header = [
  'From: Alice <alice@one.test>',
  'To: bob@two.test,',
  '\tcarol@three.test',
  'Subject:  a   folded',
  '  subject\t',
  'Date: Sat, 01 Aug 2026 00:00:00 +0000',
  'Message-ID: <1@one.test>',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
  '',
].join('\r\n')
const body = 'Hello,\r\n\r\n  two  blanks, a\ttab \r\nand a caf\xc3\xa9.\r\n\r\n\r\n'

test('both signatures verify, and lines are short', async () => {
  const fields = await sign(header, body)
  expect(fields.match(/^DKIM-Signature: /gm)).toHaveLength(2)
  expect(fields).toContain('t=1785542400;')
  expect(fields.endsWith('\r\n')).toBe(true)
  for (const line of fields.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78)
  expect(await verify(`${fields}${header}\r\n${body}`)).toEqual(['pass', 'pass'])
})

test('what hops may change does not break a signature, what changes the message does', async () => {
  const fields = await sign(header, body)
  const changed = (from: string, to: string) => verify(`${fields}${header}\r\n${body}`.replace(from, to))
  expect(await changed('From:', 'Received: from x by y; now\r\nFrom:')).toEqual(['pass', 'pass'])
  expect(await changed('a   folded\r\n  subject', 'a folded subject')).toEqual(['pass', 'pass'])
  expect(await changed('two  blanks', 'two blanks')).toEqual(['pass', 'pass'])
  expect(await changed('Hello', 'Hallo')).toEqual(['fail', 'fail'])
  expect(await changed('To: bob', 'To: rob')).toEqual(['fail', 'fail'])
})

test.each(['From: Eve <eve@one.test>', 'Subject: another', 'To: eve@evil.test', 'Content-Type: text/html'])(
  'a second field cannot be added: %s',
  async (added) => {
    const fields = await sign(header, body)
    expect(await verify(`${fields}${added}\r\n${header}\r\n${body}`)).toEqual(['fail', 'fail'])
    expect(await verify(`${fields}${header}${added}\r\n\r\n${body}`)).toEqual(['fail', 'fail'])
  },
)

test('a domain without a key gets no signature, and its body is not read', async () => {
  const untouched = () => {
    throw new Error('read')
  }
  expect(await signer.sign({ domain: 'two.test', header: octets(header), body: untouched })).toBe('')
})

test('what cannot be signed rejects', async () => {
  await expect(sign('Subject: no author\r\n', body)).rejects.toThrow(NothingToSignError)
  async function* broken(): AsyncIterable<Buffer> {
    yield octets('a')
    throw new Error('disk gone')
  }
  const message = { domain: 'one.test', header: octets(header), body: broken }
  await expect(signer.sign(message)).rejects.toThrow('disk gone')
})

test('any header and body verify as signed', async () => {
  const words = ['a', ' ', '  ', '\t', '\xe9', 'word', ':', ';', '\r\n ', '\r\n\t', '=?utf-8?q?x?=', ',']
  const names = ['Subject', 'To', 'List-Id', 'Resent-From', 'X-Other', 'sUBJECT', 'Reply-To ', 'References']
  const size = fc.integer({ min: 1, max: 20 })
  await fc.assert(
    fc.asyncProperty(anyMessage(words, names), size, async ({ before, after, lines }, size) => {
      const header = `${before.join('')}From: alice@one.test\r\n${after.join('')}`
      const fields = await sign(header, lines.join(''), size)
      expect(await verify(`${fields}${header}\r\n${lines.join('')}`)).toEqual(['pass', 'pass'])
    }),
    { numRuns: 80, seed: 8463 },
  )
})

/** Says for each message and signature whether it is good. */
const signatures = `
def good(message, i):
    try: return dkim.DKIM(message.encode('latin-1')).verify(idx=i, dnsfunc=find)
    except dkim.ValidationError: return False
print(json.dumps([[good(message, i) for i in range(2)] for message in given['messages']]))
`

test('dkimpy agrees', async (context) => {
  const message = `${await sign(header, body)}${header}\r\n${body}`
  const run = askDkimpy(signatures, {
    messages: [message, message.replace('Hello', 'Hallo'), message.replace('To: bob', 'To: rob')],
    records: Object.fromEntries(records.map(({ name, value }) => [name, value])),
  })
  if (!run) return context.skip(noDkimpy)
  expect(run.stderr).toBe('')
  expect(JSON.parse(run.stdout)).toEqual([
    [true, true],
    [false, false],
    [false, false],
  ])
})

test('a key added later signs after the next look', async () => {
  const own = await mkdtemp(join(tmpdir(), 'pennypost-signer-'))
  const rotating = createSigner({ keyDirectory: own, clock, log: silentLog, recheckMs: 1000 })
  const signed = () =>
    rotating.sign({ domain: 'one.test', header: octets(header), body: () => pieces(octets(body), 9) })
  expect(await signed()).toBe('')
  writeFileSync(join(own, 'one.test.a.pem'), 'not yet')
  await clock.advance(1000)
  await expect(signed()).rejects.toThrow('cannot be read')
  await generateKeys(own, 'one.test', [{ name: 'b', algorithm: 'ed25519' }])
  await clock.advance(1000)
  expect(await signed()).toContain('s=b;')
  rmSync(own, { recursive: true })
})
