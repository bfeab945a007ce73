import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { createSigner, dkimRecords, generateKeys } from '../src/index.ts'
import type { Script } from './scripted-resolver.ts'

export async function* inPieces(body: Buffer, size = 50_000): AsyncIterable<Buffer> {
  for (let from = 0; from < body.length; from += size) yield body.subarray(from, from + size)
}

/** A message of one.test with both kinds of signature, and the records that prove them. */
export async function signedMessage(body: Buffer): Promise<{ header: Buffer; script: Script }> {
  const keyDirectory = await mkdtemp(join(tmpdir(), 'pennypost-signed-'))
  try {
    await generateKeys(keyDirectory, 'one.test', [
      { name: 'e', algorithm: 'ed25519' },
      { name: 'r', algorithm: 'rsa' },
    ])
    const signer = createSigner({ keyDirectory, clock: virtualClock(), log: silentLog })
    const unsigned = Buffer.from('From: alice@one.test\r\nTo: bob@two.test\r\nSubject: hello\r\n')
    const fields = await signer.sign({ domain: 'one.test', header: unsigned, body: () => inPieces(body) })
    const records = await dkimRecords(keyDirectory, 'one.test')
    return {
      header: Buffer.concat([Buffer.from(fields), unsigned]),
      script: Object.fromEntries(records.map(({ name, value }) => [`${name} TXT`, [value]])),
    }
  } finally {
    rmSync(keyDirectory, { recursive: true })
  }
}
