// Takes the secret of a mailed link out of the address, asks what it would do, and leaves the rest to the form.
"use strict";

const field = document.getElementById("code");
// Some mail programs write the # of a link as %23.
const secret = location.href.match(/(?:#|%23)([^#]+)$/)?.[1];

async function show() {
  const response = await fetch(document.body.dataset.standing, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ [field.name]: secret }),
  });
  if (!response.ok) return;
  const standing = await response.json();
  document.title = standing.title;
  document.getElementById("title").textContent = standing.title;
  document.getElementById("text").textContent = standing.text;
  document.getElementById("form").hidden = standing.state !== "pending";
  document.getElementById("sign-in").hidden = standing.state !== "confirmed";
}

if (secret) {
  // Neither the history nor a shoulder surfer needs it any more.
  history.replaceState(null, "", location.pathname + location.search.replace(/%23.*$/, ""));
  field.value = secret;
  document.getElementById("code-field").hidden = true;
  show().catch(() => {}); // without the answer the button still works
}
