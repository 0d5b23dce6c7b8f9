// Takes the challenge out of the address, asks whose registration it is, and leaves the rest to the form.
"use strict";

const challenge = location.hash.slice(1);

async function show() {
  const response = await fetch(document.body.dataset.standing, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ challenge }),
  });
  if (!response.ok) return;
  const standing = await response.json();
  document.title = standing.title;
  document.getElementById("title").textContent = standing.title;
  document.getElementById("text").textContent = standing.text;
  document.getElementById("form").hidden = standing.state !== "pending";
  document.getElementById("sign-in").hidden = standing.state !== "confirmed";
}

if (challenge) {
  // Neither the history nor a shoulder surfer needs it any more.
  history.replaceState(null, "", location.pathname + location.search);
  document.getElementById("code").value = challenge;
  document.getElementById("code-field").hidden = true;
  show().catch(() => {}); // without the answer the button still works
}
