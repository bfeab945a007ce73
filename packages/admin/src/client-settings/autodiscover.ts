import { type ClientSettings, escapeXml, isTypedAddress, toldServers } from './settings.ts'

/**
 * The settings as Outlook asks for them: Autodiscover in plain XML ([MS-OXDSCLI], "POX"). The answer repeats the address
 * as login name and depends on nothing else but its domain, so it cannot tell whether there is such an account.
 */

/** What is wrong, as [MS-OXDSCLI] §2.2.4.1.1.3 counts it. */
const errors = {
  500: 'The email address cannot be found.',
  600: 'Invalid Request',
  601: 'Provider is not available',
} as const
export type AutodiscoverError = keyof typeof errors

const outlookSchema = 'http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a'

/** The address that a request asks about, as it was typed, or what is wrong with the request. */
export function readAutodiscover(body: string): { address: string } | { error: AutodiscoverError } {
  // A sync program asks for ActiveSync by another schema.
  const schema = elementText(body, 'AcceptableResponseSchema')
  if (schema !== undefined && schema !== outlookSchema) return { error: 601 }
  const address = elementText(body, 'EMailAddress') ?? ''
  return isTypedAddress(address) ? { address } : { error: 600 }
}

/** Found as text: no document of a stranger is taken apart, and none of its entities is looked up. */
function elementText(body: string, name: string): string | undefined {
  const found = new RegExp(`<(?:[\\w-]+:)?${name}(?:\\s[^<>]*)?>([^<>]*)</`, 'i').exec(body)
  return found?.[1] === undefined ? undefined : resolveReferences(found[1].trim())
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function resolveReferences(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{1,4}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return named[name] ?? whole
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}

/** One server for each protocol, the best: Outlook takes what comes first and knows no alternative of a kind. */
export function autodiscoverDocument(login: string, settings: ClientSettings, now: number): string {
  const servers = toldServers(settings)
  if (servers.length === 0) return autodiscoverErrorDocument(601, now)
  const best = servers.filter((each) => servers.find(({ protocol }) => protocol === each.protocol) === each)
  // `Encryption` is what counts: SSL is TLS from the first octet, TLS is STARTTLS. Who knows `SSL` alone must not think
  // that clear text will do.
  const sections = best.map(
    ({ protocol, port, isImplicit }) => `      <Protocol>
        <Type>${protocol.toUpperCase()}</Type>
        <Server>${escapeXml(settings.hostname)}</Server>
        <Port>${port}</Port>
        <DomainRequired>off</DomainRequired>
        <LoginName>${escapeXml(login)}</LoginName>
        <SPA>off</SPA>
        <SSL>on</SSL>
        <Encryption>${isImplicit ? 'SSL' : 'TLS'}</Encryption>
        <AuthRequired>on</AuthRequired>
${protocol === 'smtp' ? '        <UsePOPAuth>off</UsePOPAuth>\n        <SMTPLast>off</SMTPLast>\n' : ''}      </Protocol>
`,
  )
  return envelope(`  <Response xmlns="${outlookSchema}">
    <Account>
      <AccountType>email</AccountType>
      <Action>settings</Action>
${sections.join('')}    </Account>
  </Response>
`)
}

export function autodiscoverErrorDocument(error: AutodiscoverError, now: number): string {
  return envelope(`  <Response>
    <Error Time="${new Date(now).toISOString().slice(11, 23)}" Id="0">
      <ErrorCode>${error}</ErrorCode>
      <Message>${errors[error]}</Message>
      <DebugData/>
    </Error>
  </Response>
`)
}

function envelope(content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">
${content}</Autodiscover>
`
}
