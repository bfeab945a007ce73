/** Accounts: who has mailboxes here. */
import type { Account } from '@pennypost/model'
import { z } from 'zod'
import { endSessions, findAccount, undoRemovalMs, verifierOf } from '../accounts.ts'
import { AdminError } from '../admin-error.ts'
import type { AdminContext } from '../context.ts'
import { address, capability, displayName, domainName, password, quota } from '../input-fields.ts'
import { operation } from '../operation.ts'
import { unhurried } from '../unhurried.ts'
import { sharedWith, sharesOf } from './account-sharing.ts'

const byLogin = z.strictObject({ login: address })

export const accountAdd = operation({
  name: 'account.add',
  kind: 'change',
  input: z.strictObject({
    login: address,
    name: displayName.default(''),
    quota: quota.default(0),
    admin: z.boolean().default(false),
    /** Absent: nobody can log in until one is set. */
    password: password.optional(),
  }),
  async run(context, { login, password: plain, ...rest }) {
    // First, so that a password which cannot be stored leaves no account behind.
    const verifier = plain === undefined ? undefined : await verifierOf(context, plain)
    const { directory } = context.store
    const present = await directory.accountByLogin(login)
    if (present?.removedAt != null) {
      const advice = `\`pennypost account restore ${login}\` brings it back with its mail.`
      throw new AdminError('exists', `An account ${login} was removed and can still be restored.`, advice)
    }
    if (present) {
      throw new AdminError('exists', `${login} exists.`, `\`pennypost account passwd ${login}\` sets its password.`)
    }
    const account = await directory.addAccount({ login, ...rest, verifier }, context.clock.now())
    return { ...account, hasPassword: verifier !== undefined }
  },
})

export const accountList = operation({
  name: 'account.list',
  kind: 'read',
  input: z.strictObject({ domain: domainName.optional(), removed: z.boolean().default(false) }),
  async run({ store: { directory, credentials }, credentials: { isScramReady } }, { domain, removed }) {
    const accounts = await directory.accounts(domain)
    const shown = accounts.filter(({ removedAt }) => (removedAt !== null) === removed)
    const rows = []
    for await (const account of unhurried(shown)) {
      const proofs = await credentials.list(account.id)
      const scramReady = proofs.length > 0 && proofs.every(({ scram }) => isScramReady(account.login, scram))
      rows.push({ ...account, usage: await directory.usage(account.id), scramReady })
    }
    return rows
  },
})

export const accountShow = operation({
  name: 'account.show',
  kind: 'read',
  input: byLogin,
  async run({ store, credentials: { isScramReady } }, { login }) {
    const account = await store.directory.accountByLogin(login)
    if (!account) {
      throw new AdminError('not-found', `There is no account ${login}.`, '`pennypost account list` shows all.')
    }
    const { directory, credentials, mail } = store
    const [usage, aliases, sendAs, proofs, mailboxes, shares, shared] = await Promise.all([
      directory.usage(account.id),
      directory.aliasesTo(login),
      directory.sendAs(account.id),
      credentials.list(account.id),
      mail.mailboxes(account.id),
      sharesOf(store, account),
      sharedWith(store, account),
    ])
    return {
      ...account,
      usage,
      aliases: aliases.map((alias) => alias.address),
      sendAs,
      credentials: proofs.map(({ id, kind, label, scope, scram, createdAt, lastUsedAt }) => {
        return { id, kind, label, scope, scramReady: isScramReady(login, scram), createdAt, lastUsedAt }
      }),
      mailboxes: mailboxes.map(({ name, specialUse, messages, unseen, size }) => {
        return { name, specialUse, messages, unseen, size }
      }),
      shares,
      sharedWith: shared,
    }
  },
})

export const accountSuspend = operation({
  name: 'account.suspend',
  kind: 'change',
  input: byLogin,
  async run(context, { login }) {
    const account = await findAccount(context, login)
    await context.store.directory.updateAccount(account.id, { suspended: true })
    return { login, endedSessions: endSessions(context, account) }
  },
})

export const accountResume = operation({
  name: 'account.resume',
  kind: 'change',
  input: byLogin,
  async run(context, { login }) {
    const account = await findAccount(context, login)
    await context.store.directory.updateAccount(account.id, { suspended: false })
    return { login }
  },
})

export const accountRemove = operation({
  name: 'account.remove',
  kind: 'change',
  input: byLogin,
  async run(context, { login }) {
    const { directory } = context.store
    const account = await findAccount(context, login)
    const now = context.clock.now()
    await directory.removeAccount(account.id, now)
    const endedSessions = endSessions(context, account)
    const aliases = (await directory.aliasesTo(login)).map((alias) => alias.address)
    return { login, endedSessions, restorableUntil: now + undoRemovalMs, aliases }
  },
})

export const accountRestore = operation({
  name: 'account.restore',
  kind: 'change',
  input: byLogin,
  async run({ store: { directory } }, { login }) {
    const account = await directory.accountByLogin(login)
    if (!account || account.removedAt === null) {
      const text = account ? `The account ${login} is not removed.` : `There is no removed account ${login}.`
      throw new AdminError('not-found', text, '`pennypost account list --removed` shows what can be restored.')
    }
    if (await directory.alias(login)) {
      const advice = `\`pennypost alias remove ${login}\` makes room for it.`
      throw new AdminError('exists', `${login} is an alias now.`, advice)
    }
    await directory.restoreAccount(account.id)
    return { login }
  },
})

const mostCapabilities = 100

/** A word that has gone from the program since it was disabled can be enabled all the same. */
async function refuseUnknown(
  { capabilityNames }: AdminContext,
  { disabledCapabilities }: Account,
  all: readonly string[],
): Promise<void> {
  const words = all.filter((word) => !disabledCapabilities.includes(word))
  if (words.length === 0) return
  const known = await capabilityNames()
  const unknown = words.filter((word) => !known.includes(word))
  if (unknown.length === 0) return
  const advice = `There are ${known.join(', ')}.`
  throw new AdminError('bad-input', `IMAP has no capability ${unknown.join(', ')} here.`, advice)
}

/** Seen before the login, when nobody knows whose client it is. */
const beforeLogin = /^(AUTH=.*|STARTTLS|LOGINDISABLED|SASL-IR)$/

function refuseTooEarly(words: readonly string[]): void {
  const early = words.filter((word) => beforeLogin.test(word))
  if (early.length === 0) return
  const text = `Clients see ${early.join(', ')} before they log in, so no account can be without.`
  throw new AdminError('bad-input', text, '`[imap] disable` in the configuration takes it from all.')
}

/** The words that are disabled after the change, in order. */
function maskOf(before: readonly string[], disable: readonly string[], enable: readonly string[]): string[] {
  const words = new Set([...before, ...disable].filter((word) => !enable.includes(word)))
  return [...words].sort()
}

export const accountSet = operation({
  name: 'account.set',
  kind: 'change',
  input: z.strictObject({
    login: address,
    name: displayName.optional(),
    quota: quota.optional(),
    admin: z.boolean().optional(),
    /** What it submits is filed in its Sent mailbox too. */
    copySent: z.boolean().optional(),
    /** Capabilities of IMAP that its clients are not to see any more, or again. */
    disableCapabilities: z.array(capability).max(mostCapabilities).default([]),
    enableCapabilities: z.array(capability).max(mostCapabilities).default([]),
  }),
  async run(context, { login, name, quota: octets, admin, copySent, disableCapabilities, enableCapabilities }) {
    const account = await findAccount(context, login)
    refuseTooEarly(disableCapabilities)
    await refuseUnknown(context, account, [...disableCapabilities, ...enableCapabilities])
    const change = {
      ...(name === undefined ? {} : { name }),
      ...(octets === undefined ? {} : { quota: octets }),
      ...(admin === undefined ? {} : { admin }),
      ...(copySent === undefined ? {} : { copySent }),
      disabledCapabilities: maskOf(account.disabledCapabilities, disableCapabilities, enableCapabilities),
    }
    const changed = await context.store.directory.updateAccount(account.id, change)
    // It may be acting for others in some of them.
    if (account.admin && !changed.admin) endSessions(context, account)
    return changed
  },
})
