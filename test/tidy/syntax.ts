/**
 * The syntax of a source file, by the parser that vitest itself brings (rolldown's, which knows TypeScript): rules about
 * calls, imports and functions look at the tree, never at text that may stand in a string or a comment.
 *
 * Who calls it: the tests of this folder.
 */
import { parseAst } from 'vitest/node'
import { lineOf, read } from './tree.ts'

/** A node of the ESTree with TypeScript's additions. */
export interface Syntax {
  type: string
  /** Offsets in the file's text. */
  start: number
  end: number
  [property: string]: unknown
}

const trees = new Map<string, Syntax>()

export function parse(path: string): Syntax {
  let tree = trees.get(path)
  if (tree === undefined) {
    tree = parseText(read(path), path)
    trees.set(path, tree)
  }
  return tree
}

export function parseText(text: string, path = 'text.ts'): Syntax {
  const lang = path.endsWith('.tsx') ? 'tsx' : path.endsWith('.js') ? 'js' : 'ts'
  return parseAst(text, { lang }, path) as unknown as Syntax
}

function isSyntax(value: unknown): value is Syntax {
  return typeof value === 'object' && value !== null && typeof (value as Syntax).type === 'string'
}

/** Visits every node from the outside in, each with the nodes around it, the nearest first. */
export function walk(node: Syntax, visit: (node: Syntax, around: readonly Syntax[]) => void): void {
  const step = (current: Syntax, around: readonly Syntax[]): void => {
    visit(current, around)
    const within = [current, ...around]
    for (const value of Object.values(current)) {
      for (const child of Array.isArray(value) ? value : [value]) if (isSyntax(child)) step(child, within)
    }
  }
  step(node, [])
}

/** `a.b.c` for a plain chain of names, `test.each(…)` as `test.each`, otherwise undefined. */
export function nameOf(node: unknown): string | undefined {
  if (!isSyntax(node)) return undefined
  if (node.type === 'Identifier') return node.name as string
  if (node.type === 'CallExpression' || node.type === 'TaggedTemplateExpression') {
    return nameOf(node.callee ?? node.tag)
  }
  if (node.type !== 'MemberExpression' || node.computed) return undefined
  const [object, property] = [nameOf(node.object), nameOf(node.property)]
  return object === undefined || property === undefined ? undefined : `${object}.${property}`
}

export interface Import {
  specifier: string
  start: number
  /** Gone at run time: `import type`, or a type named in an expression. */
  isType: boolean
  /** `import('…')` as an expression. */
  isDynamic: boolean
  /** The names taken from the module; empty for a namespace, a default or a bare import. */
  names: string[]
}

const importing = [
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
]

export function importsOf(path: string): Import[] {
  const found: Import[] = []
  walk(parse(path), (node) => {
    const source = node.source ?? node.argument
    if (!importing.includes(node.type) || !isSyntax(source) || typeof source.value !== 'string') return
    const specifiers = ((node.specifiers ?? []) as Syntax[]).filter((each) => each.importKind !== 'type')
    found.push({
      specifier: source.value,
      start: node.start,
      isType: node.type === 'TSImportType' || node.importKind === 'type' || node.exportKind === 'type',
      isDynamic: node.type === 'ImportExpression',
      names: specifiers.flatMap((each) => nameOf(each.imported ?? (node.exportKind && each.local)) ?? []),
    })
  })
  return found
}

export interface Callable {
  start: number
  lines: number
  /** What it is given to as an argument (`describe`, `it.each`), if anything. */
  givenTo: string | undefined
}

const callables = ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']

/** Every function, method and arrow function with a body. */
export function functionsOf(path: string): Callable[] {
  const text = read(path)
  const found: Callable[] = []
  walk(parse(path), (node, [outer]) => {
    if (!callables.includes(node.type) || !node.body) return
    const isArgument = outer?.type === 'CallExpression' && (outer.arguments as unknown[]).includes(node)
    found.push({
      start: node.start,
      lines: lineOf(text, node.end - 1) - lineOf(text, node.start) + 1,
      givenTo: isArgument ? nameOf(outer.callee) : undefined,
    })
  })
  return found
}
