// Takes the secret of a one-time link out of the address and into the form, which posts it.
"use strict";

function take() {
  // Some programs write the # of a link as %23.
  const secret = location.href.match(/(?:#|%23)(rego_[\w-]+)$/)?.[1];
  if (!secret) return;
  // Neither the history nor a shoulder surfer needs it any more.
  history.replaceState(null, "", location.pathname);
  document.getElementById("link").value = secret;
  document.getElementById("link-field").hidden = true;
  document.getElementById("by-key").hidden = true;
  document.getElementById("link-part").open = true;
  document.getElementById("key-name").focus();
}

take();
window.addEventListener("hashchange", take); // a link that is pasted while the page is open
