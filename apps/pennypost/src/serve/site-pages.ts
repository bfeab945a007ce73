import {
  appleProfile,
  autoconfigDocument,
  autodiscoverDocument,
  autodiscoverErrorDocument,
  type ClientSettings,
  isTypedAddress,
  loginDomain,
  readAutodiscover,
} from '@pennypost/admin/client-settings'
import { type Clock, type Directory, lookupDomain, splitAddress } from '@pennypost/model'

/**
 * What strangers may see over HTTPS, for domains of ours and no others: the MTA-STS policy (RFC 8461 §3.3), at `mta-sts.`
 * and the domain, and the settings of mail programs. Nothing here depends on an account, or tells whether there is one.
 */
export interface SiteOptions {
  directory: Pick<Directory, 'domain'>
  /** The MTA-STS policy, the same for all domains. */
  policy: string
  clientSettings: ClientSettings
  clock: Pick<Clock, 'now'>
}

export interface SiteQuestion {
  /** The Host field. */
  host: string
  query: URLSearchParams
  /** '' where nothing was sent. */
  body: string
}

export interface SiteAnswer {
  status: number
  type: 'text/plain' | 'text/xml' | 'application/x-apple-aspen-config'
  text: string
}

export interface SitePage {
  methods: readonly string[]
  answer(options: SiteOptions, question: SiteQuestion): Promise<SiteAnswer>
}

const nothing: SiteAnswer = { status: 404, type: 'text/plain', text: 'There is nothing here.\n' }
const reading = ['GET', 'HEAD']

const stsPolicy: SitePage = {
  methods: reading,
  async answer({ directory, policy }, { host }) {
    const domain = lookupDomain(/^mta-sts\.([^:]+)(?::\d+)?$/i.exec(host)?.[1] ?? '')
    if (domain === undefined || !(await directory.domain(domain))) return nothing
    return { status: 200, type: 'text/plain', text: policy }
  },
}

/** The address in the question says whose settings are meant, or else the name that was asked. */
const autoconfig: SitePage = {
  methods: reading,
  async answer({ directory, clientSettings }, { host, query }) {
    const asked = splitAddress(query.get('emailaddress') ?? '')?.domain
    const domain = lookupDomain(asked ?? host.replace(/:\d+$/, '').replace(/^autoconfig\./i, ''))
    const login = await loginDomain(directory, domain)
    if (domain === undefined || login === undefined) return nothing
    const text = autoconfigDocument({ domain, loginDomain: login }, clientSettings)
    return text === undefined ? nothing : { status: 200, type: 'text/xml', text }
  },
}

/** What is wrong is said in a document of status 200, as Exchange does and Outlook wants it. */
const autodiscover: SitePage = {
  methods: ['POST'],
  async answer({ directory, clientSettings, clock }, { body }) {
    const refused = (error: 500 | 600 | 601): SiteAnswer => {
      return { status: 200, type: 'text/xml', text: autodiscoverErrorDocument(error, clock.now()) }
    }
    const request = readAutodiscover(body)
    if ('error' in request) return refused(request.error)
    const login = await loginNameOf(request.address, directory)
    if (login === undefined) return refused(500)
    return { status: 200, type: 'text/xml', text: autodiscoverDocument(login, clientSettings, clock.now()) }
  },
}

const profile: SitePage = {
  methods: reading,
  async answer({ directory, clientSettings }, { query }) {
    const address = query.get('email') ?? ''
    const login = isTypedAddress(address) ? await loginNameOf(address, directory) : undefined
    const text = login === undefined ? undefined : appleProfile(address, login, clientSettings)
    return text === undefined ? nothing : { status: 200, type: 'application/x-apple-aspen-config', text }
  },
}

/** As whom somebody with this address would log in; undefined where the domain is not ours. */
async function loginNameOf(address: string, directory: SiteOptions['directory']): Promise<string | undefined> {
  const typed = splitAddress(address)
  const domain = lookupDomain(typed?.domain ?? '')
  const login = await loginDomain(directory, domain)
  if (!typed || login === undefined) return undefined
  return login === domain ? address : `${typed.localPart}@${login}`
}

/** By path; that of Autodiscover is written in many cases. */
export function sitePage(path: string): SitePage | undefined {
  if (path === '/.well-known/mta-sts.txt') return stsPolicy
  if (path === '/mail/config-v1.1.xml' || path === '/.well-known/autoconfig/mail/config-v1.1.xml') return autoconfig
  if (path === '/email.mobileconfig') return profile
  return path.toLowerCase() === '/autodiscover/autodiscover.xml' ? autodiscover : undefined
}
