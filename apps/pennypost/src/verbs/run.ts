import { basename } from 'node:path'
import type { Command } from 'commander'
import { firstScreen } from './first-screen.ts'
import { out } from './terminal.ts'

/**
 * Finds the verb and runs it. Only the file of that verb is loaded. Exit codes: 0 done, or all is well; 1 failed, or the
 * answer is no; 2 not understood. `sendmail` has those of sysexits.
 */
interface VerbGroup {
  summary: string
  /** Absent: not one of commander's. */
  load?(): Promise<{ register(program: Command): void }>
}

const verbs: Readonly<Record<string, VerbGroup>> = {
  serve: { summary: 'run the server', load: () => import('./serve.ts') },
  init: { summary: 'write configuration, keys and first account for a domain', load: () => import('./init.ts') },
  domain: { summary: 'domains: add, list, show, set, remove', load: () => import('./domain.ts') },
  account: {
    summary: 'accounts: add, import, list, show, set, passwords, suspend, remove',
    load: () => import('./account.ts'),
  },
  alias: { summary: 'aliases: add, list, remove', load: () => import('./alias.ts') },
  queue: {
    summary: 'mail that waits: list, show, hold, release, retry, redirect, fail, remove, rules',
    load: () => import('./queue.ts'),
  },
  reports: { summary: 'DMARC and TLS reports that have arrived', load: () => import('./reports.ts') },
  suppression: { summary: 'dead recipients: list, add, remove', load: () => import('./suppression.ts') },
  trace: { summary: 'the way of a message, hop by hop', load: () => import('./trace.ts') },
  explain: { summary: 'why a message was taken, put into Junk or refused', load: () => import('./explain.ts') },
  dkim: { summary: 'keys that sign: list, rotate, retire', load: () => import('./dkim.ts') },
  dial: { summary: 'what would happen to mail for an address, without sending', load: () => import('./dial.ts') },
  dns: { summary: 'the DNS records to publish, and whether they are', load: () => import('./dns.ts') },
  import: { summary: 'mail from mbox or Maildir into an account', load: () => import('./import.ts') },
  export: { summary: 'mail of an account into mbox or Maildir', load: () => import('./export.ts') },
  backup: { summary: 'copy the whole store while it is in use', load: () => import('./backup.ts') },
  restore: { summary: 'put a backup back, or take something out of one', load: () => import('./restore.ts') },
  check: { summary: 'read the whole store and report what does not fit together', load: () => import('./check.ts') },
  sendmail: { summary: 'hand in a message, as /usr/sbin/sendmail' },
  status: { summary: 'what is wrong and what to do', load: () => import('./status.ts') },
}

/** Runs what the arguments of the process say; the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  // `pennypost list | head` ends us without a word; a server has more to do than to be read.
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (argv[2] !== 'serve') process.exit(code === 'EPIPE' ? 0 : 1)
  })
  // Nobody is left to be told: the exit code says it.
  process.stderr.on('error', () => {})
  const args = argv[2] === 'help' && argv.length > 3 ? [...argv.slice(3), '--help'] : argv.slice(2)
  const calledAs = basename(argv[1] ?? '')
  if (calledAs === 'sendmail' || args[0] === 'sendmail') {
    const [{ sendmail }, { placeOfSystem }] = await Promise.all([import('./sendmail.ts'), import('../config/place.ts')])
    // Programs call it wherever they are: in /tmp, a configuration is anybody's who wants to have their mail.
    return sendmail(calledAs === 'sendmail' ? ['--config', placeOfSystem, ...args] : args.slice(1))
  }
  const name = args[0] ?? ''
  if (name === '' || name === 'help' || name === '--help' || name === '-h') {
    out(firstScreen(verbs))
    return 0
  }
  if (name === '--version' || name === '-V') {
    const { version } = await import('../config/version.ts')
    out(`pennypost ${version()}\n`)
    return 0
  }
  const group = Object.hasOwn(verbs, name) ? verbs[name] : undefined
  if (!group?.load) {
    const [{ reportError, wantsJson }, { UsageError }] = await Promise.all([
      import('./report-error.ts'),
      import('./usage-error.ts'),
    ])
    const text = `"${name}" is no verb. They are: ${Object.keys(verbs).join(', ')}.`
    return reportError(new UsageError(text), wantsJson(args))
  }
  const [{ register }, { runVerb }] = await Promise.all([group.load(), import('./run-verb.ts')])
  return runVerb(register, args)
}
