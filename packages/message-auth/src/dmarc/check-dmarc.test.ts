import fc from 'fast-check'
import { evaluateDmarc } from 'mailauth/lib/dmarc/index.js'
import { expect, test } from 'vitest'
import { type Script, scriptedResolver } from '../../test/scripted-resolver.ts'
import type { DkimFinding, SpfFinding } from '../findings/finding.ts'
import { checkDmarc, dmarcResult } from './check-dmarc.ts'

const never = new AbortController().signal

const spf = (domain: string, result: SpfFinding['result'] = 'pass'): SpfFinding => ({
  check: 'spf',
  identity: 'mailfrom',
  detail: '',
  domain,
  result,
})

const dkim = (...domains: string[]): DkimFinding => ({
  check: 'dkim',
  result: domains.length > 0 ? 'pass' : 'none',
  detail: '',
  signatures: domains.map((domain) => {
    const [name = '', result = 'pass'] = domain.split(' ')
    return { domain: name, result: result as 'pass', selector: 's', algorithm: 'rsa-sha256', start: 'x', detail: '' }
  }),
})

const check = (script: Script, author: string | string[], by: SpfFinding = spf('', 'none'), signed = dkim()) =>
  checkDmarc(scriptedResolver(script), { authorDomains: [author].flat(), spf: by, dkim: signed }, never)

const record = (text: string) => [`v=DMARC1; ${text}`]

test('one aligned identifier that passed is enough, and none fails', async () => {
  const script = { '_dmarc.one.test TXT': record('p=reject') }
  expect(await check(script, 'one.test', spf('one.test'))).toMatchObject({ result: 'pass', policy: 'reject' })
  expect(await check(script, 'one.test', undefined, dkim('mail.one.test'))).toMatchObject({ result: 'pass' })
  expect(await check(script, 'one.test', spf('two.test'), dkim('two.test'))).toMatchObject({
    result: 'fail',
    alignment: { spf: 'no', dkim: ['no'] },
  })
  expect(await check(script, 'one.test', spf('one.test', 'softfail'))).toMatchObject({ result: 'fail' })
})

test('strict alignment wants the same name', async () => {
  const script = { '_dmarc.one.test TXT': record('p=reject; adkim=s; aspf=s') }
  expect(await check(script, 'one.test', spf('mail.one.test'), dkim('mail.one.test'))).toMatchObject({ result: 'fail' })
  expect(await check(script, 'one.test', undefined, dkim('mail.one.test', 'one.test'))).toMatchObject({
    result: 'pass',
  })
})

test('a subdomain has the policy of its organization: sp if it exists, np if not', async () => {
  const script = { '_dmarc.one.test TXT': record('p=none; sp=quarantine; np=reject'), 'a.one.test A': ['192.0.2.1'] }
  expect(await check(script, 'a.one.test')).toMatchObject({ policy: 'quarantine', policyDomain: 'one.test' })
  expect(await check(script, 'b.one.test')).toMatchObject({ policy: 'reject' })
  const broken: Script = { ...script, 'b.one.test A': 'failed' }
  expect(await check(broken, 'b.one.test')).toMatchObject({ result: 'temperror' })
  expect(await check(broken, 'b.one.test', spf('b.one.test'))).toMatchObject({ result: 'pass', policy: 'quarantine' })
})

test('a test policy is one level weaker', async () => {
  const policy = async (p: string) => (await check({ '_dmarc.one.test TXT': record(`p=${p}; t=y`) }, 'one.test')).policy
  expect(await Promise.all(['reject', 'quarantine', 'none'].map(policy))).toEqual(['quarantine', 'none', 'none'])
})

test('below a public suffix each name is an organization of its own', async () => {
  const script = { '_dmarc.bank TXT': record('p=reject; psd=y'), '_dmarc.a.bank TXT': record('p=none') }
  expect(await check(script, 'b.bank', spf('a.bank'))).toMatchObject({ result: 'fail', policyDomain: 'bank' })
  expect(await check(script, 'b.bank', spf('x.b.bank'))).toMatchObject({ result: 'pass' })
  expect(await check(script, 'a.bank', spf('b.bank'))).toMatchObject({ result: 'fail', policyDomain: 'a.bank' })
})

test('psd=n makes a subdomain an organization of its own', async () => {
  const script = { '_dmarc.one.test TXT': record('p=none'), '_dmarc.own.one.test TXT': record('p=reject; psd=n') }
  expect(await check(script, 'own.one.test', spf('one.test'))).toMatchObject({ result: 'fail' })
  expect(await check(script, 'one.test', spf('own.one.test'))).toMatchObject({ result: 'fail' })
  expect(await check(script, 'a.own.one.test', spf('own.one.test'))).toMatchObject({ result: 'pass' })
})

test('a long name is walked in eight steps', async () => {
  const resolver = scriptedResolver({})
  const facts = { authorDomains: ['a.b.c.d.e.f.g.h.i.j.one.test'], spf: spf(''), dkim: dkim() }
  expect(await checkDmarc(resolver, facts, never)).toMatchObject({ result: 'none' })
  expect(resolver.asked).toHaveLength(8)
  expect(resolver.asked[1]).toBe('_dmarc.f.g.h.i.j.one.test TXT')
})

test('no author domain or several is nobody to ask', async () => {
  expect(await check({}, [])).toMatchObject({ result: 'permerror', authorDomain: '' })
  expect(await check({}, ['one.test', 'two.test'])).toMatchObject({ result: 'permerror', authorDomain: '' })
})

test('what DNS leaves open is temporary unless something passed', async () => {
  expect(await check({ '_dmarc.one.test TXT': 'failed' }, 'one.test')).toMatchObject({ result: 'temperror' })
  const script: Script = { '_dmarc.one.test TXT': record('p=reject'), '_dmarc.test TXT': 'failed' }
  expect(await check(script, 'one.test', spf('one.test'))).toMatchObject({ result: 'pass', policy: 'reject' })
  expect(await check(script, 'one.test', spf('a.one.test'))).toMatchObject({ result: 'temperror' })
  expect(await check(script, 'one.test', spf('two.example'))).toMatchObject({ result: 'fail' })
})

test('an identifier that could not be checked leaves the result open only if it would count', async () => {
  const script = { '_dmarc.one.test TXT': record('p=reject') }
  expect(await check(script, 'one.test', spf('one.test', 'temperror'))).toMatchObject({ result: 'temperror' })
  expect(await check(script, 'one.test', spf('two.test', 'temperror'))).toMatchObject({ result: 'fail' })
  expect(await check(script, 'one.test', undefined, dkim('one.test temperror'))).toMatchObject({ result: 'temperror' })
  const unavailable: DkimFinding = { ...dkim(), result: 'unavailable' }
  expect(await check(script, 'one.test', undefined, unavailable)).toMatchObject({ result: 'temperror' })
})

test('a hundred signing domains do not cost a hundred walks', async () => {
  const resolver = scriptedResolver({ '_dmarc.one.test TXT': record('p=reject') })
  const signed = dkim(...Array.from({ length: 100 }, (_, i) => `d${i}.one.test fail`))
  await checkDmarc(resolver, { authorDomains: ['one.test'], spf: spf(''), dkim: signed }, never)
  expect(resolver.asked.length).toBeLessThan(40)
})

test('names that a forger chose were walked one after the other, for longer than there is, and DMARC stayed open', async () => {
  const resolver = scriptedResolver({ '_dmarc.one.test TXT': record('p=reject') })
  let [open, most] = [0, 0]
  const query: typeof resolver.query = async (...asked) => {
    most = Math.max(most, ++open)
    await new Promise((resolve) => setImmediate(resolve))
    open--
    return resolver.query(...asked)
  }
  const domains = Array.from({ length: 10 }, (_, i) => `${i}.a.b.c.d.e.f.g.one.test fail`)
  const facts = { authorDomains: ['one.test'], spf: spf('', 'none'), dkim: dkim(...domains) }
  expect(await checkDmarc({ ...resolver, query }, facts, never)).toMatchObject({ result: 'fail' })
  expect(most).toBe(10)
})

test('a finding can be judged again with another result', async () => {
  const signed = dkim('one.test fail')
  const found = await check({ '_dmarc.one.test TXT': record('p=reject') }, 'one.test', undefined, signed)
  expect(found.result).toBe('fail')
  expect(dmarcResult(found.alignment, spf('', 'none'), dkim('one.test')).result).toBe('pass')
})

test('over random zones mailauth says the same', async () => {
  const names = ['test', 'one.test', 'a.one.test', 'b.a.one.test', 'c.one.test', 'two.test']
  const name = fc.constantFrom(...names)
  const policy = fc.constantFrom('none', 'quarantine', 'reject')
  const tags = fc.record({
    p: fc.option(policy),
    sp: fc.option(fc.oneof(policy, fc.constant('junk'))),
    np: fc.option(policy),
    psd: fc.option(fc.constantFrom('y', 'n', 'u')),
    t: fc.option(fc.constantFrom('y', 'n')),
    adkim: fc.option(fc.constantFrom('r', 's')),
    aspf: fc.option(fc.constantFrom('r', 's')),
    rua: fc.option(fc.constantFrom('mailto:x@one.test', 'x')),
  })
  const text = tags.map((tags) =>
    ['v=DMARC1', ...Object.entries(tags).flatMap(([tag, value]) => (value === null ? [] : [`${tag}=${value}`]))].join(
      '; ',
    ),
  )
  const entry = fc.oneof(
    { weight: 6, arbitrary: text.map((text) => [text]) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Script[string]>('failed', ['v=DMARC1; p=none', 'v=DMARC1; p=reject'], ['other']),
    },
  )
  const zone = fc.array(fc.tuple(name, entry), { maxLength: 4 })
  const facts = fc.tuple(zone, fc.subarray(names), name, fc.option(name), fc.array(name, { maxLength: 2 }))
  await fc.assert(
    fc.asyncProperty(facts, async ([zone, existing, author, sender, signers]) => {
      const script: Script = Object.fromEntries(zone.map(([name, entry]) => [`_dmarc.${name} TXT`, entry]))
      for (const name of existing) script[`${name} A`] = ['192.0.2.1']
      const resolver = scriptedResolver(script)
      const ours = await check(script, author, sender === null ? undefined : spf(sender), dkim(...signers))
      const { response } = await evaluateDmarc({
        strict: true,
        headerFrom: [`x@${author}`],
        spfDomains: sender === null ? [] : [{ domain: sender }],
        dkimDomains: signers.map((domain, i) => ({ id: String(i), domain, aligned: false })),
        arcResult: false,
        resolver: async (name: string, type: string) => {
          const answer = await resolver.query(name, type as 'TXT')
          if (answer.status === 'found') return answer.records.map((text) => [text])
          throw Object.assign(new Error(answer.status), {
            code: { nxdomain: 'ENOTFOUND', nodata: 'ENODATA', failed: 'ESERVFAIL' }[answer.status],
          })
        },
      } as never)
      const theirs = response as Exclude<typeof response, false>
      expect({ script, author, sender, signers, result: ours.result }).toEqual({
        script,
        author,
        sender,
        signers,
        result: theirs.status.result,
      })
      if (ours.result === 'pass' || ours.result === 'fail') expect(ours.policy).toBe(theirs.policy)
    }),
    { numRuns: 1000, seed: 9989 },
  )
})
