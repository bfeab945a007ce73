import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TestServer } from './dialogue/server.ts'

/** Words of the capability line that searching, sorting and threading bring, and what goes with each. */
describe('capabilities', () => {
  let server: TestServer

  beforeEach(async () => {
    server = await TestServer.start()
  })

  afterEach(() => server.stop())

  async function words(disable: string[]): Promise<string[]> {
    server.options.disable = disable
    const greeting = await server.connect().response()
    return (/CAPABILITY ([^\]]*)/.exec(greeting ?? '')?.[1] ?? '').split(' ').filter((word) => all.includes(word))
  }

  const all = [
    'SORT',
    'SORT=DISPLAY',
    'ESORT',
    'PARTIAL',
    'I18NLEVEL=1',
    'SEARCH=FUZZY',
    'MULTISEARCH',
    'INPROGRESS',
    'THREAD=ORDEREDSUBJECT',
    'THREAD=REFERENCES',
    'ACL',
    'RIGHTS=texk',
    'LIST-MYRIGHTS',
    'METADATA',
    'METADATA-SERVER',
    'LIST-METADATA',
  ]

  test('all are announced', async () => {
    expect(await words([])).toEqual(all)
  })

  test.each(all)('%s goes, and what stands on it', async (word) => {
    const gone: Record<string, string[]> = {
      SORT: ['SORT', 'SORT=DISPLAY', 'ESORT'],
      ACL: ['ACL', 'RIGHTS=texk', 'LIST-MYRIGHTS'],
      METADATA: ['METADATA', 'METADATA-SERVER', 'LIST-METADATA'],
    }
    const left = all.filter((name) => !(gone[word] ?? [word]).includes(name))
    expect(await words([word.toLowerCase()])).toEqual(left)
  })

  test('what stands on something that stands on a disabled one goes too', async () => {
    server.options.disable = ['ESEARCH']
    const greeting = (await server.connect().response()) ?? ''
    for (const word of ['ESORT', 'PARTIAL', 'MULTISEARCH', 'CONTEXT=SEARCH', 'CONTEXT=SORT']) {
      expect(greeting).not.toContain(` ${word} `)
    }
    expect(greeting).toContain(' SORT ')
  })
})
