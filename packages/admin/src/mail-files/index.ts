/** Files of mail, read for `import` and written for `export` by whoever runs the verb. */
export { findMaildirs, type MaildirFolder, readMaildir } from './maildir-source.ts'
export { MaildirTarget } from './maildir-target.ts'
export { findMboxFiles, readMboxFile } from './mbox-source.ts'
export { MboxTarget } from './mbox-target.ts'
export { type FiledMessage, uploadOf } from './message-file.ts'
export { type ExportTarget, frameTaker } from './target.ts'
