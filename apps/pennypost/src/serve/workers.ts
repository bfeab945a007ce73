/**
 * Where the code of the worker threads is: beside this module in a bundle (`scripts/bundle.ts` names the files), or in
 * the packages' sources, which know their own places.
 */
const bundled = import.meta.url.endsWith('.js')

const beside = (name: string): URL => new URL(`./${name}.js`, import.meta.url)

/** For `openSqliteStore`. */
export const storeWorkers = bundled
  ? { workers: { writer: beside('writer'), keeper: beside('keeper') }, searchThread: beside('search') }
  : { searchThread: new URL('./search-thread.ts', import.meta.url) }

/** For `createChecker`. */
export const checksWorker = bundled ? { workerUrl: beside('checks') } : {}
