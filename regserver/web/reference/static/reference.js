// Search among the entries, a button that copies an example, and a short list of contents on a narrow screen. The page does without.

const $ = (id) => document.getElementById(id);
const entries = [...document.querySelectorAll("main article")].map((element) => ({ element, text: element.textContent.toLowerCase() }));
const groups = [...document.querySelectorAll("main section")];
const search = $("search");

function look() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { element, text } of entries) {
    element.hidden = !words.every((word) => text.includes(word));
    if (!element.hidden) count += 1;
  }
  for (const group of groups) group.hidden = words.length > 0 && !group.querySelector("article:not([hidden])");
  $("found").textContent = words.length ? `${count} found` : "";
}

search.closest("p").hidden = false;
search.addEventListener("input", look);
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.closest("input") || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  search.focus();
});

// A link into the page leads there also while a search hides its place, and opens it.
function arrive() {
  const target = $(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.closest("[hidden]")) {
    search.value = "";
    look();
    target.scrollIntoView();
  }
  const details = target.querySelector(":scope > details");
  if (details && target.tagName === "DIV") details.open = true;
}
window.addEventListener("hashchange", arrive);
arrive();

if (matchMedia("(max-width: 60rem)").matches) $("contents").open = false;

if (navigator.clipboard) {
  for (const figure of document.querySelectorAll("figure")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(figure.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    figure.append(button);
  }
}
