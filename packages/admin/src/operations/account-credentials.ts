/**
 * What accounts log in with, and as whom they may send. App passwords are made by the caller, who shows them to their
 * owner: an operation's result never holds a secret.
 */
import { z } from 'zod'
import { endSessions, findAccount, verifierOf } from '../accounts.ts'
import { AdminError } from '../admin-error.ts'
import { address, addressOrDomain, displayName, password } from '../input-fields.ts'
import { operation } from '../operation.ts'
import { nobodys } from './alias.ts'

const scopes = ['imap', 'pop3', 'submission'] as const

export const accountPasswd = operation({
  name: 'account.passwd',
  kind: 'change',
  input: z.strictObject({ login: address, password }),
  async run(context, { login, password: plain }) {
    const account = await findAccount(context, login)
    const verifier = await verifierOf(context, plain)
    const { credentials } = context.store
    await credentials.setPassword(account.id, verifier, context.clock.now())
    const appPasswords = (await credentials.list(account.id)).filter(({ kind }) => kind === 'app').length
    return { login, endedSessions: endSessions(context, account), appPasswords }
  },
})

export const appPasswordAdd = operation({
  name: 'account.app-password.add',
  kind: 'change',
  input: z.strictObject({
    login: address,
    label: displayName.min(1, 'say what the app password is for'),
    /** Services that it opens; empty means all. */
    scope: z.array(z.enum(scopes)).default([]),
    password,
  }),
  async run(context, { login, label, scope, password: plain }) {
    const account = await findAccount(context, login)
    const verifier = context.credentials.appPasswordVerifier(plain)
    if (verifier === undefined) throw new AdminError('bad-input', 'That is not an app password that Pennypost made.')
    const { credentials } = context.store
    const { id } = await credentials.addAppPassword(account.id, { label, scope, verifier }, context.clock.now())
    return { id, login, label, scope }
  },
})

export const appPasswordList = operation({
  name: 'account.app-password.list',
  kind: 'read',
  input: z.strictObject({ login: address }),
  async run(context, { login }) {
    const account = await findAccount(context, login)
    const all = await context.store.credentials.list(account.id)
    return all
      .filter(({ kind }) => kind === 'app')
      .map(({ id, label, scope, createdAt, lastUsedAt }) => ({ id, label, scope, createdAt, lastUsedAt }))
  },
})

export const appPasswordRemove = operation({
  name: 'account.app-password.remove',
  kind: 'change',
  input: z.strictObject({ login: address, id: z.number().int() }),
  async run(context, { login, id }) {
    const account = await findAccount(context, login)
    const all = await context.store.credentials.list(account.id)
    const isThere = all.some((credential) => credential.id === id && credential.kind === 'app')
    if (!isThere || !(await context.store.credentials.remove(account.id, id))) {
      const advice = `\`pennypost account app-password list ${login}\` shows their numbers.`
      throw new AdminError('not-found', `${login} has no app password ${id}.`, advice)
    }
    return { login, id, endedSessions: endSessions(context, account) }
  },
})

const grantInput = z.strictObject({ login: address, address: addressOrDomain })

export const sendAsGrant = operation({
  name: 'account.send-as.grant',
  kind: 'change',
  input: grantInput,
  async run(context, { login, address: of }) {
    const account = await findAccount(context, login)
    const { directory } = context.store
    await directory.grantSendAs(account.id, of)
    // Not refused: an address of somewhere else can be lent too, and one of ours be made later.
    const unknownTargets = of.startsWith('@') ? [] : await nobodys(context, [of])
    return { login, sendAs: await directory.sendAs(account.id), unknownTargets }
  },
})

export const sendAsRevoke = operation({
  name: 'account.send-as.revoke',
  kind: 'change',
  input: grantInput,
  async run(context, { login, address: of }) {
    const account = await findAccount(context, login)
    const { directory } = context.store
    if (!(await directory.sendAs(account.id)).includes(of)) {
      const advice = `\`pennypost account show ${login}\` lists as whom it sends.`
      throw new AdminError('not-found', `${login} was not granted ${of}.`, advice)
    }
    await directory.revokeSendAs(account.id, of)
    return { login, sendAs: await directory.sendAs(account.id) }
  },
})
