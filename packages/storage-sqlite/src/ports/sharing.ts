/** The ports Sharing and Annotations: reads on the main thread, changes go to the writer. */
import type { Annotations, ModSeq, Sharing } from '@pennypost/model'
import type { Engine } from '../engine.ts'
import { readAnnotations, readChangedAnnotations } from '../reader/annotations.ts'
import { readAcl, readRights, readSharedWith } from '../reader/sharing.ts'

export function createSharing({ reader, writer }: Engine): Sharing {
  return {
    async acl(mailbox) {
      return readAcl(reader, mailbox)
    },
    async setAcl(mailbox, change) {
      await writer.run('setAcl', { mailbox, ...change })
    },
    async rights(mailbox, account) {
      return readRights(reader, mailbox, account)
    },
    async sharedWith(account) {
      return readSharedWith(reader, account)
    },
  }
}

export function createAnnotations({ reader, writer }: Engine): Annotations {
  return {
    async annotations(of, account) {
      return readAnnotations(reader, of, account)
    },
    async annotate(of, account, changes) {
      return (await writer.run('annotate', { of, account, changes: [...changes] })) as ModSeq
    },
    async annotationsChanged(mailbox, account, since) {
      return readChangedAnnotations(reader, mailbox, account, since)
    },
  }
}
