export { openSqliteStore, type SqliteStats, type SqliteStore } from './open-sqlite-store.ts'
export { type FileSystemSpace, type SqliteLimits, type SqliteStoreOptions, sqliteLimits } from './options.ts'
