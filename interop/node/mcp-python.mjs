// PyPI mcp, the Python SDK, against the same server; its checks are in interop/python.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assert, check, finish } from './common.mjs'
import * as mcp from './mcp.mjs'
import { logIsClean } from './served.mjs'

await mcp.start()
const document = mcp.publish('client')
const facts = { issuer: mcp.issuer, users: [mcp.alice], clients: [], apis: [], server: mcp.server, document }
const authority = join(mcp.folder, 'servers.pem')
const suite = fileURLToPath(new URL('../python/mcp_suite.py', import.meta.url))
const python = spawn(process.env.GRANTOR_PYTHON, ['-B', suite], {
  env: {
    ...process.env,
    GRANTOR_DEMO: JSON.stringify({ ...facts, foreign_token: await mcp.foreignToken() }),
    SSL_CERT_FILE: authority,
    REQUESTS_CA_BUNDLE: authority,
  },
  stdio: ['ignore', 'inherit', 'inherit'],
})
const ended = await new Promise((resolve) => python.on('exit', resolve))
await check('the document was fetched once', () => assert.deepEqual(mcp.asked, { '/client.json': 1 }))
await check('no secret and no token in the logs', () => {
  logIsClean()
  mcp.serverLogIsClean()
})
finish()
process.exit(ended || process.exitCode)
