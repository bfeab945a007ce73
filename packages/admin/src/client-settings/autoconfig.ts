import { displayDomain } from '@pennypost/model'
import { type ClientSettings, escapeXml, toldServers } from './settings.ts'

/**
 * The settings as Thunderbird, K-9, Evolution and others fetch them (draft-ietf-mailmaint-autoconfig). One document for a
 * whole domain: nothing in it depends on the account, so it cannot tell whether there is one.
 */
export interface AutoconfigQuestion {
  /** What stands behind the @ of the addresses. */
  domain: string
  /** What stands behind the @ of the login names. */
  loginDomain: string
}

/** The document, or undefined where there is nothing that a program could both read and send with. */
export function autoconfigDocument(
  { domain, loginDomain }: AutoconfigQuestion,
  settings: ClientSettings,
): string | undefined {
  const servers = toldServers(settings)
  if (servers.length === 0) return undefined
  const user = loginDomain === domain ? '%EMAILADDRESS%' : `%EMAILLOCALPART%@${loginDomain}`
  const shown = displayDomain(domain)
  const sections = servers.map(({ protocol, port, isImplicit }) => {
    const element = protocol === 'smtp' ? 'outgoingServer' : 'incomingServer'
    return `    <${element} type="${protocol}">
      <hostname>${escapeXml(settings.hostname)}</hostname>
      <port>${port}</port>
      <socketType>${isImplicit ? 'SSL' : 'STARTTLS'}</socketType>
      <authentication>password-cleartext</authentication>
      <username>${escapeXml(user)}</username>
    </${element}>
`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="${escapeXml(domain)}">
    <domain>${escapeXml(domain)}</domain>
    <displayName>${escapeXml(shown.slice(0, 60))}</displayName>
    <displayShortName>${escapeXml(shown.slice(0, 20))}</displayShortName>
${sections.join('')}  </emailProvider>
</clientConfig>
`
}
