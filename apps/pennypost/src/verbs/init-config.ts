import { ownInterfaces } from '../serve/installation.ts'

/** The text of a new `pennypost.toml`: what is needed, and what is often wanted, each with why. */
export function configText({ hostname, administrator }: { hostname: string; administrator: string }): string {
  const listener = (service: string, port: number, address = anyAddress()): string =>
    `[[listener]]\nservice = "${service}"\naddress = "${address}"\nport = ${port}\n`
  return `# Pennypost. Domains, accounts and aliases are not here: \`pennypost domain\`, \`account\` and \`alias\` change them.

# The name of this server: its address and the PTR of that address must fit it.
hostname = "${hostname}"

# Mail, accounts, keys. Counts from this file's directory.
data_dir = "data"

[admin]
# Gets what is sent to postmaster@ and abuse@.
address = "${administrator}"

# Without [tls] the server makes a certificate of its own, which mail programs warn about.
# [tls.acme]               # from Let's Encrypt, renewed by the server itself; it answers on port 80 while it orders
# accept_terms = true
# [tls]
# cert = "/etc/letsencrypt/live/${hostname}/fullchain.pem"
# key = "/etc/letsencrypt/live/${hostname}/privkey.pem"

# Mail from other servers.
${listener('smtp', 25)}
# Mail from your own people: with STARTTLS, and with TLS from the start.
${listener('submission', 587)}
${listener('submissions', 465)}
# Mail programs read here.
${listener('imap', 143)}
${listener('imaps', 993)}
${listener('pop3', 110)}
${listener('pop3s', 995)}
# Mail programs set themselves up from here, and other servers fetch the MTA-STS policy. Both want a certificate that is
# not self-signed, as [tls.acme] gets it. Where a web server has port 443, let it pass their questions on to http below.
${commentedOut(listener('https', 443))}
# /healthz and /metrics, for this machine only.
${listener('http', 2080, '127.0.0.1')}
[relay]
# Behind NAT: the addresses by which the world knows this server.
# own_addresses = ["192.0.2.1"]
# Where the provider blocks port 25: hand all outgoing mail to this server.
# smarthost = "smtp.example.net:587"

[policy]
# Mail of strangers is checked: \`pennypost trace ID\` shows what was found, \`pennypost explain ID\` what decided.
# DMARC: "enforce" does what the author's domain asks for, "quarantine" puts in Junk what it wants rejected.
dmarc = "enforce"
# Lists of addresses that send junk. Read their terms: most answer small servers that ask by a resolver of their own.
# dnsbl = ["zen.spamhaus.org"]
# dnswl = ["list.dnswl.org"]
# Strangers wait so long for the banner; who speaks before it is refused. Nobody on this machine waits.
pregreet = "2s"
# Tell unknown senders to come again after five minutes: keeps out much junk, and delays each first letter.
greylist = false
# Messages in an hour from one sender and for one recipient; 0 is any number.
sender_rate = 0
recipient_rate = 0

[submission]
# What one account may send; 0 is any number. A limit keeps a stolen password from becoming a million letters.
# recipients_per_hour = 500
# recipients_per_day = 2000
# Devices that cannot log in send from their address as an account.
# trusted = [{ address = "192.168.1.20", account = "scanner${administrator.slice(administrator.lastIndexOf('@'))}" }]

[limits]
message_size = "50MB"
`
}

/** `::` takes IPv4 too, but not where IPv6 is switched off. */
function anyAddress(): string {
  const hasIpv6 = ownInterfaces().some(({ family }) => family === 'IPv6')
  return hasIpv6 ? '::' : '0.0.0.0'
}

const commentedOut = (text: string): string => text.replace(/^(?=.)/gm, '# ')
