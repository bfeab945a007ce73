import { createServer, type RequestListener, type Server } from 'node:http'

/**
 * What both HTTP listeners bound alike. Node takes all questions of one piece in the same turn of the event loop, a few
 * octets each and some kilobytes of memory; nobody who loads pages asks so many on one connection, and who watches
 * connects anew. So a connection ends with its hundredth answer, and at once when there are more questions than that.
 * A body comes with its length: in chunks it could come an octet at a time, each of which costs as much as a page. Of two
 * Host fields a proxy in front may have gone by the other one.
 */
export function createPageServer(answer: RequestListener): Server {
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 20_000, maxHeaderSize: 8192 })
  server.on('request', (request, response) => {
    const { headers, headersDistinct } = request
    if (headers['transfer-encoding'] !== undefined) response.writeHead(411, { connection: 'close' }).end()
    else if ((headersDistinct.host?.length ?? 0) > 1) response.writeHead(400, { connection: 'close' }).end()
    else answer(request, response)
  })
  server.maxRequestsPerSocket = mostRequests
  server.on('dropRequest', (_request, socket) => socket.destroy())
  return server
}

export const mostRequests = 100
