/** SMTP smuggling (CVE-2023-51764 and its kin): what other servers take for the end of data is content here. */
import { UidSet } from '@pennypost/model'
import { describe, expect, it } from 'vitest'
import { defaultReceptionLimits } from '../src/index.ts'
import { testReception } from './test-reception.ts'

const breaks = [
  '\r\n',
  '\n',
  '\r',
  '\r\r\n',
  '\n\r',
  '\r\n\0',
  '\0\r\n',
  '\x0b',
  '\x0c',
  '\x85',
  '\r\n ',
  '\n\n',
  '\r\r',
]
const dots = ['.', '..', '.\0', '\0.', ' .', '. ', '\u00b7']
const variants = breaks
  .flatMap((before) => breaks.flatMap((after) => dots.map((dot) => `${before}${dot}${after}`)))
  .filter((variant) => !variant.includes('\r\n.\r\n'))

/** Whatever line ends the variant is made of, these octets end with a true end of data only at the last line. */
const smuggled = 'MAIL FROM:<evil@two.test>\r\nRCPT TO:<bob@one.test>\r\nDATA\r\nSubject: evil\r\n\r\nevil'

const limits = {
  ...defaultReceptionLimits,
  transactionsPerConnection: 1e6,
  errors: 1e6,
  tarpitMs: 0,
  idleCommands: 1e6,
}

describe('end of data', () => {
  it.each(['whole', 'cut'])('no variant ends data but the true one, sent %s', async (how) => {
    const host = await testReception({
      limits,
    })
    const client = host.connect()
    await client.until(/^220 /m)
    let nul = 0
    // In small pieces a part of them will do: the filter's own tests cut every one.
    const tried = variants.filter((_, index) => how === 'whole' || index % 7 === 0)
    for (const [index, variant] of tried.entries()) {
      client.text = ''
      await client.beginData()
      const content = Buffer.from(`Subject: ${index}\r\n\r\nx${variant}${smuggled}\r\n.\r\nNOOP\r\n`, 'latin1')
      if (how === 'whole') client.say(content)
      else
        for (let at = 0; at < content.length; at += 1 + (index % 3))
          client.say(content.subarray(at, at + 1 + (index % 3)))
      const replies = await client.until(/^(?:250 2\.0\.0 Ok: queued|550 5\.6\.0)[\s\S]*^250 2\.0\.0 Ok\r\n/m)
      expect(replies.slice(4), JSON.stringify(variant)).toHaveLength(2)
      if (variant.includes('\0')) nul++
    }
    expect(await host.messages()).toBe(tried.length - nul)
    expect(host.errors).toEqual([])
  })

  it('a stored message has no end of data in any form that another server could take for one', async () => {
    const host = await testReception()
    const client = host.connect()
    await client.beginData()
    client.say(`Subject: x\r\n\r\n${variants.filter((variant) => !variant.includes('\0')).join('x')}\r\n.\r\n`)
    await client.until(/^250 2\.0\.0 Ok: queued/m)
    const [account] = await host.store.directory.accounts()
    const [inbox] = await host.store.mail.mailboxes(account!.id)
    const { uids } = await host.store.mail.snapshot(inbox!.id)
    expect(uids).toHaveLength(1)
    for await (const page of host.store.mail.fetch(inbox!.id, UidSet.ofSorted([...uids] as never), {})) {
      for (const { message } of page) {
        let body = ''
        for await (const chunk of host.store.mail.readBody(message)) body += chunk.toString('latin1')
        expect(body.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
      }
    }
  })
})
