// The examples, run as their READMEs say.
import { execFile, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createPort } from 'node:net'
import { join, resolve } from 'node:path'
import { SignJWT, decodeJwt, exportJWK } from 'jose'
import { Person, assert, check, finish } from './common.mjs'

const binary = process.env.GRANTOR_BINARY
const built = process.env.GRANTOR_EXAMPLES
const folder = process.env.GRANTOR_FOLDER
const examples = resolve(import.meta.dirname, '../../examples')
const bin = join(folder, 'bin')
rmSync(folder, { recursive: true, force: true })
mkdirSync(bin, { recursive: true })
const running = []
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')))

/** What the commands find around them. `grantor` is what `script` makes of it. */
const environment = (more) => ({ PATH: `${bin}:${process.env.PATH}`, HOME: folder, TMPDIR: folder, ...more })
function script(name, text) {
  writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`)
  chmodSync(join(bin, name), 0o755)
}
script('grantor', `exec "${binary}" "$@"`)

/** Starts a program, and gives it with the first line that it prints that fits. */
function start(program, args, env, wanted, from = 'stdout') {
  const child = spawn(program, args, { env: environment(env), cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  running.push(child)
  const said = { stdout: '', stderr: '' }
  child.ended = new Promise((resolve) => child.once('close', (code) => resolve({ code, ...said })))
  return new Promise((resolve, reject) => {
    for (const stream of ['stdout', 'stderr']) {
      child[stream].on('data', (data) => {
        said[stream] += data
        const found = stream === from && said[stream].match(wanted)
        if (found) resolve([child, found])
      })
    }
    child.ended.then(({ code, stderr }) => reject(new Error(`${program} ended with ${code}: ${stderr}`)))
  })
}

/** Runs lines for a shell. */
function shell(lines, env) {
  const options = { env: environment(env), cwd: folder, timeout: 60_000 }
  return new Promise((resolve) =>
    execFile('sh', ['-e', '-c', lines], options, (error, out, err) => resolve({ code: error?.code ?? 0, out, err })),
  )
}

/** The lines for a shell in a README, and what they are replaced by where this is another place than a reader's. */
function lines(readme, replaced = {}) {
  const blocks = [...readFileSync(join(examples, readme), 'utf8').matchAll(/```sh\n(.*?)```/gs)].map((block) => block[1])
  return blocks.map((block) => Object.entries(replaced).reduce((text, [old, now]) => text.replaceAll(old, now), block))
}

const freePort = () =>
  new Promise((resolve) => {
    const server = createPort().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

/** A server on data of its own. */
async function serve(name) {
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  const env = { GRANTOR_DATA: join(folder, name), GRANTOR_ISSUER: issuer, GRANTOR_LISTEN: `127.0.0.1:${port}` }
  const begin = () => start(binary, ['serve', '--json'], env, /\n/)
  return { issuer, env, begin }
}

// axum-api
const shop = await serve('shop')
const [declare, , call] = lines('axum-api/README.md', {
  'examples/': `${examples}/`,
  ' --data /tmp/shop': '',
  '/tmp/secret': join(folder, 'secret'),
  'http://localhost:8080': shop.issuer,
})
let orders
await check('axum-api: its README declares the API, and it starts', async () => {
  const [apply, serve] = declare.trim().split('\n')
  assert.equal(serve, 'grantor serve')
  const applied = await shell(apply, shop.env)
  assert.equal(applied.code, 0, applied.err)
  await shop.begin()
  const api = join(built, 'grantor-example-axum-api')
  const [, [origin]] = await start(api, [], { ISSUER: shop.issuer, LISTEN: '127.0.0.1:0' }, /^http:\S+(?=\n)/)
  const [bare, write, name, ...calls] = call.replaceAll('http://127.0.0.1:3001', origin).trim().split('\n')
  orders = { bare, calls: calls.map((line) => `${write}\n${name}\n${line}`) }
})
await check('axum-api: without a token it says where to get one', async () => {
  const { out } = await shell(orders.bare)
  assert.match(out, /^HTTP\/1.1 401 .*www-authenticate: Bearer .*resource_metadata="https:\/\/shop.example\//is)
})
await check('axum-api: whoever has the scope is let in, and no further', async () => {
  const [reads, places] = orders.calls
  const read = await shell(reads)
  assert.match(read.out, /^HTTP\/1.1 200 .*"read_by":"night-job"/s, read.err)
  const placed = await shell(places)
  assert.match(placed.out, /^HTTP\/1.1 403 .*error="insufficient_scope".*scope="orders:write"/s, placed.err)
})

// cli
const [, [said]] = await start(binary, ['demo', '--listen', '127.0.0.1:0', '--json'], {}, /^\{.*\}(?=\n)/)
const demo = JSON.parse(said)
const [, cli] = lines('cli/README.md', { 'http://localhost:8080': demo.issuer })
const command = cli.trim().replace('cargo run -p grantor-example-cli --', join(built, 'grantor-example-cli'))
const notes = /^200 OK\n\{"notes":/
await check('cli: the user signs in, and the tool calls the API', async () => {
  const [tool, [, url]] = await start('sh', ['-c', `exec ${command}`], {}, /Sign in here: (\S+)\n/, 'stderr')
  const back = await new Person(demo.users[0]).authorize(url, { callback: 'http://127.0.0.1:' })
  assert.equal((await fetch(back)).status, 200)
  const { code, stdout, stderr } = await tool.ended
  assert.equal(code, 0, stderr)
  assert.match(stdout, notes)
})
await check('cli: the second time nobody is asked', async () => {
  const again = await shell(command)
  assert.equal(again.err, '')
  assert.match(again.out, notes)
})

// ci-workload, with a GitHub of its own: its keys, and the address that a job asks for its token.
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
writeFileSync(join(folder, 'github.json'), JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one' }] }))
let job = { environment: 'production' }
const github = createServer(async (request, response) => {
  const audience = new URL(request.url, 'http://github').searchParams.get('audience')
  const claims = { repository: 'acme/shop', repository_id: '74', jti: crypto.randomUUID(), ...job }
  const token = new SignJWT({ ...claims, sub: `repo:acme/shop:environment:${job.environment}` })
    .setProtectedHeader({ alg: 'RS256', kid: 'one', typ: 'JWT' })
    .setIssuer('https://token.actions.githubusercontent.com')
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime('5m')
  response.end(JSON.stringify({ value: request.headers.authorization === 'Bearer of-the-job' && (await token.sign(privateKey)) }))
}).listen(0, '127.0.0.1')
const ci = await serve('ci')
script('gh', 'echo 74')
script('curl', `printf '%s\\n' "$@" > "${join(folder, 'called')}"`)
script(
  'grantor',
  `case "$*" in *"federation add"*) set -- "$@" --jwks "${join(folder, 'github.json')}";; esac\nexec "${binary}" "$@"`,
)
// The one `run` of the workflow, as YAML folds it.
const workflow = readFileSync(join(examples, 'ci-workload/deploy.yml'), 'utf8')
const run = workflow.match(/- run: >-\n(.*)$/s)[1].replaceAll(/\s*\n\s*/g, ' ')
const deploy = () =>
  shell(run, {
    ISSUER: ci.issuer,
    ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${github.address().port}/?api-version=2.0`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of-the-job',
  })
await check('ci-workload: its README makes the client and the API', async () => {
  for (const block of lines('ci-workload/README.md')) {
    const made = await shell(block, ci.env)
    assert.equal(made.code, 0, made.err)
  }
  await ci.begin()
})
await check('ci-workload: the job gets a token for the API, without a secret', async () => {
  const { code, err } = await deploy()
  assert.equal(code, 0, err)
  const called = readFileSync(join(folder, 'called'), 'utf8').trim().split('\n')
  const token = decodeJwt(called.find((word) => word.startsWith('Authorization: Bearer ')).slice(22))
  assert.deepEqual([token.aud, token.scope, token.client_id], ['https://deploy.example.com', 'deploy:write', 'deploy'])
})
await check('ci-workload: a job of another environment gets none', async () => {
  job = { environment: 'preview' }
  rmSync(join(folder, 'called'))
  const { code, err } = await deploy()
  assert.equal(code, 1)
  assert.match(err, /invalid_client/)
  assert.throws(() => readFileSync(join(folder, 'called')))
})

github.closeAllConnections()
github.close()
finish()
running.forEach((child) => child.kill('SIGKILL'))
