// The programs that the playground gives away ("Take it with you"), as it writes them, each run against the demo: by sh, by
// Node.js with oauth4webapi, by Python with Authlib, and compiled against crates/client.
import { execFile, spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { Person, alice, assert, call, check, client as registered, finish, issuer, notes } from './common.mjs'
import { clientCredentials, redemption, refreshing } from '../../crates/web/assets/playground/flow.js'
import { LANGUAGES, shapeOf } from '../../crates/web/assets/playground/snippets.js'
import { plain, rust } from '../../crates/web/assets/playground/snippets-quote.js'

const root = resolve(import.meta.dirname, '../..')
const folder = join(process.env.GRANTOR_FOLDER, 'programs')
rmSync(folder, { recursive: true, force: true })
mkdirSync(join(folder, 'src/bin'), { recursive: true })
symlinkSync(join(import.meta.dirname, 'node_modules'), join(folder, 'node_modules'))
const running = []
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')))

const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()
const { token_endpoint: endpoint } = metadata

/** A course of the playground, as far as a program is made of it. */
function course(flow, clientId, scope, written) {
  const run = { flow, checks: 'page', issuer, clientId, redirectUri: `${issuer}/playground/callback`, scope, state: '', nonce: '', verifier: '', challenge: '' }
  const secret = registered(clientId).client_secret ?? ''
  const made = {
    code: () => redemption(run, endpoint, secret, 'a code'),
    client: () => clientCredentials(run, endpoint, secret),
    refresh: () => refreshing(run, endpoint, secret, 'a refresh token'),
  }
  const answer = { status: 200, headers: [], body: '', members: { access_token: 'a token' } }
  const step = flow === 'code' ? 'token' : flow
  const exchanges = [{ step, request: made[flow](), answer }]
  if (written) exchanges.push({ step: 'api', request: { method: 'POST', url: notes.url, parameters: [] }, answer, body: written })
  return shapeOf(run, metadata, exchanges, notes.url).shape
}

const WRITTEN = `it's "$(touch canary)" \`touch canary\` \\ %s\n{} ä€😀`
const all = 'openid profile offline_access notes:read'
const COURSES = {
  'code, a public client': course('code', 'playground', all),
  'code without openid, a secret': course('code', 'demo-web', 'notes:read'),
  'code, a secret, and a call that writes': course('code', 'demo-web', `${all} notes:write`, WRITTEN),
  'client credentials': course('client', 'demo-machine', 'notes:read'),
  refresh: course('refresh', 'demo-web', ''),
}
const COMMANDS = { curl: 'sh', javascript: process.execPath, python: process.env.GRANTOR_PYTHON }
const EXTENSIONS = { curl: 'sh', javascript: 'mjs', python: 'py' }
const nameOf = (course) => course.replaceAll(/\W+/g, '-')

/** What a value of a link could bring along, as a literal of Rust; the other languages' are tried beside the page. */
const HOSTILE = ['"', '\\', '\\"; panic!(); "', '{}', '\u202e', '\u001b[201~', '\r\n', '"#', '\\u{41}', 'ä€😀', '\ud800', 'a\0b', '// x\n', "'"]

await check('Rust: every program compiles, without a warning', async () => {
  const dependency = (name) => `${name} = { path = ${JSON.stringify(join(root, 'crates', name.replace('grantor-', '')))} }`
  writeFileSync(
    join(folder, 'Cargo.toml'),
    `[package]\nname = "programs"\nversion = "0.1.0"\nedition = "2024"\n\n[workspace]\n\n[lints.rust]\nwarnings = "deny"\n\n[dependencies]\n` +
      `${dependency('grantor-client')}\n${dependency('grantor-protocol')}\ntokio = { version = "1", features = ["macros", "rt-multi-thread"] }\n`,
  )
  copyFileSync(join(root, 'Cargo.lock'), join(folder, 'Cargo.lock'))
  for (const [name, shape] of Object.entries(COURSES))
    writeFileSync(join(folder, `src/bin/taken-${nameOf(name)}.rs`), LANGUAGES.rust.render(shape))
  writeFileSync(join(folder, 'src/bin/taken-values.rs'), `fn main() {\n    for value in [${HOSTILE.map(rust)}] {\n        print!("{value}\\0");\n    }\n}\n`)
  const built = ['build', '--quiet', '--target-dir', join(root, 'target')]
  await promisify(execFile)('cargo', built, { cwd: folder, maxBuffer: 1 << 24 })
})
const binary = (name) => join(root, 'target/debug', `taken-${name}`)
await check('Rust: a value comes out as it went in', async () => {
  const { stdout } = await promisify(execFile)(binary('values'))
  assert.deepEqual(stdout.split('\0').slice(0, -1), HOSTILE.map(plain))
})

/** Runs a program; the user does his part when it asks for it. */
async function runs(language, name, env) {
  let command = [binary(nameOf(name))]
  if (language !== 'rust') {
    const file = join(folder, `${nameOf(name)}.${EXTENSIONS[language]}`)
    writeFileSync(file, LANGUAGES[language].render(COURSES[name]))
    command = [COMMANDS[language], file]
  }
  const { PATH, HOME } = process.env
  const child = spawn(command[0], command.slice(1), { cwd: folder, env: { PATH, HOME, PYTHONDONTWRITEBYTECODE: '1', ...env } })
  running.push(child)
  const said = { stdout: '', stderr: '' }
  let asked = false
  for (const stream of ['stdout', 'stderr'])
    child[stream].on('data', async (data) => {
      said[stream] += data
      const [, url] = said.stdout.match(/^Open this in a browser\b[^\n]*?\s(http\S+)\n/m) ?? []
      if (asked || !url) return
      asked = true
      try {
        const back = await new Person(alice).authorize(url, { callback: 'http://127.0.0.1' })
        if (language === 'curl') child.stdin.end(`${back}\n`)
        else assert.equal((await fetch(back)).status, 200)
      } catch (error) {
        said.stderr += error.stack
        child.kill()
      }
    })
  const code = await new Promise((ended) => child.once('close', ended))
  assert.equal(code, 0, said.stderr || said.stdout)
  return said
}

/** A refresh token of demo-web; each program uses one up. */
async function refreshToken() {
  const verifier = 'v'.repeat(43)
  const redirect_uri = 'http://127.0.0.1/callback'
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
  const url = new URL(metadata.authorization_endpoint)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: 'demo-web',
    redirect_uri,
    scope: all,
    code_challenge: Buffer.from(digest).toString('base64url'),
    code_challenge_method: 'S256',
  })
  const code = (await new Person(alice).authorize(url, { callback: redirect_uri })).searchParams.get('code')
  const authorization = `Basic ${btoa(`demo-web:${registered('demo-web').client_secret}`)}`
  const body = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri, code_verifier: verifier })
  const tokens = await (await fetch(endpoint, { method: 'POST', headers: { authorization }, body })).json()
  assert.equal(await call(notes.url, tokens.access_token), 200)
  return tokens.refresh_token
}

for (const [language, { name }] of Object.entries(LANGUAGES))
  for (const [course, shape] of Object.entries(COURSES))
    await check(`${name}: ${course}`, async () => {
      const env = { CLIENT_SECRET: registered(shape.clientId).client_secret }
      if (shape.flow === 'refresh') env.REFRESH_TOKEN = await refreshToken()
      const { stdout } = await runs(language, course, shape.method === 'none' ? {} : env)
      assert.match(stdout, /\b200\b/, stdout)
      const done = shape.call.body ? /"written": *true/ : new RegExp(`"through": *"${shape.clientId}"`)
      assert.match(stdout, done)
      // But for the name of a pushed request, which stands in the address that the user is given (RFC 9126 2.2).
      assert.doesNotMatch(stdout.replace(/^Open this .*$/m, ''), /gr_[a-z]{2}_|eyJ/, 'it prints a token')
      if (!shape.call.body) return
      const note = JSON.parse(await (await fetch(notes.url, { headers: { authorization: `Bearer ${await machine()}` } })).text()).notes.at(-1)
      assert.equal(note, WRITTEN)
      assert.throws(() => readFileSync(join(folder, 'canary')))
    })

async function machine() {
  const authorization = `Basic ${btoa(`demo-machine:${registered('demo-machine').client_secret}`)}`
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope: 'notes:read' })
  return (await (await fetch(endpoint, { method: 'POST', headers: { authorization }, body })).json()).access_token
}
finish()
