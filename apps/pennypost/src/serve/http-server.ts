import { createServer, type RequestListener, type Server } from 'node:http'

/**
 * What both HTTP listeners bound alike. Node takes all questions of one piece in the same turn of the event loop, a few
 * octets each and some kilobytes of memory; nobody who loads pages asks so many on one connection, and who watches
 * connects anew. So a connection ends with its hundredth answer, and at once when there are more questions than that.
 * A body comes with its length: in chunks it could come an octet at a time, each of which costs as much as a page.
 */
export function createPageServer(answer: RequestListener): Server {
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 20_000, maxHeaderSize: 8192 })
  server.on('request', (request, response) => {
    if (request.headers['transfer-encoding'] === undefined) answer(request, response)
    else response.writeHead(411, { connection: 'close' }).end()
  })
  server.maxRequestsPerSocket = mostRequests
  server.on('dropRequest', (_request, socket) => socket.destroy())
  return server
}

export const mostRequests = 100
