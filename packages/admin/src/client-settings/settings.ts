import { type Directory, splitAddress } from '@pennypost/model'

/** What a mail program has to know in order to work with this server: told in the DNS, and by three kinds of XML over HTTPS. */
export type ClientService = 'submission' | 'submissions' | 'imap' | 'imaps' | 'pop3' | 'pop3s'

export interface OfferedService {
  service: ClientService
  port: number
}

export interface ClientSettings {
  /** Lower-case A-label: the one name under which all services are. */
  hostname: string
  services: readonly OfferedService[]
}

/** A server as every kind of XML tells it, and whether TLS is there from the first octet or by STARTTLS. */
export interface ToldServer {
  protocol: 'imap' | 'pop3' | 'smtp'
  port: number
  isImplicit: boolean
}

// TLS from the first octet before STARTTLS (RFC 8314 §3), IMAP before POP3. Clear text is never told, not even where
// passwords may go over it: each of these services has STARTTLS.
const inOrder = ['imaps', 'imap', 'pop3s', 'pop3', 'submissions', 'submission'] as const

/** The servers, the best of each kind first; none where a program could not both read and send. */
export function toldServers({ services }: ClientSettings): ToldServer[] {
  const told = inOrder.flatMap((name) =>
    services
      .filter(({ service }) => service === name)
      .map(({ service, port }): ToldServer => {
        const isImplicit = service.endsWith('s')
        const protocol = service.startsWith('submission') ? 'smtp' : service.startsWith('imap') ? 'imap' : 'pop3'
        return { protocol, port, isImplicit }
      }),
  )
  const canSend = told.some(({ protocol }) => protocol === 'smtp')
  const canRead = told.some(({ protocol }) => protocol !== 'smtp')
  return canSend && canRead ? told : []
}

/** The domain in the login names of a domain's people: of an alias the one that it stands for; undefined: none of ours. */
export async function loginDomain(
  directory: Pick<Directory, 'domain'>,
  name: string | undefined,
): Promise<string | undefined> {
  const domain = name === undefined ? undefined : await directory.domain(name)
  const owner = domain?.kind === 'alias' ? await directory.domain(domain.target) : domain
  return owner?.kind === 'local' ? owner.name : undefined
}

/** Whether a stranger's text may be repeated as an address: controls have no place in XML, nor in what anybody types. */
export function isTypedAddress(text: string): boolean {
  return text.length <= 320 && !/\p{C}/u.test(text) && splitAddress(text) !== undefined
}

/** Text inside an element or a quoted attribute. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
