import type { Command } from 'commander'
import type { Session } from './session.ts'
import { addVerb, inSession } from './verb.ts'

/** `account share`, and what `account show` says of sharing. */
export function registerSharing(group: Command): void {
  addVerb(group, 'share <address> <mailbox> <other> [rights]', 'let another address, or anyone, use a mailbox')
    .addHelpText(
      'after',
      `
Rights are the letters of RFC 4314, such as lrs: l see its name, r read, s keep what was seen, w set other flags,
i put messages in, p post, k make mailboxes below, x delete it, t mark messages deleted, e expunge, a share it on.
Without rights, nothing is left of what was given.
`,
    )
    .action(inSession(share))
}

async function share(session: Session, login: string, mailbox: string, other: string, rights = ''): Promise<void> {
  const done = await session.call('account.share', { login, mailbox, with: other, rights })
  const may = done.rights === '' ? 'has nothing left of what it was given' : `may ${done.rights}`
  session.show(done, `${done.mailbox} of ${done.login}: ${done.with} ${may}.\n`)
}

interface Sharing {
  shares: readonly { mailbox: string; with: string; rights: string }[]
  sharedWith: readonly { mailbox: string; rights: string }[]
  disabledCapabilities: readonly string[]
}

export function sharingLines({ shares, sharedWith, disabledCapabilities }: Sharing): string[] {
  return [
    ...shares.map(({ mailbox, with: other, rights }) => `shares      ${mailbox} with ${other}: ${rights}`),
    ...sharedWith.map(({ mailbox, rights }) => `may use     ${mailbox}: ${rights}`),
    ...(disabledCapabilities.length > 0 ? [`IMAP        without ${disabledCapabilities.join(' ')}`] : []),
  ]
}
