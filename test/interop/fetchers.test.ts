/** Programs that fetch letters from the command line, by POP3 and IMAP, keeping them on the server or not. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Instance, startInstance } from '../e2e/instance.ts'
import { has, makeHome, run } from './programs.ts'
import { deliver, letter, openImap, subjects } from './readers.ts'

const bob = 'bob@one.test'
const start = (): Promise<Instance> => startInstance({ domain: 'one.test', accounts: ['bob'] })

async function deliverThree(at: Instance): Promise<void> {
  for (const subject of ['first', 'second', 'third']) await deliver(at, bob, letter(subject, '.\r\nlast'))
}

async function left(at: Instance): Promise<string[]> {
  await using session = await openImap(at, bob)
  return await subjects(session)
}

/** Subjects of an mbox, in order. */
function fetched(mbox: string): string[] {
  if (!existsSync(mbox)) return []
  return [...readFileSync(mbox, 'latin1').matchAll(/^Subject: (.*?)\r?$/gm)].map(([, subject = '']) => subject)
}

it.skipIf(!has('fetchmail')).each([
  ['POP3', 'pop3', 'uidl', 'sslproto "TLS1.2+"'],
  ['POP3', 'pop3s', 'uidl', 'ssl'],
  ['IMAP', 'imap', '', 'sslproto "TLS1.2+"'],
  ['IMAP', 'imaps', '', 'ssl'],
])(
  'fetchmail fetches by %s from %s, each letter once, and removes at last (needs fetchmail)',
  async (protocol, service, uidl, tls) => {
    using home = makeHome()
    await using at = await start()
    const settings = join(home.path, 'fetchmailrc')
    const mbox = join(home.path, 'mbox')
    const account = `user "${bob}" password "secret" ${tls} no sslcertck`
    writeFileSync(
      settings,
      `poll 127.0.0.1 protocol ${protocol} service ${at.port(service)} ${uidl} ${account} mda "cat >> ${mbox}"\n`,
      { mode: 0o600 },
    )
    const fetch = (...options: string[]) =>
      run(
        'fetchmail',
        ['-f', settings, '--pidfile', join(home.path, 'pid'), '-i', join(home.path, 'ids'), ...options],
        {
          home: home.path,
        },
      )
    await deliverThree(at)
    expect(await fetch('--keep')).toMatchObject({ code: 0 })
    expect(fetched(mbox)).toEqual(['first', 'second', 'third'])
    // 1: there was no new mail.
    expect(await fetch('--keep')).toMatchObject({ code: 1 })
    expect(await left(at)).toEqual(['first', 'second', 'third'])
    await deliver(at, bob, letter('fourth'))
    expect(await fetch('--nokeep')).toMatchObject({ code: 0 })
    expect(fetched(mbox)).toEqual(['first', 'second', 'third', 'fourth'])
    expect(await fetch('--nokeep', '--all')).toMatchObject({ code: uidl === '' ? 0 : expect.any(Number) })
    expect(await left(at)).toEqual([])
  },
)

it.skipIf(!has('mpop'))('mpop fetches what is new (needs mpop)', async () => {
  using home = makeHome()
  await using at = await start()
  const settings = join(home.path, 'mpoprc')
  const mbox = join(home.path, 'mbox')
  writeFileSync(
    settings,
    `account default
host 127.0.0.1
port ${at.port('pop3')}
tls on
tls_starttls on
tls_certcheck off
auth plain
user ${bob}
password secret
delivery mbox ${mbox}
uidls_file ${join(home.path, 'uidls')}
keep on
`,
    { mode: 0o600 },
  )
  await deliverThree(at)
  for (const _ of [1, 2]) {
    expect(await run('mpop', ['-C', settings, '-q'], { home: home.path })).toMatchObject({ code: 0 })
    expect(fetched(mbox)).toEqual(['first', 'second', 'third'])
  }
  expect(await left(at)).toHaveLength(3)
})

it.skipIf(!has('curl'))('curl lists, searches and fetches by IMAP and POP3 (needs curl)', async () => {
  using home = makeHome()
  await using at = await start()
  await deliverThree(at)
  const curl = async (scheme: string, path: string, ...options: string[]): Promise<string> => {
    const url = `${scheme}://127.0.0.1:${at.port(scheme)}/${path}`
    const { code, stdout, stderr } = await run('curl', ['-sSk', '--ssl-reqd', url, '-u', `${bob}:secret`, ...options], {
      home: home.path,
    })
    expect(code, stderr).toBe(0)
    return stdout
  }
  expect(await curl('imaps', '')).toMatch(/^\* LIST \(.*\) "\/" "?INBOX"?\r$/m)
  expect(await curl('imaps', 'INBOX?SUBJECT%20second')).toBe('* SEARCH 2\r\n')
  const second = await curl('imap', 'INBOX;UID=2')
  expect(second).toContain('Subject: second\r\n')
  expect(await curl('pop3', '2')).toBe(second)
  expect(await curl('pop3s', '2')).toBe(second)
  expect((await curl('pop3s', '')).trimEnd().split('\r\n')).toHaveLength(3)
})

it.skipIf(!has('mutt'))('mutt sends and keeps a copy in Sent (needs mutt)', async () => {
  using home = makeHome()
  await using at = await startInstance({
    domain: 'one.test',
    accounts: ['bob'],
    toml: '[policy]\nrequire_tls_for_auth = false',
  })
  const settings = join(home.path, 'muttrc')
  writeFileSync(
    settings,
    `set folder="imap://127.0.0.1:${at.port('imap')}/" imap_user="${bob}" imap_pass="secret"
set ssl_starttls=no ssl_force_tls=no
set spoolfile="+INBOX" record="+Sent" copy=yes from="${bob}"
set smtp_url="smtp://${bob}:secret@127.0.0.1:${at.port('submission')}/" smtp_authenticators="plain"
`,
  )
  const args = ['-n', '-F', settings, '-s', 'from mutt', bob]
  const { code, stderr } = await run('mutt', args, { input: 'text\n', home: home.path })
  expect(code, stderr).toBe(0)
  await using sent = await openImap(at, bob, 'Sent')
  expect(await subjects(sent)).toEqual(['from mutt'])
  expect(await left(at)).toEqual(['from mutt'])
})
