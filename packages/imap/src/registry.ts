import type { Command, State } from './command.ts'
import type {
  AppendDataKind,
  Capability,
  Enables,
  Extension,
  FetchItemKind,
  FetchModifier,
  ListReturn,
  ListSelection,
  SearchKeyKind,
  SearchReturn,
  SelectParameter,
  StatusItem,
  StoreModifier,
} from './extension.ts'
import type { Session } from './session/session.ts'
import type { SortKey } from './sort/sort-key.ts'
import type { ThreadAlgorithm } from './thread/thread.ts'

/**
 * All that a server offers, folded out of its extensions once at start. Sessions look everything up here; what is
 * disabled by the configuration was never put in.
 */
export class Registry {
  readonly commands = new Map<string, Command>()
  readonly fetchItems = new Map<string, FetchItemKind>()
  readonly searchKeys = new Map<string, SearchKeyKind>()
  readonly searchReturns = new Map<string, SearchReturn>()
  readonly sortKeys = new Map<string, SortKey>()
  readonly threadAlgorithms = new Map<string, ThreadAlgorithm>()
  readonly statusItems = new Map<string, StatusItem>()
  readonly appendData = new Map<string, AppendDataKind>()
  readonly selectParameters = new Map<string, SelectParameter>()
  readonly listSelections = new Map<string, ListSelection>()
  readonly listReturns = new Map<string, ListReturn>()
  readonly storeModifiers = new Map<string, StoreModifier>()
  readonly fetchModifiers = new Map<string, FetchModifier>()
  readonly enables = new Map<string, Enables>()
  readonly extensions: readonly Extension[]
  /** Their `onFlagsTold`: asked for every message that is told. */
  readonly flagTellers: readonly NonNullable<Extension['onFlagsTold']>[]
  /** Their `onChanged`: asked at the end of each command. */
  readonly tellers: readonly NonNullable<Extension['onChanged']>[]
  readonly #names: ReadonlySet<string>
  /** Of each state what CAPABILITY says there. */
  readonly #capabilities: ReadonlyMap<State, readonly Capability['name'][]>
  readonly #disabled: ReadonlySet<string>

  /** @param disable capabilities that are not to be there, in any case (`[imap] disable`) */
  constructor(extensions: readonly Extension[], disable: Iterable<string>) {
    this.#disabled = new Set([...disable].map((name) => name.toUpperCase()))
    this.extensions = standing(extensions.filter((extension) => !this.#isDisabled(extension)))
    this.flagTellers = this.extensions.flatMap(({ onFlagsTold }) => onFlagsTold ?? [])
    this.#names = new Set(this.extensions.map(({ name }) => name))
    this.#capabilities = new Map(states.map((state) => [state, this.#capabilitiesIn(state)]))
    this.tellers = this.extensions.flatMap(({ onChanged }) => onChanged ?? [])
    for (const extension of this.extensions) {
      add(this.commands, extension.commands, extension)
      add(this.fetchItems, extension.fetchItems, extension)
      add(this.searchKeys, extension.searchKeys, extension)
      add(this.searchReturns, extension.searchReturns, extension)
      add(this.sortKeys, extension.sortKeys, extension)
      add(this.threadAlgorithms, extension.threadAlgorithms, extension)
      add(this.statusItems, extension.statusItems, extension)
      add(this.appendData, extension.appendData, extension)
      add(this.selectParameters, extension.selectParameters, extension)
      add(this.listSelections, extension.listSelections, extension)
      add(this.listReturns, extension.listReturns, extension)
      add(this.storeModifiers, extension.storeModifiers, extension)
      add(this.fetchModifiers, extension.fetchModifiers, extension)
      add(this.enables, extension.enables, extension)
    }
  }

  /** Whether the extension of this name is there. */
  has(name: string): boolean {
    return this.#names.has(name)
  }

  /** The words of CAPABILITY for this session as it stands, in order of registration. */
  capabilities(session: Session): string {
    const names = this.#capabilities.get(session.state) ?? []
    return names
      .flatMap((name) => (typeof name === 'string' ? name : name(session).filter((word) => !this.masks(word))))
      .join(' ')
  }

  /** Whether this word of CAPABILITY is not to be there. */
  masks(word: string): boolean {
    return this.#disabled.size > 0 && this.#disabled.has(word.toUpperCase())
  }

  /** Chosen once, since every connection asks for them, and every login again. */
  #capabilitiesIn(state: State): readonly Capability['name'][] {
    const shown = this.extensions
      .flatMap(({ capabilities }) => capabilities ?? [])
      .filter(
        ({ name, states }) => (states?.includes(state) ?? true) && !(typeof name === 'string' && this.masks(name)),
      )
    return [...new Set(shown.map(({ name }) => name))]
  }

  /** An extension goes whole when its name, or every fixed capability that it has, is disabled. */
  #isDisabled(extension: Extension): boolean {
    if (extension.isBase) return false
    if (this.#disabled.has(extension.name.toUpperCase())) return true
    const words = extension.capabilities ?? []
    return (
      words.length > 0 && words.every(({ name }) => typeof name === 'string' && this.#disabled.has(name.toUpperCase()))
    )
  }
}

const states: readonly State[] = ['not authenticated', 'authenticated', 'selected']

/** Those of which all is there that they stand on, and so on down. */
function standing(extensions: readonly Extension[]): readonly Extension[] {
  const names = new Set(extensions.map(({ name }) => name))
  const left = extensions.filter(({ requires }) => requires?.every((name) => names.has(name)) ?? true)
  return left.length === extensions.length ? left : standing(left)
}

function add<Kind extends { name: string }>(
  map: Map<string, Kind>,
  kinds: readonly Kind[] | undefined,
  extension: Extension,
): void {
  for (const kind of kinds ?? []) {
    if (map.has(kind.name)) throw new Error(`${extension.name}: ${kind.name} is registered already`)
    map.set(kind.name, kind)
  }
}
