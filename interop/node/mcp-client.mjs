// @modelcontextprotocol/client: the TypeScript SDK of the specification of 2026-07-28, which looks at `iss` itself.
import { Client, DpopSession, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client'
import { run } from './mcp-typescript.mjs'

const callback = (parameters) => parameters
await run({ Client, StreamableHTTPClientTransport, UnauthorizedError, DpopSession, callback, stepsUp: true })
