/** What tests of POP3 begin with: a host with letters for bob, whose store makes something of its own of flags. */
import type { MailStore } from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom } from '@pennypost/model/testing'
import { playDialogue } from './dialogue.ts'
import { type Host, openHost } from './host.ts'

/** `flags`: what the store does in place of its own verb, which it gets. */
export async function openMaildrop(
  letters: number,
  flags: (own: MailStore['updateFlags']) => MailStore['updateFlags'],
): Promise<Host> {
  const host = await openHost(async (clock) => {
    const store = createMemoryStore({ clock, random: seededRandom(2) })
    const updateFlags = flags((...change) => store.mail.updateFlags(...change))
    return Object.create(store, { mail: { value: Object.create(store.mail, { updateFlags: { value: updateFlags } }) } })
  })
  const letter = `
C+ MAIL FROM:<a@two.test>\\r\\nRCPT TO:<bob@one.test>\\r\\nDATA\\r\\n
S: 250 *
S: 250 *
S: 354 *
C+ Subject: x\\r\\n\\r\\ntext\\r\\n.\\r\\n
S: 250 *`
  await playDialogue(`@service lmtp\nS: 220 *\nC: LHLO client.test\nS...${letter.repeat(letters)}\n`, host)
  return host
}

/** Lines of a dialogue up to where bob is logged in. */
export const login = `@service pop3s
S: +OK *
C: AUTH PLAIN AGJvYkBvbmUudGVzdABzZWNyZXQ=
S: +OK *
`
