// A server that nobody here wrote, in its own configuration, for the browser's walk: npm oidc-provider. It says on one line
// where it is and whom it knows, and ends when nobody holds its standard input any more. The argument is the redirect URI.
import { createServer } from 'node:http'
import { Provider } from 'oidc-provider'

const [redirectUri] = process.argv.slice(2)
const secret = 'a-secret-of-more-than-thirty-two-characters'
// What it says about its development pages is known.
console.warn = console.info = () => {}

const server = createServer().listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const issuer = `http://127.0.0.1:${server.address().port}`
const machine = { client_secret: secret, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'learner',
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [redirectUri],
      response_types: ['code'],
    },
    { client_id: 'machine', ...machine },
    { client_id: 'api', ...machine },
  ],
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: (ctx, client) => client.clientId === 'api' },
    revocation: { enabled: true },
    userinfo: { enabled: true },
  },
  issueRefreshToken: () => true,
  scopes: ['openid', 'offline_access', 'read'],
})
server.on('request', provider.callback())

process.stdout.write(`${JSON.stringify({ issuer, secret })}\n`)
process.stdin.resume().once('end', () => process.exit())
