/**
 * Many accounts at once, from a file that the caller read: each is the head of a frame. Everything is looked at before
 * anything is changed, accounts that are there already are left as they are, so that the same file can be given again after
 * a fault was mended.
 */
import { domainOf } from '@pennypost/model'
import { preparePassword } from '@pennypost/sasl'
import { z } from 'zod'
import { AdminError } from '../admin-error.ts'
import type { AdminContext } from '../context.ts'
import { address, displayName, password, quota } from '../input-fields.ts'
import { describeIssues, operation } from '../operation.ts'
import type { Frame } from '../socket/frames.ts'
import { afterSome } from '../store-refusals.ts'
import { unhurried } from '../unhurried.ts'

const newAccount = z
  .strictObject({
    login: address,
    /** Where it stands in the file of the caller, for what is said of it. */
    line: z.number().int().min(1).optional(),
    name: displayName.default(''),
    quota: quota.default(0),
    password: password.optional(),
    /** bcrypt, as other systems write it. */
    hash: z.string().max(200).optional(),
  })
  .refine((account) => !(account.password && account.hash), 'has both a password and a hash')

const lineOnly = z.object({ line: z.number().int().min(1) })

type NewAccount = z.output<typeof newAccount>

export const accountImport = operation({
  name: 'account.import',
  kind: 'change',
  input: z.strictObject({
    /** How many follow. */
    accounts: z.number().int().min(1).max(100_000),
  }),
  async run(context, { accounts }, { progress, signal, upload }) {
    const { fresh, present } = await inspect(context, accounts, upload)
    let done = 0
    try {
      for (const { account, hash } of fresh) {
        signal.throwIfAborted()
        const verifier = hash ?? (account.password && (await context.credentials.hash(account.password)))
        const { login, name, quota: octets } = account
        const made = { login, name, quota: octets, admin: false, verifier }
        await context.store.directory.addAccount(made, context.clock.now())
        progress({ done: ++done, total: fresh.length, unit: 'accounts' })
      }
    } catch (error) {
      throw done === 0 ? error : afterSome(`${done} account${done === 1 ? '' : 's'}`, error)
    }
    return { added: fresh.map(({ account }) => account.login), present }
  },
})

interface Inspected {
  fresh: { account: NewAccount; hash: string | undefined }[]
  /** Logins that exist. */
  present: string[]
}

async function inspect(context: AdminContext, count: number, upload: AsyncIterable<Frame>): Promise<Inspected> {
  const { directory } = context.store
  const local = new Set((await directory.domains()).filter(({ kind }) => kind === 'local').map(({ name }) => name))
  const found: Inspected = { fresh: [], present: [] }
  const faults: string[] = []
  const seen = new Set<string>()
  let number = 0
  // What has come is worked off without a turn of the event loop.
  for await (const frame of unhurried(upload)) {
    if (++number > count) break
    const head = 'head' in frame ? frame.head : undefined
    const parsed = newAccount.safeParse(head)
    const { line } = lineOnly.safeParse(head).data ?? {}
    const place = line === undefined ? `account ${number}` : `line ${line}`
    if (!parsed.success) {
      faults.push(`${place}: ${describeIssues(parsed.error)}`)
      continue
    }
    const account = parsed.data
    const { login } = account
    const fault = (text: string) => faults.push(`${place}, ${login}: ${text}`)
    if (seen.has(login)) fault('stands twice in the list')
    seen.add(login)
    const present = await directory.accountByLogin(login)
    if (!local.has(domainOf(login))) fault('its domain is not here')
    else if (present?.removedAt === null) found.present.push(login)
    else if (present) fault('was removed and can still be restored')
    else if (await directory.alias(login)) fault('an alias has this address')
    else if (account.password !== undefined && preparePassword(account.password) === undefined) {
      fault('its password holds control characters')
    } else {
      try {
        const hash = account.hash === undefined ? undefined : context.credentials.importHash(account.hash)
        found.fresh.push({ account, hash })
      } catch (error) {
        fault((error as Error).message)
      }
    }
  }
  if (number !== count) throw new AdminError('bad-input', `Nothing was imported. Not ${count} accounts came.`)
  if (faults.length > 0) {
    const shown = faults.slice(0, 20).join('; ') + (faults.length > 20 ? `; and ${faults.length - 20} more` : '')
    throw new AdminError('bad-input', `Nothing was imported. ${shown}`, 'Mend the file, then import it again.')
  }
  return found
}
