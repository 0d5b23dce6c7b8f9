// The built-in captcha: a worker finds the counter that the server has drawn, so that the page goes on meanwhile.

import { call, Problem } from "./api.js";

const WORKER = new URL("proof.worker.js", import.meta.url).href;

/** The fields of a request, with the built-in captcha where the form demands it. Rejects with NoProof where the browser cannot compute it. */
export async function proved(form, fields) {
  return "proves" in form.dataset ? { ...fields, captcha: await prove() } : fields;
}

async function prove() {
  const challenge = await call("GET", "captcha/challenge");
  const solution = await solve(challenge.parameters);
  return btoa(JSON.stringify({ challenge, solution }));
}

async function solve(parameters) {
  const worker = new Worker(scriptAddress());
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = () => reject(new Problem("NoProof"));
      worker.postMessage(parameters);
    });
  } finally {
    worker.terminate();
  }
}

let policy; // its name may be used once only

function scriptAddress() {
  policy ??= window.trustedTypes?.createPolicy("proof", { createScriptURL: () => WORKER });
  return policy ? policy.createScriptURL(WORKER) : WORKER;
}
