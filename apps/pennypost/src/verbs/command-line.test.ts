/** The program as people call it: started as a process, on a data directory of its own or beside a running server. */
import { spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type AdminContext,
  type AdminServer,
  createAdminServer,
  operations,
  type RefusedRecipient,
} from '@pennypost/admin'
import { createStaticResolver } from '@pennypost/dns'
import { defaultPolicy } from '@pennypost/message-auth'
import { journeyId, silentLog } from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom, virtualClock } from '@pennypost/model/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

// Each verb is a process that loads all its sources.
vi.setConfig({ testTimeout: 120_000 })

const program = fileURLToPath(new URL('../../bin/pennypost.js', import.meta.url))

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pennypost-verbs-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

interface Ended {
  code: number | null
  out: string
  err: string
}

/** Runs a verb in the directory. */
function pennypost(args: readonly string[], input = ''): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { cwd: directory, env: { PATH: process.env.PATH ?? '' } })
    const ended: Ended = { code: null, out: '', err: '' }
    child.stdout.on('data', (chunk) => (ended.out += chunk))
    child.stderr.on('data', (chunk) => (ended.err += chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ ...ended, code }))
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

describe('without a server', () => {
  test('nothing but the name shows what to try, junk shows what there is', async () => {
    const [bare, unknown, lost] = await Promise.all([
      pennypost([]),
      pennypost(['frobnicate']),
      pennypost(['domain', 'list']),
    ])
    expect(bare).toMatchObject({ code: 0, err: '' })
    expect(bare.out).toMatch(/serve --demo[\s\S]*init --domain/)
    // The longest name ran into what it does.
    expect(bare.out).toMatch(/^ {2}suppression {2}dead recipients/m)
    expect(unknown).toMatchObject({ code: 2, out: '' })
    expect(unknown.err).toMatch(/"frobnicate" is no verb\. They are: serve, init/)
    expect(lost).toMatchObject({ code: 2, err: expect.stringMatching(/init --domain D/) })
    // It was 1, as of a server that fails.
    expect(await pennypost(['serve'])).toMatchObject({ code: 2, err: expect.stringMatching(/init --domain D/) })
  })

  test('with --json, what went wrong was plain text', async () => {
    const error = async (args: string[]): Promise<unknown> => {
      const { code, out, err } = await pennypost([...args, '--json'])
      expect({ out, lines: err.split('\n').length }).toEqual({ out: '', lines: 2 })
      return [code, (JSON.parse(err) as { error: object }).error]
    }
    const lost = await error(['domain', 'list'])
    expect(lost).toEqual([2, { reason: 'bad-input', text: expect.stringMatching(/no configuration/), advice: '' }])
    writeFileSync(join(directory, 'pennypost.toml'), 'hostname = "mail.one.test"\n')
    const [verb, option, group, account, file] = await Promise.all(
      [
        ['frobnicate'],
        ['explain'],
        ['domain', 'frob'],
        ['account', 'show', 'x@one.test'],
        ['account', 'import', 'x.csv'],
      ].map(error),
    )
    expect(verb).toMatchObject([2, { reason: 'bad-input', text: expect.stringMatching(/"frobnicate" is no verb/) }])
    expect(option).toMatchObject([2, { reason: 'bad-input', text: "missing required argument 'id'" }])
    expect(group).toMatchObject([2, { reason: 'bad-input', text: "unknown command 'frob'" }])
    const advice = '`pennypost account list` shows all.'
    expect(account).toEqual([1, { reason: 'not-found', text: 'There is no account x@one.test.', advice }])
    expect(file).toEqual([1, { reason: 'not-found', text: 'There is no x.csv.', advice: '' }])
  })

  test('what is no mbox brought 0 messages in, and an account that exists asked for a password', async () => {
    const init = ['init', '--domain', 'one.test', '--password-stdin', '--account', 'alice@one.test', '--json']
    const made = await pennypost(init, 'geheim\n')
    const config = join(directory, 'pennypost.toml')
    expect(JSON.parse(made.out)).toMatchObject({ config, account: 'alice@one.test', records: expect.anything() })
    writeFileSync(join(directory, 'letter'), 'Subject: x\n\nx\n')
    expect(await pennypost(['import', 'mbox', 'alice@one.test', 'letter'])).toMatchObject({
      code: 2,
      err: 'pennypost: letter is no mbox: it does not begin with "From ".\n',
    })
    // It was 1 where no server ran.
    expect(await pennypost(['import', 'maildir', 'alice@one.test', 'letter'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^pennypost: letter is no Maildir/),
    })
    expect(await pennypost(['account', 'add', 'Alice@one.test'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/alice@one\.test exists\.\n.*account passwd/),
    })
    expect((await pennypost(['account', 'passwd', 'bob@one.test'])).err).toMatch(/There is no account bob@one\.test/)
  })

  test.skipIf(process.getuid?.() !== 0)('root made files that the account of the server could not open', async () => {
    writeFileSync(join(directory, 'pennypost.toml'), 'hostname = "mail.one.test"\n')
    mkdirSync(join(directory, 'data'))
    chownSync(join(directory, 'data'), 12_345, 12_345)
    expect(await pennypost(['domain', 'add', 'one.test'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/data belongs to uid 12345, .*\n.*runuser -u "\$\(id -un 12345\)"/),
    })
    expect(readdirSync(join(directory, 'data'))).toEqual([])
    // A spool of root, the server could not take.
    writeFileSync(join(directory, 'data', 'mail.db'), '')
    chmodSync(directory, 0o711)
    expect((await pennypost(['sendmail', 'bob@one.test'], 'Subject: x\n\nx\n')).code).toBe(0)
    const [file] = readdirSync(join(directory, 'data', 'spool'))
    expect(statSync(join(directory, 'data', 'spool', file!))).toMatchObject({ uid: 12_345, gid: 12_345 })
  })

  test('help of a verb was the first screen, and its options were said to be false', async () => {
    const [help, option] = await Promise.all([
      pennypost(['help', 'account', 'add']),
      pennypost(['account', 'add', '-h']),
    ])
    expect(help).toEqual(option)
    expect(help).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^Usage: pennypost account add/) })
    expect(help.out).toContain('no limit (default: 0)')
    expect(help.out).not.toContain('false')
    // Nor did it say what has to be given.
    const { out } = await pennypost(['account', 'app-password', 'add', '--help'])
    expect(out).toMatch(/--label <text> .*\(required\)/)
  })

  // In /proc the kernel says ENOENT to whoever makes a directory.
  test.skipIf(!existsSync('/proc/self'))('a directory where none can be made kept a verb busy for ever', async () => {
    const fault = { code: 1, err: 'pennypost: /proc/x cannot be made in /proc.\n' }
    const init = ['init', '--domain', 'one.test', '--password-stdin']
    expect(await pennypost([...init, '--dir', '/proc/x'], 'geheim\n')).toMatchObject(fault)
    writeFileSync(join(directory, 'pennypost.toml'), 'hostname = "mail.one.test"\ndata_dir = "/proc/x"\n')
    expect(await pennypost(['serve'])).toMatchObject(fault)
    expect(await pennypost(['domain', 'list'])).toMatchObject(fault)
  })

  test('a directory that --config named was "EISDIR"', async () => {
    mkdirSync(join(directory, 'etc'))
    const list = ['domain', 'list', '--config', 'etc']
    expect(await pennypost(list)).toMatchObject({
      code: 2,
      err: 'pennypost: There is no configuration file etc/pennypost.toml.\n',
    })
    writeFileSync(join(directory, 'etc', 'pennypost.toml'), 'hostname = "mail.one.test"\n')
    expect(await pennypost(list)).toMatchObject({ code: 0, err: '' })
    expect(readdirSync(join(directory, 'etc'))).toContain('data')
    writeFileSync(join(directory, 'etc', 'pennypost.toml'), 'hostname = 1\n')
    expect(await pennypost(['serve', '--config', 'etc'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('etc/pennypost.toml:1: hostname'),
    })
  })

  test('from nothing to a domain with accounts, and back out of mistakes', async () => {
    const init = await pennypost(
      ['init', '--domain', 'one.test', '--password-stdin', '--account', 'alice@one.test'],
      'geheim\n',
    )
    expect(init).toMatchObject({ code: 0, err: '' })
    expect(init.out).toMatch(/one\.test\. IN MX 10 mail\.one\.test\.[\s\S]*First account: alice@one\.test\n/)
    expect(init.out).not.toContain('geheim')
    expect(readdirSync(join(directory, 'data', 'dkim'))).toHaveLength(2)
    expect((await pennypost(['init', '--domain', 'one.test'])).code).toBe(2)

    expect(await pennypost(['account', 'add', 'bob@one.test', '--password-stdin'], 'secret\n')).toMatchObject({
      code: 0,
    })
    expect(await pennypost(['account', 'add', 'eve@two.test', '--no-password'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('domain add'),
    })
    // It said that there is no domain eve, and that a server with accounts had none.
    expect(await pennypost(['account', 'add', 'eve', '--no-password'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('"eve" is no address'),
    })
    const elsewhere = await pennypost(['account', 'list', '--domain', 'two.test'])
    expect(elsewhere.out).toMatch(/^No account in two\.test/)
    const accounts = JSON.parse((await pennypost(['account', 'list', '--json'])).out) as { login: string }[]
    expect(accounts.map(({ login }) => login)).toEqual(['alice@one.test', 'bob@one.test'])
    expect(await pennypost(['status'])).toMatchObject({ code: 1, out: expect.stringMatching(/No server is running/) })
    const audit = readFileSync(join(directory, 'data', 'audit.log'), 'utf8')
    expect(audit).not.toMatch(/geheim|"secret"|\$2b\$/)
    expect(audit.split('\n')).toHaveLength(5)
  })

  test('where the demo met an installation, its administrator, whose password everybody knows, was in both', async () => {
    expect((await pennypost(['init', '--domain', 'one.test', '--account', 'alice@one.test'])).code).toBe(0)
    const [beside, instead] = await Promise.all([
      pennypost(['serve', '--demo']),
      pennypost(['serve', '--demo', '--config', 'pennypost.toml']),
    ])
    expect(beside).toMatchObject({ code: 2, err: expect.stringMatching(/in another directory/) })
    expect(instead).toMatchObject({ code: 2, err: expect.stringMatching(/leave --config out/) })
    expect((await pennypost(['domain', 'list'])).out).not.toContain('demo')

    // As the demo leaves it.
    expect((await pennypost(['init', '--domain', 'demo.test', '--dir', 'tried'])).code).toBe(0)
    rmSync(join(directory, 'tried', 'pennypost.toml'))
    const over = await pennypost(['init', '--domain', 'two.test', '--dir', 'tried'])
    expect(over).toMatchObject({ code: 2, err: expect.stringMatching(/tried\/data is of the demo/) })
    expect(existsSync(join(directory, 'tried', 'pennypost.toml'))).toBe(false)
  })

  test('sendmail spools, durably, until a server comes', async () => {
    writeFileSync(join(directory, 'pennypost.toml'), 'hostname = "mail.one.test"\n')
    // The disk of the data directory was not mounted: it spooled beneath, where nobody found it once it was.
    mkdirSync(join(directory, 'data'))
    expect(await pennypost(['sendmail', 'bob@one.test'], 'x')).toMatchObject({
      code: 75,
      err: expect.stringMatching(/data holds no store.*\n.*mounted/),
    })
    expect(readdirSync(join(directory, 'data'))).toEqual([])
    // While a store is restored, or when that broke off, mail was refused that can wait for it.
    mkdirSync(join(directory, 'data', 'restoring'))
    const sent = await pennypost(
      ['sendmail', '-t', '-i', '-f', 'cron@one.test'],
      'To: bob@one.test\nBcc: x@one.test\n\nhi\n',
    )
    expect(sent).toEqual({ code: 0, out: '', err: '' })
    const [file] = readdirSync(join(directory, 'data', 'spool'))
    const [head, ...content] = readFileSync(join(directory, 'data', 'spool', file!), 'utf8').split('\n')
    expect(JSON.parse(head!)).toMatchObject({
      reversePath: 'cron@one.test',
      forwardPaths: ['bob@one.test', 'x@one.test'],
    })
    expect(content.join('\n')).toBe('From: cron@one.test\r\nTo: bob@one.test\r\n\r\nhi\r\n')
    expect((await pennypost(['sendmail', '-i'], 'x')).code).toBe(64)
    expect((await pennypost(['sendmail', '--config', 'nowhere.toml', 'bob@one.test'], 'x')).code).toBe(78)
  })

  test('mail was refused for good while the configuration had a mistake in it', async () => {
    writeFileSync(join(directory, 'pennypost.toml'), 'hostname = "mail.one.test"\ndata_dir = "mail"\noops\n')
    const { code, err } = await pennypost(['sendmail', 'bob@one.test'], 'x')
    expect([code, err]).toEqual([75, expect.stringContaining('pennypost.toml')])
  })

  test('a backup comes back whole, or the one message that was lost', async () => {
    const init = ['init', '--domain', 'one.test', '--password-stdin', '--account', 'alice@one.test']
    expect((await pennypost(init, 'geheim\n')).code).toBe(0)
    const letter = (name: string): string => `From x@y Thu Jan  1 00:00:00 2026\nMessage-ID: <${name}@x>\n\n${name}\n\n`
    writeFileSync(join(directory, 'first'), letter('one') + letter('two'))
    writeFileSync(join(directory, 'later'), letter('three'))
    expect((await pennypost(['import', 'mbox', 'alice@one.test', 'first'])).code).toBe(0)
    expect(await pennypost(['backup', 'saved', '--verify'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('all is well'),
    })
    expect((await pennypost(['import', 'mbox', 'alice@one.test', 'later'])).code).toBe(0)
    const refused = await pennypost(['restore', 'saved'])
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('--replace') })
    expect((await pennypost(['restore', 'first'])).code).toBe(2)

    const whole = await pennypost(['restore', 'saved', '--replace', '--json'])
    expect(whole.err).toBe('')
    expect(JSON.parse(whole.out)).toMatchObject({ messages: 2, held: 0, faults: [] })
    const aside = readdirSync(join(directory, 'data')).find((name) => name.startsWith('replaced-'))
    expect(readdirSync(join(directory, 'data', aside!))).toEqual(expect.arrayContaining(['mail.db', 'secrets']))
    expect(readFileSync(join(directory, 'data', 'audit.log'), 'utf8')).toContain('"operation":"restore"')

    // Out of the store that was moved aside comes what was lost with it, and nothing twice.
    const lost = ['restore', join('data', aside!), '--account', 'alice@one.test']
    expect((await pennypost([...lost, '--message-id', '<three@x>'])).out).toMatch(/^1 message restored into INBOX\.\n/)
    expect((await pennypost([...lost, '--mailbox', 'INBOX'])).out).toMatch(/^0 messages restored.*, 3 were there still/)
    expect((await pennypost(['restore', 'saved', '--account', 'bob@one.test'])).code).toBe(2)
    expect(await pennypost(['check'])).toMatchObject({ code: 0, out: 'All is well.\n' })
  })

  test('a verb that found a damaged secret said so, and never ended', async () => {
    writeFileSync(join(directory, 'pennypost.toml'), 'hostname = "mail.one.test"\n')
    mkdirSync(join(directory, 'data', 'secrets'), { recursive: true })
    writeFileSync(join(directory, 'data', 'secrets', 'srs'), 'ab')
    expect(await pennypost(['domain', 'list'])).toMatchObject({ code: 1, err: expect.stringMatching(/srs is damaged/) })
  })

  test('a server that could not open its admin socket said so, and never ended', async () => {
    writeFileSync(join(directory, 'pennypost.toml'), 'hostname = "mail.one.test"\n')
    mkdirSync(join(directory, 'data'))
    writeFileSync(join(directory, 'data', 'admin.sock'), 'no socket')
    expect(await pennypost(['serve'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/admin\.sock is in the way/),
    })
    expect(readdirSync(join(directory, 'data'))).not.toContain('submission.sock')
  })

  test('every fault of the configuration is reported with its line', async () => {
    writeFileSync(join(directory, 'pennypost.toml'), 'hostname = "not a host"\n\ncolour = "red"\n')
    const { code, err } = await pennypost(['domain', 'list'])
    expect(code).toBe(2)
    expect(err).toMatch(/pennypost\.toml:1: hostname .*\n.*pennypost\.toml:3: colour/)
    // It was a bare ENOENT.
    expect(await pennypost(['serve', '--config', 'elsewhere.toml'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/elsewhere\.toml: is not here: `pennypost init --domain/),
    })
  })
})

describe('beside a running server', () => {
  let context: AdminContext
  let server: AdminServer
  const submitted: { forwardPaths: readonly string[]; content: string }[] = []
  /** Of `sendmail`, by name. */
  const refusals = new Map<string, Omit<RefusedRecipient, 'forwardPath'>>([
    ['nobody', { reason: 'not-found', text: '550 5.1.1 no such mailbox' }],
    ['closed', { reason: 'bad-input', text: '550 5.7.1 not for you' }],
    ['full', { reason: 'unavailable', text: '452 4.2.2 mailbox full' }],
  ])

  beforeEach(async () => {
    mkdirSync(join(directory, 'mail'))
    writeFileSync(join(directory, 'pennypost.toml'), 'hostname = "mail.one.test"\ndata_dir = "mail"\n')
    const clock = virtualClock(Date.UTC(2026, 4, 1))
    const random = seededRandom(1)
    context = {
      clock,
      random,
      store: createMemoryStore({ clock, random }),
      resolver: createStaticResolver([]),
      credentials: {
        hash: async () => 'hashed',
        importHash: (hash) => hash,
        appPasswordVerifier: () => 'app',
        isScramReady: () => true,
      },
      capabilityNames: async () => ['MOVE', 'QUOTA'],
      nextHopKey: (text) => text,
      spool: async () => ({ directory: 'spool', waiting: 0, refused: 0 }),
      installation: {
        hostname: 'mail.one.test',
        administrator: '',
        publicAddresses: [],
        sentBy: () => [],
        clientServices: [],
        sitePort: 443,
        policy: defaultPolicy,
        recipientDelimiter: '+',
        mtaSts: { mode: 'none', text: '' },
        dkimDirectory: join(directory, 'mail', 'dkim'),
      },
      audit: async () => {},
      running: {
        submit: async ({ forwardPaths, content }) => {
          let text = ''
          for await (const octets of content) text += octets.toString()
          submitted.push({ forwardPaths, content: text })
          const refused = forwardPaths.flatMap((forwardPath) => {
            const refusal = refusals.get(forwardPath.split('@')[0] as string)
            return refusal ? [{ forwardPath, ...refusal }] : []
          })
          return { journey: journeyId('0123456789ABCDEF'), refused }
        },
        failEntries: async (entries) => entries.length,
        endSessions: () => 2,
        forgive: () => {},
        rereadOrders: () => {},
        facts: () => Promise.reject(new Error('the disk does not answer')),
      },
    }
    server = await createAdminServer({
      operations,
      context,
      path: join(directory, 'mail', 'admin.sock'),
      log: silentLog,
    })
  })
  afterEach(async () => server.close(AbortSignal.abort()))

  test('verbs go through its socket and leave the data directory alone', async () => {
    expect(await pennypost(['domain', 'add', 'one.test'])).toMatchObject({ code: 0 })
    expect(await pennypost(['account', 'add', 'alice@one.test', '--no-password'])).toMatchObject({ code: 0 })
    expect((await pennypost(['account', 'suspend', 'alice@one.test'])).out).toMatch(/2 sessions ended/)
    expect((await context.store.directory.accounts()).map(({ suspended }) => suspended)).toEqual([true])
    expect(existsSync(join(directory, 'mail', 'mail.db'))).toBe(false)
    expect(await pennypost(['status'])).toMatchObject({ code: 1, err: 'pennypost: the disk does not answer\n' })
    // It said `address: is no address` and not which, nor what one looks like.
    expect(await pennypost(['dial', 'bad'])).toMatchObject({
      code: 2,
      err: 'pennypost: address: "bad" is no address; write e.g. alice@one.example\n',
    })
    const outcome = { forwardPath: 'x@two.test', destination: 'two.test', dns: [], hosts: [], outcome: '550 no' }
    for (const accepted of [true, false]) {
      context.probe = async ({ address }) => ({ address, targets: [{ ...outcome, accepted }] })
      // It was 0 for what is not accepted too.
      expect((await pennypost(['dial', 'x@two.test'])).code).toBe(accepted ? 0 : 1)
    }
  })

  test('dial knew no catch-all, without a word that it had asked for a bounce', async () => {
    const refused = {
      forwardPath: 'x@one.test',
      destination: 'local',
      dns: [],
      hosts: [],
      outcome: '550 no',
      accepted: false,
    }
    context.probe = async ({ address }) => ({ address, targets: [refused] })
    expect((await pennypost(['dial', 'x@one.test'])).out).toContain('Asked as for a bounce')
    expect((await pennypost(['dial', 'x@one.test', '--from', 'a@two.test'])).out).not.toContain('bounce')
  })

  test('sendmail hands over at once, names without a domain find their people', async () => {
    await context.store.directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
    await context.store.directory.putAlias({ address: 'bob@one.test', targets: ['bob@two.test'] })
    expect(await pennypost(['sendmail', '-oi', 'bob', 'root'], 'Subject: x\n\nhi\n')).toEqual({
      code: 0,
      out: '',
      err: '',
    })
    expect(submitted.at(-1)?.forwardPaths).toEqual(['bob@one.test', 'postmaster@mail.one.test'])
    expect(submitted.at(-1)?.content).toMatch(/^From: .*@mail\.one\.test\r\nSubject: x\r\n\r\nhi\r\n$/)
  })

  test.each([
    ['who is not there', ['a', 'nobody', 'b'], 67, /^sendmail: Not taken for <nobody@two\.test>: 550 5\.1\.1/, []],
    ['who is not there, and another', ['nobody', 'closed'], 65, /<nobody@.*\n.*<closed@two\.test>: 550 5\.7\.1/, []],
    ['who may have it later', ['a', 'full', 'b'], 0, /^$/, ['full']],
    ['one of each', ['full', 'a', 'nobody'], 67, /^sendmail: Not taken for <nobody@two\.test>/, ['full']],
  ])('of several recipients, %s was not told, or all had it again', async (_, names, code, err, spooled) => {
    const paths = (of: readonly string[]) => of.map((name) => `${name}@two.test`)
    const before = submitted.length
    expect(await pennypost(['sendmail', ...paths(names)], 'Subject: x\n\nhi\n')).toEqual({
      code,
      out: '',
      err: expect.stringMatching(err),
    })
    expect(submitted.slice(before).map(({ forwardPaths }) => forwardPaths)).toEqual([paths(names)])
    const spool = join(directory, 'mail', 'spool')
    const files = existsSync(spool) ? readdirSync(spool) : []
    const envelopes = files.map((name) => JSON.parse(readFileSync(join(spool, name), 'utf8').split('\n')[0] as string))
    expect(envelopes.flatMap(({ forwardPaths }) => forwardPaths)).toEqual(paths(spooled))
  })

  test('a mailbox is shared, and an account seen without some of IMAP', async () => {
    await context.store.directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
    for (const name of ['alice', 'bob']) await pennypost(['account', 'add', `${name}@one.test`, '--no-password'])
    const shared = await pennypost(['account', 'share', 'alice@one.test', 'INBOX', 'bob@one.test', 'lrs'])
    expect(shared).toEqual({ code: 0, out: 'INBOX of alice@one.test: bob@one.test may lrs.\n', err: '' })
    const set = ['account', 'set', 'bob@one.test', '--disable-capability', 'move', 'quota']
    expect((await pennypost(set)).out).toBe(
      'bob@one.test: no quota, active, IMAP without MOVE QUOTA from the next login on.\n',
    )
    expect((await pennypost(['account', 'show', 'bob@one.test'])).out).toMatch(
      /may use {5}Other Users\/alice@one\.test\/INBOX: lrs\nIMAP {8}without MOVE QUOTA\n/,
    )
    expect((await pennypost(['account', 'share', 'alice@one.test', 'INBOX', 'bob@one.test'])).out).toMatch(
      /bob@one\.test has nothing left of what it was given/,
    )
    expect((await pennypost(['account', 'show', 'alice@one.test'])).out).not.toContain('shares')
  })

  test('mail goes in from an mbox and out into a Maildir', async () => {
    await context.store.directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
    await pennypost(['account', 'add', 'alice@one.test', '--no-password'])
    const letter = (n: number) => `From x Thu Nov 26 09:30:00 2026\nSubject: ${n}\nStatus: RO\n\n${'y'.repeat(70)}\n\n`
    writeFileSync(join(directory, 'old.mbox'), Array.from({ length: 500 }, (_, n) => letter(n)).join(''))
    const first = await pennypost(['import', 'mbox', 'alice@one.test', 'old.mbox', '--mailbox', 'Old/2026'])
    expect(first).toEqual({ code: 0, out: '500 messages imported into Old/2026.\n', err: '' })
    const again = await pennypost(['import', 'mbox', 'alice@one.test', 'old.mbox', '--mailbox', 'Old/2026', '--json'])
    expect(JSON.parse(again.out)).toMatchObject({ imported: 0, skipped: 500 })
    const written = await pennypost(['export', 'maildir', 'alice@one.test', 'Maildir'])
    expect(written).toMatchObject({ code: 0, err: '' })
    expect(readdirSync(join(directory, 'Maildir', '.Old.2026', 'cur'))).toHaveLength(500)
  })
})
