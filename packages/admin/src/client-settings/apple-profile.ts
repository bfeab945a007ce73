import { createHash } from 'node:crypto'
import { type ClientSettings, escapeXml, toldServers } from './settings.ts'

/**
 * The settings as a profile that Apple's mail programs install (Device Management, `com.apple.mail.managed`): they ask
 * nobody by themselves, so a person opens a link to it, and is asked for the password then. Nothing in it depends on
 * whether there is such an account.
 */
type Value = string | number | boolean | { [key: string]: Value } | Value[]

/**
 * The profile; undefined unless there is TLS from the first octet both ways, since a profile has no word for STARTTLS.
 * With an equal address it replaces the one before.
 */
export function appleProfile(address: string, login: string, settings: ClientSettings): string | undefined {
  const servers = toldServers(settings).filter(({ isImplicit }) => isImplicit)
  const incoming = servers.find(({ protocol }) => protocol !== 'smtp')
  const outgoing = servers.find(({ protocol }) => protocol === 'smtp')
  if (!incoming || !outgoing) return undefined
  const place = `${settings.hostname.split('.').reverse().join('.')}.${uuidOf(address, 'profile')}`
  const server = (way: 'Incoming' | 'Outgoing', port: number): { [key: string]: Value } => ({
    [`${way}MailServerAuthentication`]: 'EmailAuthPassword',
    [`${way}MailServerHostName`]: settings.hostname,
    [`${way}MailServerPortNumber`]: port,
    [`${way}MailServerUseSSL`]: true,
    [`${way}MailServerUsername`]: login,
  })
  const account = {
    EmailAccountDescription: address,
    EmailAccountType: incoming.protocol === 'imap' ? 'EmailTypeIMAP' : 'EmailTypePOP',
    EmailAddress: address,
    ...server('Incoming', incoming.port),
    ...server('Outgoing', outgoing.port),
    OutgoingPasswordSameAsIncomingPassword: true,
    ...payload('com.apple.mail.managed', `${place}.mail`, uuidOf(address, 'mail'), address),
  }
  const profile = { PayloadContent: [account], ...payload('Configuration', place, uuidOf(address, 'profile'), address) }
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">${print(profile)}</plist>
`
}

function payload(type: string, identifier: string, uuid: string, name: string): { [key: string]: Value } {
  return {
    PayloadDisplayName: name,
    PayloadIdentifier: identifier,
    PayloadType: type,
    PayloadUUID: uuid,
    PayloadVersion: 1,
  }
}

function uuidOf(address: string, part: string): string {
  const hash = createHash('sha256').update(`${part} ${address}`).digest('hex')
  return hash.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-8$3-8$4-$5').toUpperCase()
}

function print(value: Value): string {
  if (typeof value === 'string') return `<string>${escapeXml(value)}</string>`
  if (typeof value === 'number') return `<integer>${value}</integer>`
  if (typeof value === 'boolean') return value ? '<true/>' : '<false/>'
  if (Array.isArray(value)) return `<array>${value.map(print).join('')}</array>`
  const rows = Object.entries(value).map(([key, each]) => `<key>${key}</key>${print(each)}\n`)
  return `<dict>\n${rows.join('')}</dict>`
}
