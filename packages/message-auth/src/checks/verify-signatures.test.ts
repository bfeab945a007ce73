import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { verifySignatures } from './verify-signatures.ts'

test('Content-Type was read once for each signature, for where the parts begin, which nobody asked', async () => {
  const signature = `DKIM-Signature: v=1; a=rsa-sha256; d=one.test; s=s; h=from:content-type; bh=${'A'.repeat(43)}=; b=AAAA\r\n`
  const header = `${signature}From: a@one.test\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n`
  const resolver = async () => {
    throw Object.assign(new Error('there is no key'), { code: 'ENOTFOUND' })
  }
  const message = Readable.from([Buffer.from(`${header}preamble\r\n--x\r\n\r\nhello\r\n--x--\r\n`)])
  const { results } = await verifySignatures(message, { strict: true, resolver }, () => {})
  expect(results).toHaveLength(1)
  // It is still covered; and where the preamble ends was not looked for.
  expect(results[0]).toMatchObject({ signingHeaders: { keys: 'From: Content-Type' }, mimeStructureStart: 0 })
})
