/** Relative links in Markdown lead somewhere. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { files, mustHold, place, read, root } from './tree.ts'

/** Code is no link: its octets become blanks, so that offsets stay. */
function withoutCode(text: string): string {
  return text.replace(/^(```|~~~)[\s\S]*?^\1|(`+)[^`\n](?:.*?[^`\n])?\2(?!`)/gm, (code) => code.replace(/[^\n]/g, ' '))
}

interface Link {
  target: string
  start: number
}

/** The relative targets of `[text](target)`, of images, and of `[label]: target`. */
function linksIn(text: string): Link[] {
  const pattern = /\]\(\s*<?([^)<>\s]+)>?(?:\s+"[^"]*")?\s*\)|^\[[^\]]+\]:\s+<?(\S+?)>?(?:\s|$)/gm
  return [...withoutCode(text).matchAll(pattern)]
    .map((match) => ({ target: match[1] ?? match[2] ?? '', start: match.index }))
    .filter(({ target }) => !/^[a-z][a-z\d+.-]*:/i.test(target))
}

/** The anchors that headings have, as code hosts make them. */
function anchorsIn(text: string): string[] {
  return [...text.matchAll(/^#+ +(.+?) *#*$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  )
}

test('links are told from code and addresses', () => {
  const text =
    'See [a](b.md#c "t"), ![i](<i.png>), [w](https://one.test/), `[x](y)`.\n\n```\n[x](y)\n```\n\n[r]: ../r.md\n'
  expect(linksIn(text).map(({ target }) => target)).toEqual(['b.md#c', 'i.png', '../r.md'])
  expect(anchorsIn('# What it is for\n## `npm test`, etc.\n')).toEqual(['what-it-is-for', 'npm-test-etc'])
})

test('relative links lead somewhere', () => {
  mustHold(
    'a relative link in a Markdown file names a file, and a heading in it, that exist',
    files
      .filter((path) => path.endsWith('.md'))
      .flatMap((path) =>
        linksIn(read(path))
          .filter(({ target }) => !leadsSomewhere(path, target))
          .map(({ target, start }) => `${place(path, start)} ${target}`),
      ),
  )
})

function leadsSomewhere(path: string, target: string): boolean {
  const [file = '', anchor] = decodeURI(target).split('#')
  const to = file === '' ? path : join(dirname(path), file)
  if (!existsSync(join(root, to))) return false
  return anchor === undefined || !to.endsWith('.md') || anchorsIn(withoutFences(read(to))).includes(anchor)
}

function withoutFences(text: string): string {
  return text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '')
}
