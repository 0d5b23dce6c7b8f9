// Tries counters from 0 until the key of one begins with keyPrefix: the format is ALTCHA's, version 2.
// Pages that came by http, from another machine, have no crypto.subtle: there it counts by itself (FIPS 180-4, RFC 8018), slower.

const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
const hexOf = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

self.onmessage = async ({ data: { cost, keyLength, keyPrefix, nonce, salt } }) => {
  const start = bytes(nonce);
  const password = new Uint8Array(start.length + 4);
  password.set(start);
  const last = new DataView(password.buffer, start.length);
  const derive = crypto.subtle ? deriveByBrowser : deriveHere;
  for (let counter = 0; ; counter += 1) {
    last.setUint32(0, counter);
    const derivedKey = hexOf(await derive(password, bytes(salt), cost, keyLength));
    if (derivedKey.startsWith(keyPrefix)) return self.postMessage({ counter, derivedKey });
  }
};

async function deriveByBrowser(password, salt, iterations, length) {
  const material = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
  return crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations }, material, length * 8);
}

const PRIMES = [];
for (let n = 2; PRIMES.length < 64; n += 1) if (PRIMES.every((prime) => n % prime)) PRIMES.push(n);
const fraction = (number) => (number - Math.floor(number)) * 2 ** 32 | 0;
const ROUNDS = Int32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));
const FIRST = Int32Array.from(PRIMES.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
const words = new Int32Array(64);
const turn = (x, n) => x >>> n | x << 32 - n;

/** SHA-256 of one block of 16 words, after those that have made `from`, into `to`. */
function compress(from, block, to) {
  words.set(block);
  for (let i = 16; i < 64; i += 1) {
    const x = words[i - 15], y = words[i - 2];
    words[i] = words[i - 16] + (turn(x, 7) ^ turn(x, 18) ^ x >>> 3) + words[i - 7] + (turn(y, 17) ^ turn(y, 19) ^ y >>> 10);
  }
  let [a, b, c, d, e, f, g, h] = from;
  for (let i = 0; i < 64; i += 1) {
    const p = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + (e & f ^ ~e & g) + ROUNDS[i] + words[i] | 0;
    const q = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + (a & b ^ a & c ^ b & c) | 0;
    h = g; g = f; f = e; e = d + p | 0;
    d = c; c = b; b = a; a = p + q | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => { to[i] = from[i] + word; });
}

/** The last block of a message that fills one block before it: `bytes`, at most 55 of them, and the padding. */
function lastBlock(bytes) {
  const block = new DataView(new ArrayBuffer(64));
  new Uint8Array(block.buffer).set(bytes);
  block.setUint8(bytes.length, 0x80);
  block.setUint32(60, (64 + bytes.length) * 8);
  return Int32Array.from({ length: 16 }, (_, i) => block.getInt32(4 * i));
}

/** PBKDF2-HMAC-SHA-256 of at most 32 bytes, of a password up to 64 bytes and a salt up to 51. */
function deriveHere(password, salt, iterations, length) {
  const padded = (byte) => {
    const key = new DataView(Uint8Array.from({ length: 64 }, (_, i) => (password[i] ?? 0) ^ byte).buffer);
    const state = new Int32Array(8);
    compress(FIRST, Int32Array.from({ length: 16 }, (_, i) => key.getInt32(4 * i)), state);
    return state;
  };
  const inner = padded(0x36), outer = padded(0x5c);
  const block = lastBlock(new Uint8Array(32)), hash = new Int32Array(8), sum = new Int32Array(8);
  let message = lastBlock(Uint8Array.of(...salt, 0, 0, 0, 1));
  for (let i = 0; i < iterations; i += 1) {
    compress(inner, message, hash);
    block.set(hash);
    compress(outer, block, hash);
    block.set(hash);
    message = block;
    hash.forEach((word, at) => { sum[at] ^= word; });
  }
  const key = new DataView(new ArrayBuffer(32));
  sum.forEach((word, at) => key.setInt32(4 * at, word));
  return key.buffer.slice(0, length);
}
