/** What an account shares with others, and what they share with it: the access control lists of IMAP (RFC 4314). */
import {
  type Account,
  allRights,
  type Grantee,
  mailboxName,
  othersName,
  parseRights,
  type Store,
  showRights,
} from '@pennypost/model'
import { z } from 'zod'
import { findAccount } from '../accounts.ts'
import { AdminError } from '../admin-error.ts'
import { address } from '../input-fields.ts'
import { operation } from '../operation.ts'
import { unhurried } from '../unhurried.ts'

const rights = z.string().transform((text, context) => {
  const found = parseRights(text)
  if (found !== undefined) return found
  context.addIssue({ code: 'custom', message: `"${text}" are no rights; they are letters of ${showRights(allRights)}` })
  return z.NEVER
})

/** Replaces what one account, or anyone, may do with a mailbox; '' takes it all away. */
export const accountShare = operation({
  name: 'account.share',
  kind: 'change',
  input: z.strictObject({
    login: address,
    mailbox: z.string().max(1000),
    with: z.union([z.literal('anyone'), address]),
    rights,
  }),
  async run(context, { login, mailbox: name, with: other, rights }) {
    const { mail, sharing } = context.store
    const owner = await findAccount(context, login)
    const grantee: Grantee = other === 'anyone' ? other : (await findAccount(context, other)).id
    const mailbox = await mail.mailboxByName(owner.id, mailboxName(name) ?? name)
    if (!mailbox) {
      const advice = `\`pennypost account show ${login}\` lists its mailboxes.`
      throw new AdminError('not-found', `${login} has no mailbox ${name}.`, advice)
    }
    if (grantee === owner.id) {
      throw new AdminError('bad-input', `${login} owns the mailbox and has all rights.`, 'Name another account.')
    }
    await sharing.setAcl(mailbox.id, { grantee, negative: false, mode: 'replace', rights })
    return { login, mailbox: mailbox.name, with: other, rights: showRights(rights) }
  },
})

export interface Shared {
  /** As the one who is given the rights calls it, or its owner. */
  mailbox: string
  /** A login, or `anyone`, with a minus where rights are taken away. */
  with: string
  rights: string
}

/** What the account shares. */
export async function sharesOf({ mail, sharing, directory }: Store, account: Account): Promise<Shared[]> {
  const shares: Shared[] = []
  for await (const { id, name } of unhurried(await mail.mailboxes(account.id))) {
    for (const { grantee, negative, rights } of await sharing.acl(id)) {
      const login = grantee === 'anyone' ? grantee : ((await directory.account(grantee))?.login ?? String(grantee))
      shares.push({ mailbox: name, with: `${negative ? '-' : ''}${login}`, rights: showRights(rights) })
    }
  }
  return shares
}

/** What others share with the account. */
export async function sharedWith({ sharing }: Store, account: Account): Promise<Omit<Shared, 'with'>[]> {
  const shared = await sharing.sharedWith(account.id)
  return shared.map(({ mailbox, owner, rights }) => {
    return { mailbox: othersName(owner, mailbox.name), rights: showRights(rights) }
  })
}
