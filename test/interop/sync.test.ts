/** Programs that keep a copy of mailboxes on disk: what changes on one side arrives on the other, once. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Instance, startInstance } from '../e2e/instance.ts'
import { has, makeHome, run } from './programs.ts'
import { deliver, letter, openImap, subjects } from './readers.ts'

const bob = 'bob@one.test'
/** So that the test needs no certificate of its own. */
const clear = '[policy]\nrequire_tls_for_auth = false'
const start = (): Promise<Instance> => startInstance({ domain: 'one.test', accounts: ['bob'], toml: clear })

const files = (maildir: string): string[] =>
  ['new', 'cur'].flatMap((part) => readdirSync(join(maildir, part)).map((name) => join(maildir, part, name)))
const holding = (maildir: string, subject: string): string | undefined =>
  files(maildir).find((file) => readFileSync(file, 'latin1').includes(`Subject: ${subject}`))
const flagsOf = (file: string | undefined): string => file?.split(':2,')[1] ?? ''

/** Gives a message of a Maildir other flags, as a mail program does. */
function setFlags(maildir: string, subject: string, flags: string): void {
  const file = holding(maildir, subject)
  if (file === undefined) throw new Error(`${subject} is not here`)
  const [name = ''] = file.slice(file.lastIndexOf('/') + 1).split(':2,')
  renameSync(file, join(maildir, 'cur', `${name}:2,${flags}`))
}

function makeMailbox(maildir: string, content: string): void {
  for (const part of ['new', 'cur', 'tmp']) mkdirSync(join(maildir, part), { recursive: true })
  writeFileSync(join(maildir, 'cur', '1.made.here:2,S'), content.replaceAll('\r\n', '\n'))
}

/** Both sides change between two runs of `sync`; then both must hold the same. */
async function bothWays(at: Instance, mail: string, sync: () => Promise<void>, remove: (subject: string) => void) {
  for (const subject of ['first', 'second', 'third']) await deliver(at, bob, letter(subject))
  await sync()
  const inbox = join(mail, 'INBOX')
  expect(files(inbox)).toHaveLength(3)
  setFlags(inbox, 'first', 'FS')
  remove('second')
  makeMailbox(join(mail, 'Projects'), letter('made here'))
  await using session = await openImap(at, bob)
  await session.client.messageFlagsAdd({ subject: 'third' }, ['\\Answered'])
  await session.client.mailboxCreate('Far')
  await session.client.append('Far', letter('made there'))
  await deliver(at, bob, letter('fourth'))
  await sync()
  await sync()
  expect(flagsOf(holding(inbox, 'third'))).toContain('R')
  expect(holding(inbox, 'fourth')).toBeDefined()
  expect(holding(join(mail, 'Far'), 'made there')).toBeDefined()
  await session.client.noop()
  expect(await subjects(session)).toEqual(['first', 'third', 'fourth'])
  expect(await session.client.search({ flagged: true })).toEqual([1])
  await using projects = await openImap(at, bob, 'Projects')
  expect(await subjects(projects)).toEqual(['made here'])
}

it.skipIf(!has('mbsync'))('mbsync keeps both sides alike: flags, removals, new mailboxes (needs mbsync)', async () => {
  using home = makeHome()
  await using at = await start()
  const mail = join(home.path, 'mail')
  mkdirSync(mail)
  const settings = join(home.path, 'mbsyncrc')
  writeFileSync(
    settings,
    `IMAPStore far
Host 127.0.0.1
Port ${at.port('imap')}
User ${bob}
Pass secret
SSLType None
AuthMechs LOGIN

MaildirStore near
Path ${mail}/
Inbox ${mail}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
`,
  )
  await bothWays(
    at,
    mail,
    async () => {
      const { code, stderr } = await run('mbsync', ['-c', settings, '-a'], { home: home.path })
      expect(code, stderr).toBe(0)
    },
    (subject) => setFlags(join(mail, 'INBOX'), subject, 'T'),
  )
})

it.skipIf(!has('offlineimap'))('OfflineIMAP keeps both sides alike (needs offlineimap)', async () => {
  using home = makeHome()
  await using at = await start()
  const mail = join(home.path, 'mail')
  const settings = join(home.path, 'offlineimaprc')
  writeFileSync(
    settings,
    `[general]
accounts = bob
metadata = ${home.path}/metadata
[Account bob]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = ${mail}
[Repository far]
type = IMAP
remotehost = 127.0.0.1
remoteport = ${at.port('imap')}
remoteuser = ${bob}
remotepass = secret
ssl = no
starttls = no
`,
  )
  await bothWays(
    at,
    mail,
    async () => {
      const { code, stdout } = await run('offlineimap', ['-c', settings, '-o', '-u', 'basic'], { home: home.path })
      expect(code, stdout).toBe(0)
    },
    (subject) => rmSync(holding(join(mail, 'INBOX'), subject) ?? ''),
  )
})
