// Passkeys: signing in with one, also straight from the field of the user name where the browser offers that, and making one.

import { call, Problem } from "./api.js";

const CHALLENGE_MS = 4 * 60_000; // the server's live a minute longer
let offered = null; // what ends the offer in the field of the user name

/** Whether passkeys can work on this page: browsers know them on https and localhost, and for names only. */
export const usable = () => window.isSecureContext && !/^[\d.]+$|:/.test(location.hostname)
  && Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON);

/** Asks for any passkey; resolves with the answer of the sign-in, or null when the person does not want to. */
export async function signIn() {
  withdraw();
  return answered(await call("POST", "login/passkey/challenge"), {});
}

async function answered(options, more) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const credential = await asked(navigator.credentials.get({ publicKey, ...more }));
  return credential && call("POST", "login/passkey/verify", credential.toJSON());
}

/** Resolves with null where the person, or we, ended it. */
async function asked(asking) {
  try {
    return await asking;
  } catch (error) {
    if (error.name === "InvalidStateError") throw new Problem("PasskeyKnown");
    if (["NotAllowedError", "AbortError"].includes(error.name)) return null;
    throw new Problem("PasskeyFailed");
  }
}

/** Offers passkeys in the field of the user name, for as long as the sign-in is shown. signedIn(token), failed(problem). */
export async function offer(signedIn, failed) {
  if (offered || !usable() || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  const ending = offered = new AbortController();
  while (!ending.signal.aborted) {
    const turn = new AbortController(), end = () => turn.abort();
    const timer = setTimeout(end, CHALLENGE_MS);
    ending.signal.addEventListener("abort", end);
    try {
      const answer = await answered(await call("POST", "login/passkey/challenge"), { mediation: "conditional", signal: turn.signal });
      if (answer) return signedIn(answer.token);
      if (!turn.signal.aborted) return; // the browser does not go on with it
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      return failed(problem);
    } finally {
      clearTimeout(timer);
      ending.signal.removeEventListener("abort", end);
      if (offered === ending && ending.signal.aborted) offered = null;
    }
  }
}

/** Ends the offer. */
export function withdraw() {
  offered?.abort();
  offered = null;
}

/**
 * Makes a passkey of the account that is signed in; resolves with null when the person does not want to.
 * password: where the sign-in was some time ago, else "".
 */
export async function add(name, password) {
  const options = await call("POST", "login/passkey/options", password ? { password } : undefined);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const credential = await asked(navigator.credentials.create({ publicKey }));
  return credential && call("POST", "login/passkey", { ...credential.toJSON(), name });
}
