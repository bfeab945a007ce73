/**
 * What may happen to a letter on its way out, as a table: the world's DNS and MX hosts are scripted, the server is real.
 * Each story has a domain of its own below `test`, and ends delivered or bounced; `trace` tells how.
 */
import { createZoneServer, type ZoneRow, zone } from '@pennypost/dns'
import { type FlowEvent, journeyId, systemClock, systemDeadline } from '@pennypost/model'
import { ScriptedServer, type ScriptedServerOptions } from '@pennypost/smtp/scripted-server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, type Instance, startInstance } from './instance.ts'
import { inbox, submit } from './letters.ts'

const everything = ['PIPELINING', 'SIZE 1000000', '8BITMIME', 'SMTPUTF8', 'DSN', 'CHUNKING']

interface Story {
  /** `@` is the story's domain. A host name of `hosts` is an A record by itself. */
  zone: readonly ZoneRow[]
  /** MX hosts by name; `away` has an address and nobody behind it. */
  hosts?: Readonly<Record<string, ScriptedServerOptions | 'away'>>
  /** Local parts of the recipients; `bob` unless said. */
  to?: readonly string[]
  /** Lines beyond the usual header and the text. */
  text?: string
  /** What `[[relay.tls]]` demands. */
  level?: 'encrypt' | 'verify'
  before?(domain: string): void
  /** What each recipient ends in, in words that its last event has. */
  ends: Readonly<Record<string, RegExp>>
  /** What the journey tells on the way. */
  tells?: readonly RegExp[]
}

const mx: ZoneRow = ['@', 'MX', '10 mx']
const two: readonly ZoneRow[] = [mx, ['@', 'MX', '20 next']]
const delivered = { bob: /^delivered .* mx\./ }
const viaNext = { bob: /^delivered .* next\./ }
const once = (...answers: string[]) => {
  let nth = 0
  return () => answers[Math.min(nth++, answers.length - 1)]
}

const stories: Readonly<Record<string, Story>> = {
  'one MX': { zone: [mx], hosts: { mx: {} }, ends: delivered },
  'no MX, an address': { zone: [], hosts: { '@': {} }, ends: { bob: /^delivered / } },
  'an MX that is an alias': {
    zone: [
      ['@', 'MX', '10 alias'],
      ['alias', 'CNAME', 'mx'],
    ],
    hosts: { mx: {} },
    ends: { bob: /^delivered .* alias\./ },
  },
  'a domain that is an alias': {
    zone: [['www', 'CNAME', '@'], mx],
    hosts: { mx: {} },
    ends: { bob: /^delivered .* mx\./ },
  },
  'a null MX': { zone: [['@', 'MX', '0 .']], ends: { bob: /^failed 556 5\.1\.10 / } },
  'no such domain': { zone: [], before: (domain) => world.zones.remove(domain), ends: { bob: /^failed 550 5\.1\.2 / } },
  'neither MX nor address': { zone: [['x', 'A', '127.0.0.9']], ends: { bob: /^failed 550 5\.4\.4 / } },
  'an MX without address': { zone: [mx], ends: { bob: /^failed 550 5\.4\.4 / } },
  'ourselves as the best MX': { zone: [['@', 'MX', '5 mail.one.test.']], ends: { bob: /^failed 554 5\.4\.6 / } },
  'SERVFAIL, then an answer': {
    zone: [mx],
    hosts: { mx: {} },
    before: (domain) => world.zones.fault(domain, { kind: 'servfail' }, { times: 1 }),
    ends: delivered,
    tells: [/^deferred 451 4\.4\.3 .*SERVFAIL/],
  },
  'a name server that says REFUSED': {
    zone: [mx],
    hosts: { mx: {} },
    before: (domain) => world.zones.fault(domain, { kind: 'refused' }, { times: 1 }),
    ends: delivered,
    tells: [/^deferred 451 4\.4\.3 .*REFUSED/],
  },
  'an answer that comes only by TCP': {
    zone: [mx],
    hosts: { mx: {} },
    before: (domain) => world.zones.fault(domain, { kind: 'truncate' }),
    ends: delivered,
  },
  'addresses that cannot be found out': {
    zone: [mx],
    hosts: { mx: {} },
    before: (domain) => world.zones.fault(`mx.${domain}`, { kind: 'servfail' }, { times: 2 }),
    ends: delivered,
    tells: [/^deferred 451 4\.4\.3 mx\./],
  },
  'a first MX that is away': { zone: two, hosts: { mx: 'away', next: {} }, ends: viaNext, tells: [/ECONNREFUSED/] },
  'an IPv6 address that nobody hears': {
    zone: [mx, ['mx', 'AAAA', '2001:db8::25']],
    hosts: { mx: {} },
    ends: delivered,
  },
  'nobody home until it expires': {
    zone: [mx],
    hosts: { mx: 'away' },
    ends: { bob: /^failed 451 4\.4\.1 .*\(given up\)/ },
    tells: [/^deferred 451 4\.4\.1 /],
  },
  'a loop: the next hop has our name': {
    zone: [mx],
    hosts: { mx: { script: { GREETING: '220 mail.one.test ESMTP' } } },
    ends: { bob: /^failed 554 5\.4\.6 / },
  },
  'a greeting of several lines, replies of several lines': {
    zone: [mx],
    hosts: {
      mx: {
        script: {
          GREETING: '220-mx.example\r\n220-no spam\r\n220 please',
          MAIL: '250-2.1.0 one\r\n250 2.1.0 two',
          CONTENT: '250-2.0.0 a\r\n250-2.0.0 b\r\n250 2.0.0 c',
        },
      },
    },
    ends: delivered,
  },
  'a greeting without words': { zone: [mx], hosts: { mx: { script: { GREETING: '220' } } }, ends: delivered },
  'a peer that knows only HELO': {
    zone: [mx],
    hosts: { mx: { script: { EHLO: '502 5.5.1 what?' } } },
    ends: delivered,
    tells: [/C: HELO /],
  },
  'a greeting that is none': {
    zone: two,
    hosts: { mx: { script: { GREETING: 'HTTP/1.1 400 Bad Request' } }, next: {} },
    ends: viaNext,
  },
  'a greeting of 521': {
    zone: [mx],
    hosts: { mx: { script: { GREETING: '521 5.3.2 no mail here' } } },
    ends: { bob: /^failed 521 5\.3\.2 / },
  },
  'a greeting of 554 today, 220 tomorrow': {
    zone: [mx],
    hosts: { mx: { script: { GREETING: once('554 5.7.1 not you', '220 welcome') } } },
    ends: delivered,
    tells: [/^deferred 554 5\.7\.1 not you/],
  },
  'STARTTLS that fails in the handshake': {
    zone: [mx],
    hosts: { mx: { capabilities: [...everything, 'STARTTLS'], script: { STARTTLS: { reply: '220 go', drop: true } } } },
    ends: delivered,
    tells: [/TLS failed: .*; in clear/],
  },
  'STARTTLS with any certificate': {
    zone: [mx],
    hosts: { mx: { capabilities: [...everything, 'STARTTLS'] } },
    ends: delivered,
    tells: [/TLSv1\.3/],
  },
  'no STARTTLS, where the configuration demands it': {
    zone: [mx],
    level: 'encrypt',
    hosts: { mx: {} },
    ends: { bob: /^failed .*\[\[relay\.tls\]\] encrypt wants TLS: STARTTLS is not offered/ },
  },
  'STARTTLS with any certificate, where the configuration demands one that stands': {
    zone: [mx],
    level: 'verify',
    hosts: { mx: { capabilities: [...everything, 'STARTTLS'] } },
    ends: { bob: /^failed .*\[\[relay\.tls\]\] verify wants TLS: / },
  },
  'STARTTLS that is refused': {
    zone: [mx],
    hosts: { mx: { capabilities: [...everything, 'STARTTLS'], script: { STARTTLS: '454 4.7.0 not now' } } },
    ends: delivered,
    tells: [/STARTTLS refused: 454 4\.7\.0 not now/],
  },
  'some recipients are taken, one is not known, one has to wait': {
    zone: [mx],
    hosts: {
      mx: {
        script: {
          RCPT: (argument, nth) =>
            argument.includes('nobody')
              ? '550 5.1.1 who?'
              : argument.includes('late') && nth < 4
                ? '451 4.2.1 busy'
                : undefined,
        },
      },
    },
    to: ['bob', 'nobody', 'late'],
    ends: { bob: /^delivered /, nobody: /^failed 550 5\.1\.1 who\?/, late: /^delivered / },
    tells: [/^deferred 451 4\.2\.1 busy/],
  },
  'too many recipients for one transaction': {
    zone: [mx],
    hosts: { mx: { script: { RCPT: (_, nth) => (nth % 3 === 2 ? '452 4.5.3 too many' : undefined) } } },
    to: ['a', 'b', 'c', 'd', 'e'],
    ends: { a: /^delivered /, b: /^delivered /, c: /^delivered /, d: /^delivered /, e: /^delivered / },
  },
  'a peer that takes less than the letter': {
    zone: [mx],
    hosts: { mx: { capabilities: ['SIZE 500'] } },
    text: 'x'.repeat(70).concat('\r\n').repeat(20),
    ends: { bob: /^failed 550 5\.3\.4 / },
  },
  'a peer that is slow': {
    zone: [mx],
    hosts: {
      mx: { script: { GREETING: { reply: '220 yes', delayMs: 700 }, RCPT: { reply: '250 2.1.5 ok', delayMs: 700 } } },
    },
    ends: delivered,
  },
  'the connection breaks after the content: it may arrive twice, never not at all': {
    zone: [mx],
    hosts: { mx: { script: { CONTENT: once2({ drop: true }) } } },
    ends: delivered,
    tells: [/^deferred 451 4\.4\.2 /],
  },
}

/** The first answer once, then the default. */
function once2(answer: { drop: true }): () => { drop: true } | undefined {
  let nth = 0
  return () => (nth++ === 0 ? answer : undefined)
}

for (const verb of ['MAIL', 'RCPT', 'DATA', 'CONTENT'] as const) {
  Object.assign(stories, {
    [`4yz at ${verb}`]: {
      zone: [mx],
      hosts: {
        mx: {
          capabilities: ['SIZE'],
          script: { [verb]: once('451 4.3.0 later', verb === 'DATA' ? '354 go' : '250 ok') },
        },
      },
      ends: delivered,
      tells: [/^deferred 451 4\.3\.0 later/],
    },
    [`5yz at ${verb}`]: {
      zone: two,
      hosts: { mx: { capabilities: ['SIZE'], script: { [verb]: '554 5.7.1 no' } }, next: {} },
      ends: { bob: /^failed 554 5\.7\.1 no/ },
    },
    [`421 at ${verb}`]: {
      zone: two,
      hosts: {
        mx: {
          ...(verb === 'DATA' ? { capabilities: ['SIZE'] } : {}),
          script: { [verb]: verb === 'CONTENT' ? once('421 4.3.2 going down', '250 ok') : '421 4.3.2 going down' },
        },
        next: {},
      },
      ends: verb === 'CONTENT' ? { bob: /^delivered / } : viaNext,
    },
  } satisfies Record<string, Story>)
}
for (const verb of ['GREETING', 'EHLO', 'MAIL', 'RCPT', 'DATA'] as const) {
  Object.assign(stories, {
    [`the connection breaks at ${verb}`]: {
      zone: two,
      hosts: { mx: { capabilities: ['SIZE'], script: { [verb]: { drop: true } } }, next: {} },
      ends: viaNext,
    },
  } satisfies Record<string, Story>)
}

class World implements AsyncDisposable {
  readonly servers: ScriptedServer[] = []
  port = 0
  zones!: Awaited<ReturnType<typeof createZoneServer>>['zones']
  one!: Instance
  #zones!: Awaited<ReturnType<typeof createZoneServer>>

  async open(): Promise<void> {
    this.#zones = await createZoneServer({
      zones: [zone('one.test', [['mail', 'A', '127.0.0.1']])],
      address: '127.0.0.1',
      port: 0,
      deadline: systemDeadline,
    })
    this.zones = this.#zones.zones
    const first = new ScriptedServer()
    this.port = await first.listen({ address: '127.0.0.250' })
    this.servers.push(first)
    let host = 1
    for (const [at, story] of Object.values(stories).entries()) {
      const rows: ZoneRow[] = [...story.zone]
      for (const [name, options] of Object.entries(story.hosts ?? {})) {
        const address = `127.1.0.${++host}`
        rows.push([name, 'A', address])
        if (options === 'away') continue
        const server = new ScriptedServer({ capabilities: everything, clock: systemClock, ...options })
        await server.listen({ address, port: this.port })
        this.servers.push(server)
      }
      this.zones.put(zone(domainOf(at), rows))
    }
    const demands = Object.values(stories).flatMap(({ level }, at) =>
      level === undefined ? [] : [`[[relay.tls]]\ndomain = "${domainOf(at)}"\nlevel = "${level}"\n`],
    )
    this.one = await startInstance({
      domain: 'one.test',
      accounts: ['alice'],
      toml: `[dns]\nservers = ["127.0.0.1:${this.#zones.port}"]\n[relay]\nport = ${this.port}\nmta_sts = false\nretry = ["400ms"]\ndelay_warning = "1h"\nexpire = "9s"\n${demands.join('')}`,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.one[Symbol.asyncDispose]()
    for (const server of this.servers) await server[Symbol.asyncDispose]()
    await this.#zones[Symbol.asyncDispose]()
  }
}

const world = new World()
const domainOf = (at: number): string => `s${at}.test`

beforeAll(() => world.open(), 60_000)
afterAll(() => world[Symbol.asyncDispose]())

/** Subjects of letters that failed for somebody. */
const returned: string[] = []

const isEnd = ({ kind }: FlowEvent): boolean => kind === 'delivered' || kind === 'failed'
const lineOf = (event: FlowEvent): string => {
  if (event.kind === 'delivered') return `delivered ${event.reply} by ${event.host}`
  if (event.kind === 'failed' || event.kind === 'deferred') return `${event.kind} ${event.reply}`
  if (event.kind !== 'attempt') return event.kind
  return [event.tls, event.tlsReason, event.error, ...(event.transcript ?? [])].join('\n')
}

describe.concurrent('a letter meets', () => {
  it.each(Object.entries(stories).map(([name, story], at) => ({ name, story, domain: domainOf(at) })))(
    '$name',
    async ({ story, domain }) => {
      story.before?.(domain)
      const recipients = (story.to ?? ['bob']).map((localPart) => `${localPart}@${domain}`)
      const id = await submit(world.one, 'alice@one.test', recipients, `to ${domain}`, story.text)
      const events = await eventually(async () => {
        const all = (await world.one.server.store.flow.journey(journeyId(id)))?.events ?? []
        return all.filter(isEnd).length === recipients.length ? all : undefined
      }, `the end of ${domain}`)
      for (const [localPart, words] of Object.entries(story.ends)) {
        const own = events.filter((event) => 'forwardPath' in event && event.forwardPath === `${localPart}@${domain}`)
        expect(lineOf(own.at(-1) as FlowEvent)).toMatch(words)
      }
      for (const words of story.tells ?? []) expect(events.map(lineOf)).toContainEqual(expect.stringMatching(words))
      if (events.some(({ kind }) => kind === 'failed')) returned.push(`to ${domain}`)
    },
    40_000,
  )
})

it('what could not be delivered came back, each with its reason', async () => {
  const bounces = await eventually(async () => {
    const found = await inbox(world.one, 'alice@one.test')
    return found.length >= returned.length ? found : undefined
  }, 'all bounces')
  expect(bounces).toHaveLength(returned.length)
  for (const subject of returned) {
    const bounce = bounces.find((text) => text.includes(`Subject: ${subject}\r\n`))
    expect(bounce, subject).toMatch(/^Action: failed\r$/m)
    expect(bounce, subject).toMatch(/^Status: [45]\.\d+\.\d+\r$/m)
  }
})
