/** dkimpy as signer and ARC sealer of the mail that strangers bring, and as reader of what this server signs and seals. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createZoneServer, zone } from '@pennypost/dns'
import { defaultSelectors, dkimRecords, generateKeys } from '@pennypost/message-auth'
import { systemClock, systemDeadline } from '@pennypost/model'
import { expect, it } from 'vitest'
import { startInstance } from '../e2e/instance.ts'
import { has, makeHome, run } from './programs.ts'

const script = fileURLToPath(new URL('dkim_signer.py', import.meta.url))
// The one for which Debian's packages are.
const python = '/usr/bin/python3'
const isThere = has('python3') && (await canImport('dkim, nacl, authres'))

async function canImport(modules: string): Promise<boolean> {
  using home = makeHome()
  return run(python, ['-c', `import ${modules}`], { home: home.path }).then(
    ({ code }) => code === 0,
    () => false,
  )
}

it.skipIf(!isThere)(
  'what dkimpy signs and seals passes here, what is signed and sealed here dkimpy verifies (needs python3-dkim, python3-authres)',
  async () => {
    using home = makeHome()
    const directory = mkdtempSync(join(tmpdir(), 'pennypost-dkim-'))
    const keyDirectory = join(directory, 'data', 'dkim')
    await generateKeys(keyDirectory, 'one.test', defaultSelectors(systemClock.now()))
    const own = await dkimRecords(keyDirectory, 'one.test')
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    writeFileSync(join(home.path, 'key.pem'), privateKey.export({ type: 'pkcs1', format: 'pem' }))
    const record = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`
    const zones = [
      zone('two.test', [
        ['@', 'A', '203.0.113.5'],
        ['s._domainkey', 'TXT', record],
        ['_dmarc', 'TXT', 'v=DMARC1; p=reject'],
      ]),
      zone('far.test', [
        ['@', 'MX', '10 mail'],
        ['mail', 'A', '127.0.0.1'],
      ]),
    ]
    await using dns = await createZoneServer({ zones, deadline: systemDeadline })
    await using far = await startInstance({ domain: 'far.test', accounts: ['dave'] })
    await using at = await startInstance({
      domain: 'one.test',
      accounts: ['alice', 'bob'],
      directory,
      toml: `[dns]\nservers = ["${dns.server}"]\n[relay]\nport = ${far.port('smtp')}
[[listener]]\nservice = "smtp"\naddress = "127.0.0.1"\nport = 0\nproxy = ["127.0.0.1"]`,
    })
    await at.server.store.directory.putAlias({ address: 'out@one.test', targets: ['dave@far.test'] })
    const ports = Object.fromEntries(['smtp', 'submission', 'imaps'].map((service) => [service, at.port(service)]))
    const given = {
      ports: { ...ports, far: far.port('imaps') },
      records: Object.fromEntries([...own.map(({ name, value }) => [name, value]), ['s._domainkey.two.test', record]]),
    }
    const { code, stderr } = await run(python, [script, JSON.stringify(given)], { home: home.path })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  },
)
