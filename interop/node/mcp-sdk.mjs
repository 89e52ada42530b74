// @modelcontextprotocol/sdk: the TypeScript SDK that most applications have.
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { run } from './mcp-typescript.mjs'

const callback = (parameters) => parameters.get('code')
await run({ Client, StreamableHTTPClientTransport, UnauthorizedError, callback, stepsUp: false })
