// A client of this server for browsers, Node and others with fetch: no dependency, no build. Types: sdk.d.ts.
//
//   import { Regserver } from "https://reg.example.org/sdk.js";
//   const server = new Regserver();                   // elsewhere: new Regserver("https://reg.example.org")
//   const { registration } = await server.signIn("ada", "correct horse battery");
//   if (registration) for await (const event of registration) console.log(event.message);
//   for await (const event of server.rooms.listen()) console.log(event);

const PATIENCE_MS = 30_000, RETRIES = 4;
const LONGEST_PAUSE_SECONDS = 30;
const STEADY_MS = 5_000;
const LOOK_MS = 10_000;
const ASLEEP_MS = 90_000; // the timers of hidden pages run once a minute
const MOST_WAITING = 1000; // events that nobody has taken yet
const SESSION_ENDS = new Set(["BadToken", "MissingAuth", "BadAuthType", "UserIsDeleted", "NotApproved"]);
const POLICY_VIOLATION = 1008;
const BUSY = new Set([408, 429, 502, 503, 504]);

/** A refusal. code: the server's name or number for it, or one of ours: Offline, RegistrationUnknown, RegistrationFailed.
 *  status: of HTTP, 0 where there was none. retryAfter: seconds, 0 for no word of it. answer: what the server said. */
export class Refused extends Error {
  constructor(code, { status = 0, retryAfter = 0, answer = null, message = String(code), ...more } = {}) {
    super(message);
    Object.assign(this, { name: "Refused", code, status, retryAfter, answer, ...more });
  }
}

const pause = (seconds) => new Promise((resolve) => { setTimeout(resolve, seconds * 1000); });
const growing = (tries) => Math.min(LONGEST_PAUSE_SECONDS, 2 ** tries) * (0.75 + Math.random() / 2);
const segment = encodeURIComponent;

/** 128 random bits; crypto.randomUUID is missing on pages served without TLS. */
export function randomKey() {
  return hex(crypto.getRandomValues(new Uint8Array(16)));
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));

/** Keeps a socket open until it is stopped: a lost one is opened again after growing pauses, at once when the network is back.
 *
 *  A browser does not notice that its connection ended while the machine slept, so after a sleep it is opened anew.
 *  address(): resolves with where to connect. refused(problem): whether its rejection is the end; else it is tried again.
 *  opened(again), message(text), lost(seconds until the next try), closed(code): whether that was the end.
 */
export function keepOpen({ address, opened, message, lost, closed, refused = () => false, WebSocket: Socket = globalThis.WebSocket }) {
  let socket = null, timer = null, stopped = false, tries = 0, everOpened = false;

  async function connect() {
    clearTimeout(timer);
    timer = null;
    try {
      const url = await address();
      if (stopped) return;
      socket = new Socket(url); // throws for an address that the browser refuses
    } catch (problem) {
      if (stopped) return;
      return refused(problem) ? stop() : again(problem.retryAfter);
    }
    const own = socket, patience = setTimeout(() => own.close(), PATIENCE_MS);
    let openedAt = Infinity;
    own.onerror = () => {}; // "close" follows
    own.onopen = () => {
      clearTimeout(patience);
      openedAt = Date.now();
      opened(everOpened);
      everOpened = true;
    };
    own.onmessage = ({ data }) => stopped || message(data);
    own.onclose = ({ code }) => {
      clearTimeout(patience);
      if (Date.now() - openedAt > STEADY_MS) tries = 0;
      if (stopped) return;
      if (closed(code)) stop();
      else again();
    };
  }

  function again(atLeast = 0) {
    const seconds = Math.max(atLeast, growing(tries++));
    timer = setTimeout(connect, seconds * 1000);
    lost(seconds);
  }

  /** Leaves the socket, open or not; what it still says is not heard. */
  function leave() {
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    socket = null;
  }

  function openAnew() {
    if (socket?.readyState !== 1) return;
    leave();
    connect();
  }

  let looked = Date.now();
  const look = setInterval(() => {
    const slept = Date.now() - looked > ASLEEP_MS;
    looked = Date.now();
    if (slept) openAnew();
  }, LOOK_MS);

  const retry = () => { if (timer !== null) connect(); };
  // A page that comes back by "back" has been asleep, too.
  const returned = ({ persisted }) => { if (persisted) timer === null ? openAnew() : connect(); };
  const stop = () => {
    stopped = true;
    clearTimeout(timer);
    clearInterval(look);
    globalThis.removeEventListener?.("online", retry);
    globalThis.removeEventListener?.("pageshow", returned);
    socket?.close();
  };
  globalThis.addEventListener?.("online", retry);
  globalThis.addEventListener?.("pageshow", returned);
  connect();
  return { retry, stop, hold: leave, resume: connect };
}

/** What a socket says, for one `for await`. stop() ends it, retry() does not wait for the next try. */
class Events {
  #waiting = [];
  #wake = () => {};
  #over = false;
  #problem = null;
  #link = null;
  #held = false;

  /** Begins to listen. signal: ends it. */
  run(parts, signal) {
    this.#link = keepOpen(parts);
    signal?.addEventListener("abort", () => this.stop(), { once: true });
    if (signal?.aborted) this.stop();
    return this;
  }

  push(event) {
    this.#waiting.push(event);
    this.#wake();
    if (this.#waiting.length < MOST_WAITING || !this.holds) return;
    this.#held = true; // the server keeps the rest until these are taken
    this.#link.hold();
  }

  end(problem = null) {
    this.#over = true;
    this.#problem = problem;
    this.#wake();
  }

  stop() {
    this.#link.stop();
    this.end();
  }

  retry() {
    this.#link.retry();
  }

  async next() {
    while (this.#waiting.length === 0) {
      const problem = this.#problem;
      this.#problem = null;
      if (problem) throw problem;
      if (this.#over) return { done: true, value: undefined };
      await new Promise((resolve) => { this.#wake = resolve; });
    }
    const value = this.#waiting.shift();
    if (this.#held && this.#waiting.length === 0 && !this.#over) {
      this.#held = false;
      this.#link.resume();
    }
    return { done: false, value };
  }

  async return() {
    this.stop();
    this.#waiting = [];
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}

/** A live registration: its events from the first, each once, whatever happens to the connection. */
class Registration extends Events {
  /** Waits for the end: the session. Rejects with RegistrationFailed, whose message is the server's. */
  async done() {
    for await (const { eventType, message, additionalData } of this) {
      if (eventType === "AUTHENTICATION") return additionalData;
      if (eventType === "FAILURE") throw this.refusal("RegistrationFailed", { message });
    }
    throw this.refusal("RegistrationUnknown");
  }
}

/** base: the server's address; that of this file by default.
 *
 *  token: of a session. language: of messages. fetch, WebSocket: instead of the platform's. patience: milliseconds for one request.
 *  retries: how often what is safe to repeat is tried again. ended(problem): the token has ended. Refused: a class that extends ours.
 */
export class Regserver {
  constructor(base = new URL(".", import.meta.url), options = {}) {
    this.base = new URL(base);
    this.base.search = this.base.hash = "";
    if (!this.base.pathname.endsWith("/")) this.base.pathname += "/";
    this.token = options.token ?? null;
    this.language = options.language ?? "";
    this.patience = options.patience ?? PATIENCE_MS;
    this.retries = options.retries ?? RETRIES;
    this.fetch = options.fetch ?? ((...asked) => globalThis.fetch(...asked));
    this.WebSocket = options.WebSocket ?? globalThis.WebSocket;
    this.ended = options.ended ?? (() => {});
    this.Refused = options.Refused ?? Refused;
    this.account = new Account(this);
    this.rooms = new Rooms(this);
    this.steps = new Steps(this);
    this.directory = new Directory(this);
  }

  // --- requests
  /** Calls the server; resolves with the answer's JSON, or null. Rejects with Refused. */
  async call(method, path, body, headers) {
    return (await this.ask(method, path, body, headers)).json().catch(() => null);
  }

  /** The same, and resolves with the Response. What is safe to repeat is repeated: GET, and what has an Idempotency-Key. */
  async ask(method, path, body, headers = {}) {
    const safe = method === "GET" || "Idempotency-Key" in headers;
    for (let tries = 0; ; tries += 1) {
      try {
        return await this.#once(method, path, body, headers);
      } catch (problem) {
        const passing = problem.code === "Offline" || BUSY.has(problem.status);
        if (!safe || !passing || tries >= this.retries || problem.retryAfter > LONGEST_PAUSE_SECONDS) throw problem;
        await pause(Math.max(problem.retryAfter, growing(tries)));
      }
    }
  }

  async #once(method, path, body, headers) {
    const { token } = this;
    const response = await this.#send(method, path, body, {
      ...(this.language && { "Accept-Language": this.language }),
      ...headers,
      ...(token && { Authorization: `Bearer ${token}` }),
      ...(body && { "Content-Type": "application/json" }),
    });
    if (response.ok) return response;
    const answer = await response.json().catch(() => null);
    const fault = answer?.error;
    const code = fault?.code ?? fault ?? answer?.id ?? String(response.status);
    const retryAfter = Number(response.headers.get("Retry-After"));
    const { status } = response;
    const problem = new this.Refused(code, { status, retryAfter, answer, message: fault?.message ?? answer?.message });
    // Only what this very token was refused for ends the session: another may have been issued meanwhile.
    if (token && token === this.token && SESSION_ENDS.has(code)) this.ended(problem);
    throw problem;
  }

  async #send(method, path, body, headers) {
    const signal = AbortSignal.timeout(this.patience);
    const options = { method, headers, signal, body: body && JSON.stringify(body), cache: "no-store" };
    try {
      return await this.fetch(new URL(path, this.base).href, options);
    } catch (error) {
      throw new this.Refused("Offline", { cause: error });
    }
  }

  /** The absolute address of one of the server's sockets. */
  socketAddress(path) {
    const address = new URL(path, this.base);
    address.protocol = address.protocol.replace("http", "ws");
    return address.href;
  }

  async issued(answering) {
    const answer = await answering;
    if (answer?.token) this.token = answer.token;
    return answer;
  }

  // --- signing in
  /** Signs in. Who is not registered yet gets {registration}, to be watched. SecondFactorRequired: answer.ticket is for factor(). */
  async signIn(username, password, more = {}) {
    // 202 instead of 303: a script may not see where a redirect leads.
    const body = { username, password, ...more };
    const answer = await this.issued(this.call("POST", "login", body, { Prefer: "respond-async" }));
    return answer.location ? { location: answer.location, registration: this.watch(answer.location) } : answer;
  }

  /** Watches a registration by its Location. state(now, {seconds}): "live" or "lost". */
  watch(location, { signal, state = () => {} } = {}) {
    const events = new Registration();
    let shown = 0, heard = 0, over = false;
    events.refusal = (...why) => new this.Refused(...why);
    // Built from our own address: behind a proxy the server may not know by which scheme and name it is reached.
    const address = this.socketAddress(`register/${String(location).split("/").pop()}?eta=1`);
    return events.run({
      WebSocket: this.WebSocket,
      address: async () => address,
      opened: (again) => {
        heard = 0; // the whole story comes again
        state("live", { again });
      },
      message: (text) => {
        heard += 1;
        if (heard <= shown) return;
        shown = heard;
        const event = JSON.parse(text);
        over = event.eventType === "AUTHENTICATION" || event.eventType === "FAILURE";
        if (event.additionalData.token) this.token = event.additionalData.token;
        events.push(event);
        if (over) events.end();
      },
      lost: (seconds) => state("lost", { seconds }),
      closed: (code) => {
        if (code === POLICY_VIOLATION && !over) events.end(new this.Refused("RegistrationUnknown"));
        return over || code === POLICY_VIOLATION;
      },
    }, signal);
  }

  /** The second step of a sign-in. code: of the authenticator app, or a recovery code. */
  factor(ticket, code) {
    return this.issued(this.call("POST", "login/factor", { ticket, code }));
  }

  /** Ends this session, or with {all: true} all of the account. */
  async signOut({ all = false } = {}) {
    await this.call("DELETE", `login/token${all ? "?all=true" : ""}`);
    this.token = null;
  }

  /** The `captcha` of one request, by the server's own proof of work. Browsers have crypto.subtle on secure pages only. */
  async prove() {
    const challenge = await this.call("GET", "captcha/challenge");
    return btoa(JSON.stringify({ challenge, solution: await solve(challenge.parameters) }));
  }
}

/** The counter whose key begins with keyPrefix: ALTCHA's format, version 2. */
async function solve({ cost, keyLength, keyPrefix, nonce, salt }) {
  const start = unhex(nonce), password = new Uint8Array(start.length + 4);
  password.set(start);
  const last = new DataView(password.buffer, start.length);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: unhex(salt), iterations: cost };
  for (let counter = 0; ; counter += 1) {
    last.setUint32(0, counter);
    const material = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const derivedKey = hex(new Uint8Array(await crypto.subtle.deriveBits(how, material, keyLength * 8)));
    if (derivedKey.startsWith(keyPrefix)) return { counter, derivedKey };
  }
}

class Part {
  constructor(server) {
    this.server = server;
  }

  _get(path) {
    return this.server.call("GET", path);
  }

  _post(path, body) {
    return this.server.call("POST", path, body);
  }

  /** Carried out once, however often it is sent. */
  _keyed(path, body) {
    return this.server.call("POST", path, body, { "Idempotency-Key": randomKey() });
  }

  _remove(path, body) {
    return this.server.call("DELETE", path, body);
  }

  _issued(path, body) {
    return this.server.issued(this._post(path, body));
  }
}

// --- one's own account
class Account extends Part {
  register = (fields) => this.server.issued(this._keyed("login/register", fields));
  info = async () => (await this._get("login/info")).user;
  userId = async (username) => (await this._get(`login/userId/${segment(username)}`)).userId;
  username = async (userId) => (await this._get(`login/username/${userId}`)).username;
  restore = (username, password) => this._issued("login/restore", { username, password });
  delete = async (password) => {
    await this._remove("login/delete", password === undefined ? undefined : { password });
    this.server.token = null;
  };
  export = () => this._get("login/export");

  recover = (who) => this._post("login/recover", who);
  finishRecovery = (token, password) => this._issued("login/recover/finish", { token, password });
  sendCode = (contact) => this._post("login/code", contact);
  verifyCode = (contact, code) => this._issued("login/code/verify", { ...contact, code });

  changePassword = (newPassword, password) => this._post("login/password", { newPassword, password });
  changeEmail = (email, password) => this._post("login/email", { email, password });
  verifyEmail = (token) => this._post("login/email/verify", { token });
  undoEmail = (token) => this._post("login/email/undo", { token });
  resendEmail = () => this._post("login/email/resend");

  sessions = async () => (await this._get("login/sessions")).sessions;
  endSession = (sessionId) => this._remove(`login/sessions/${sessionId}`);
  createToken = (name, expiresIn) => this._post("login/tokens", { name, expiresIn });

  factors = () => this._get("login/factors");
  beginTotp = () => this._post("login/totp");
  confirmTotp = (code) => this._post("login/totp/confirm", { code });
  removeTotp = (password) => this._remove("login/totp", { password });
  passkeyOptions = (password) => this._post("login/passkey/options", password === undefined ? undefined : { password });
  addPasskey = (credential, name) => this._post("login/passkey", { ...credential, name });
  removePasskey = (passkeyId) => this._remove(`login/passkey/${passkeyId}`);
  passkeyChallenge = () => this._post("login/passkey/challenge");
  passkeyVerify = (credential) => this._issued("login/passkey/verify", credential);

  blocks = async () => (await this._get("login/blocks")).blocks;
  block = (userId) => this._post(`login/block/${userId}`);
  unblock = (userId) => this._remove(`login/block/${userId}`);
}

// --- rooms
const paged = ({ before, after, limit, q } = {}) => {
  const query = new URLSearchParams(Object.entries({ q, before, after, limit }).filter(([, value]) => value !== undefined));
  return query.size ? `?${query}` : "";
};

class Rooms extends Part {
  create = async (fields = {}) => (await this._keyed("room/create", fields)).roomId;
  list = (page) => this._get(`room/list${paged(page)}`);
  info = async (roomId, { lastPost = false } = {}) => (await this._get(`room/info/${roomId}${lastPost ? "?getLastPost=true" : ""}`)).room;
  invite = (roomId, otherUsers) => this._keyed(`room/invite/${roomId}`, { otherUsers });
  offers = async () => (await this._get("room/offers")).offers;
  accept = (roomId) => this._keyed(`room/accept/${roomId}`);
  decline = (roomId) => this._keyed(`room/decline/${roomId}`);
  leave = (roomId) => this._keyed(`room/leave/${roomId}`);
  post = async (roomId, content) => (await this._keyed(`room/post/${roomId}`, { content })).postId;
  edit = (postId, content) => this._keyed(`room/edit/${postId}`, { content });
  deletePost = (postId) => this._keyed(`room/delete/${postId}`);
  rename = (roomId, name) => this._keyed(`room/rename/${roomId}`, { name });
  kick = (roomId, userId) => this._keyed(`room/kick/${roomId}`, { userId });
  members = (roomId, page) => this._get(`room/members/${roomId}${paged(page)}`);
  search = (roomId, text, page) => this._get(`room/search/${roomId}${paged({ ...page, q: text })}`);
  people = (text) => this._get(`room/people${paged({ q: text })}`);
  read = async (postId) => (await this._get(`room/read/${postId}`)).post;
  readAll = (roomId, page) => this._get(`room/readAll/${roomId}${paged(page)}`);
  pushKey = async () => (await this._get("room/push/key")).publicKey;
  addPush = async (subscription) => (await this._keyed("room/push", subscription)).subscriptionId;
  pushes = () => this._get("room/push");
  removePush = (subscriptionId) => this._remove(`room/push/${subscriptionId}`);
  mute = (roomId) => this._keyed(`room/mute/${roomId}`);
  unmute = (roomId) => this._remove(`room/mute/${roomId}`);
  typing = (roomId) => this._keyed(`room/typing/${roomId}`);
  seen = (roomId, postId) => this._keyed(`room/seen/${roomId}`, { postId });

  /** Everything that happens in one's rooms, each event once and in order, over restarts and lost connections.
   *
   *  Every event has a `cursor`: the next listen({since: cursor}) goes on behind it. {type: "Resumed"} comes first and after each
   *  return; `recovered: false` says that the log did not reach back: read the rooms again.
   *  echo: also one's own doings. edits: also that posts are edited and deleted, and rooms renamed. seen: also what one has read elsewhere. presence: also who is there and who is typing, without a cursor.
   *  state(now, {seconds}): "live" or "lost". Rejects with Refused when the session has ended.
   */
  listen({ since = "", echo = false, edits = false, seen = false, presence = false, signal, state = () => {} } = {}) {
    const { server } = this, events = new Events();
    const wishes = Object.entries({ echo, edits, seen, presence }).map(([name, wished]) => (wished ? `&${name}=true` : "")).join("");
    let cursor = since, word = "", anew = false;
    events.holds = true;
    return events.run({
      WebSocket: server.WebSocket,
      address: async () => {
        const { ticket } = await this._post("login/ticket"); // the token itself stays out of addresses
        word = "";
        return server.socketAddress(`room/websocket?ticket=${ticket}&since=${segment(cursor)}${wishes}`);
      },
      opened: (again) => state("live", { again }),
      message: (text) => {
        if (!text.startsWith("{")) return void (word = text); // a bare word says why the socket closes
        const event = JSON.parse(text);
        cursor = event.cursor ?? cursor; // who is there and who is typing is not kept
        if (event.type === "Resumed" && anew) {
          event.recovered = anew = false;
        }
        events.push(event);
      },
      lost: (seconds) => state("lost", { seconds }),
      refused: (problem) => {
        const final = problem.status >= 400 && problem.status < 500 && !BUSY.has(problem.status);
        if (final) events.end(problem);
        return final;
      },
      closed: (code) => {
        if (word === "BadCursor") [cursor, anew] = ["", true];
        if (word === "BadCursor" || code !== POLICY_VIOLATION) return false;
        events.end(new server.Refused(word || "Closed"));
        return true;
      },
    }, signal);
  }
}

// --- registration steps
const METHODS = [
  "getState", "firstStep", "verify", "resendSmsCode", "firstStepEmail", "verifyEmail", "resendEmailCode", "createIdentity", "setUsername",
  "toBlockChain", "onboardingCommunitySubscriptions", "onboardingDeviceSwitched", "onboardingSharedLink",
];

class Steps extends Part {
  #id = 0;

  constructor(server) {
    super(server);
    for (const method of METHODS) this[method] = (params) => this.call(method, params);
  }

  /** Calls a method; resolves with its result. Rejects with Refused, whose code is the number and whose answer the error. */
  async call(method, params) {
    const [{ reason, value }] = await this.batch([[method, params]]);
    if (reason) throw reason;
    return value;
  }

  /** Calls many at once; resolves as Promise.allSettled does. */
  async batch(calls) {
    const asked = calls.map(([method, params = {}]) => ({ jsonrpc: "2.0", id: ++this.#id, method, params }));
    const answered = await this._post("rpc", asked.length === 1 ? asked[0] : asked);
    const byId = new Map([answered].flat().map((one) => [one?.id, one]));
    return asked.map(({ id }) => this.#settled(byId.get(id) ?? answered));
  }

  #settled({ error, result }) {
    if (!error) return { status: "fulfilled", value: result };
    return { status: "rejected", reason: new this.server.Refused(error.code, { status: 200, answer: error, message: error.message }) };
  }
}

// --- the directory
class Directory extends Part {
  check = async (name) => (await this._get(`${segment(name)}/check`)).exists;
  init = (fields) => this._post("init", fields);
  confirm = async (challenge) => (await this._post(`${segment(challenge)}/confirm`)).server;
  find = async (name) => (await this._get(`${segment(name)}/server`)).server;
}
